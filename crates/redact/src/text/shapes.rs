//! Secrets recognised by their form: keys that their issuers mark, hashes of passwords.

/// What may follow a marked beginning.
#[derive(Clone, Copy)]
enum Tail {
    /// Letters and digits.
    Alnum,
    /// Also `_` and `-`.
    Word,
    /// Also `.`, `+`, `/`, `=` and `~`.
    Dotted,
    /// Digits and a to f.
    Hex,
}

/// Beginnings of keys that their issuers mark, and what follows at least. From the issuers'
/// documentation and the public lists of secret scanners.
#[rustfmt::skip]
const SHAPES: &[(&str, Tail, usize)] = &[
    // AWS; Alibaba and Tencent.
    ("AKIA", Tail::Alnum, 16), ("ASIA", Tail::Alnum, 16), ("ABIA", Tail::Alnum, 16), ("ACCA", Tail::Alnum, 16),
    ("LTAI", Tail::Alnum, 16), ("AKID", Tail::Alnum, 32),
    // GitHub, GitLab, Bitbucket and Atlassian.
    ("ghp_", Tail::Alnum, 20), ("gho_", Tail::Alnum, 20), ("ghu_", Tail::Alnum, 20), ("ghs_", Tail::Alnum, 20),
    ("ghr_", Tail::Alnum, 20), ("github_pat_", Tail::Word, 20),
    ("glpat-", Tail::Word, 16), ("gldt-", Tail::Word, 16), ("glrt-", Tail::Word, 16), ("glptt-", Tail::Word, 16),
    ("glcbt-", Tail::Word, 16), ("glft-", Tail::Word, 16), ("glsoat-", Tail::Word, 16), ("GR1348941", Tail::Word, 16),
    ("ATATT3", Tail::Dotted, 40), ("ATBB", Tail::Alnum, 28),
    // Stripe, Square, Shopify, PayPal's Braintree, Mollie.
    ("sk_live_", Tail::Alnum, 16), ("rk_live_", Tail::Alnum, 16), ("sk_test_", Tail::Alnum, 16),
    ("rk_test_", Tail::Alnum, 16), ("whsec_", Tail::Dotted, 16), ("sq0atp-", Tail::Word, 20), ("sq0csp-", Tail::Word, 20),
    ("shpat_", Tail::Hex, 32), ("shpca_", Tail::Hex, 32), ("shppa_", Tail::Hex, 32), ("shpss_", Tail::Hex, 32),
    // Slack.
    ("xoxb-", Tail::Word, 10), ("xoxp-", Tail::Word, 10), ("xoxa-", Tail::Word, 10), ("xoxr-", Tail::Word, 10),
    ("xoxs-", Tail::Word, 10), ("xoxe-", Tail::Word, 10), ("xoxc-", Tail::Word, 10), ("xapp-", Tail::Word, 10),
    // Services of language models.
    ("sk-proj-", Tail::Word, 20), ("sk-ant-", Tail::Word, 20), ("sk-svcacct-", Tail::Word, 20), ("sk-or-", Tail::Word, 20),
    ("sk-", Tail::Alnum, 32), ("gsk_", Tail::Alnum, 32), ("xai-", Tail::Alnum, 32), ("pplx-", Tail::Alnum, 32),
    ("hf_", Tail::Alnum, 30), ("r8_", Tail::Alnum, 30), ("nvapi-", Tail::Word, 32),
    // Google.
    ("AIza", Tail::Word, 30), ("ya29", Tail::Dotted, 20), ("GOCSPX-", Tail::Word, 20),
    // Registries of packages and images.
    ("npm_", Tail::Alnum, 30), ("pypi-", Tail::Word, 50), ("rubygems_", Tail::Hex, 40), ("dckr_pat_", Tail::Word, 20),
    ("oy2", Tail::Alnum, 43), ("AKCp", Tail::Alnum, 60), ("cio", Tail::Alnum, 32),
    // Clouds, mail, monitoring, secrets.
    ("dop_v1_", Tail::Hex, 32), ("doo_v1_", Tail::Hex, 32), ("dor_v1_", Tail::Hex, 32), ("SG", Tail::Dotted, 40),
    ("SK", Tail::Hex, 32), ("key-", Tail::Hex, 32), ("xkeysib-", Tail::Word, 40), ("hvs", Tail::Dotted, 24),
    ("hvb", Tail::Dotted, 24), ("tskey-", Tail::Word, 20), ("glsa_", Tail::Word, 32), ("glc_", Tail::Dotted, 32),
    ("NRAK-", Tail::Alnum, 20), ("NRJS-", Tail::Alnum, 16), ("sntrys_", Tail::Dotted, 30), ("sntryu_", Tail::Hex, 32),
    ("dapi", Tail::Hex, 32), ("PMAK-", Tail::Word, 32), ("figd_", Tail::Word, 30), ("lin_api_", Tail::Alnum, 30),
    ("ntn_", Tail::Alnum, 30), ("sbp_", Tail::Hex, 32), ("pscale_tkn_", Tail::Word, 30), ("pscale_pw_", Tail::Word, 30),
    ("CFPAT-", Tail::Word, 30), ("AGE-SECRET-KEY-1", Tail::Alnum, 40), ("EAACEdEose0cBA", Tail::Alnum, 10),
    // JSON Web Tokens; PostgreSQL's hashes of passwords.
    ("eyJ", Tail::Dotted, 30), ("md5", Tail::Hex, 32),
];

/// Letters of the first word of a key at least, where no dot ends it.
pub(super) const SHORTEST: usize = 12;
/// Letters of a key that show that it is one.
const SHOWN: usize = 256;

/// By the first letter of [`SHAPES`], a bit for each second one.
static BEGINNINGS: [u128; 128] = {
    let mut table = [0; 128];
    let mut at = 0;
    while at < SHAPES.len() {
        let bytes = SHAPES[at].0.as_bytes();
        table[bytes[0] as usize] |= 1 << bytes[1];
        at += 1;
    }
    table
};

/// Returns whether one of [`SHAPES`] begins with these two letters.
pub(super) fn may_begin(first: u8, second: u8) -> bool {
    BEGINNINGS[usize::from(first & 127)] & (1 << (second & 127)) != 0
}

/// Returns where the key ends that begins with the word at this place, if it is one.
pub(super) fn key(text: &str, at: usize, end: usize) -> Option<usize> {
    let word = &text.as_bytes()[at..end];
    let [first, second, ..] = word else {
        return None;
    };
    // The first word of a key is long, or a dot ends it.
    if word.len() < SHORTEST && text.as_bytes().get(end) != Some(&b'.') && !first.is_ascii_digit() {
        return None;
    }
    if first.is_ascii_digit() || *first == b'b' && text[end..].starts_with(':') {
        return telegram(text, at, end);
    }
    if !may_begin(*first, *second) {
        return None;
    }
    if let Some(stop) = pair(text, at) {
        return Some(stop);
    }
    SHAPES.iter().find_map(|(prefix, tail, least)| {
        let rest = text[at..].strip_prefix(prefix)?;
        let allowed = |byte: &u8| match tail {
            Tail::Alnum => byte.is_ascii_alphanumeric(),
            Tail::Word => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Tail::Dotted => byte.is_ascii_alphanumeric() || b"_-.+/=~".contains(byte),
            Tail::Hex => byte.is_ascii_hexdigit(),
        };
        // A key without a digit among its first letters is a name.
        let shown = rest.bytes().take(SHOWN).take_while(allowed).count();
        if shown < *least || !rest.as_bytes()[..shown].iter().any(u8::is_ascii_digit) {
            return None;
        }
        let stop = at + prefix.len() + rest.bytes().take_while(allowed).count();
        // A word that continues is another one.
        (stop >= end).then_some(stop)
    })
}

/// Letters of a secret key of AWS.
const SECRET_KEY: usize = 40;
/// Letters of its first word at least, where neither `+` nor `/` follows: two of those may be before.
pub(super) const SHORTEST_UNNAMED: usize = SECRET_KEY - 2;

/// Letters of an identifier of a key of AWS.
const IDENTIFIER: usize = 20;

/// Returns where a pair of identifier and secret key of AWS ends that begins at this place, joined or with one sign
/// between them.
fn pair(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let id = bytes.get(at..at + IDENTIFIER)?;
    let is_id = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if !(id.starts_with(b"AKIA") || id.starts_with(b"ASIA")) || !id.iter().all(is_id) {
        return None;
    }
    let joined = at + IDENTIFIER;
    let sign = bytes.get(joined)?.is_ascii_punctuation();
    [joined, joined + usize::from(sign)]
        .into_iter()
        .find_map(|from| {
            let rest = bytes.get(from..)?;
            let shown = rest.iter().take(SHOWN);
            let length = shown.take_while(|byte| is_key_letter(byte)).count();
            match length {
                0..SECRET_KEY => None,
                SECRET_KEY => Some(from + SECRET_KEY),
                _ if !sign => Some(from + length),
                // Otherwise it is a longer path.
                _ => (rest[SECRET_KEY] == b'/').then_some(from + SECRET_KEY),
            }
        })
}

/// Returns whether a secret key of AWS may hold this letter.
const fn is_key_letter(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// Returns the secret key of AWS that begins at this place: forty letters of Base64 and nothing else. Where an
/// identifier of such a key is beside it capitals and small letters are enough, elsewhere it must
/// look drawn at random: hashes have no capitals, paths and long names continue from letter to letter.
pub(super) fn unnamed(text: &str, at: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let from = at
        - bytes[..at]
            .iter()
            .rev()
            .take(2)
            .take_while(|byte| matches!(byte, b'+' | b'/'))
            .count();
    let to = from + SECRET_KEY;
    let goes_on = |byte: &u8| is_key_letter(byte) || b"=-_.%@~".contains(byte);
    // These two decide for nearly every word.
    if !bytes.get(to - 1).is_some_and(is_key_letter) || bytes.get(to).is_some_and(goes_on) {
        return None;
    }
    let part = |byte: &u8| is_key_letter(byte) || b"-_.%@~".contains(byte);
    if from
        .checked_sub(1)
        .is_some_and(|before| part(&bytes[before]))
    {
        return None;
    }
    let key = &bytes[from..to];
    if !key.iter().all(is_key_letter) {
        return None;
    }
    let kind = |byte: u8| match byte {
        b'A'..=b'Z' => 0,
        b'a'..=b'z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let has = |wanted: usize| key.iter().filter(|byte| kind(**byte) == wanted).count();
    if has(0) < 2 || has(1) < 2 {
        return None;
    }
    // Of forty letters drawn at random some 25 are of another kind than the one before, and 30 differ.
    let turns = key
        .windows(2)
        .filter(|pair| kind(pair[0]) != kind(pair[1]))
        .count();
    let mut seen = [false; 256];
    for byte in key {
        seen[usize::from(*byte)] = true;
    }
    let different = seen.iter().filter(|seen| **seen).count();
    let drawn = has(2) >= 1 && turns >= 16 && different >= 24;
    (drawn || beside_identifier(text, from, to)).then_some((from, to))
}

/// Returns whether an identifier of a key of AWS is near a place.
fn beside_identifier(text: &str, from: usize, to: usize) -> bool {
    const NEAR: usize = 256;
    let bytes = text.as_bytes();
    let near = &bytes[from.saturating_sub(NEAR)..(to + NEAR).min(bytes.len())];
    near.windows(4)
        .any(|word| word == b"AKIA" || word == b"ASIA")
}

/// Returns a bot's token of Telegram: 8 to 10 digits, a colon, 35 letters.
fn telegram(text: &str, at: usize, end: usize) -> Option<usize> {
    let word = &text[at..end];
    let digits = word.strip_prefix("bot").unwrap_or(word);
    let rest = text[end..].strip_prefix(':')?;
    let length = rest
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        .count();
    let fits = (8..=10).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && length == 35;
    fits.then_some(end + 1 + length)
}

/// Names of methods after which a hash of a password stands: `$2y$…`, `SCRAM-SHA-256$…`.
const METHODS: &[&str] = &[
    "1",
    "2a",
    "2b",
    "2x",
    "2y",
    "5",
    "6",
    "7",
    "y",
    "gy",
    "apr1",
    "argon2i",
    "argon2d",
    "argon2id",
    "sha1",
    "md5",
    "pbkdf2",
    "pbkdf2-sha256",
    "pbkdf2-sha512",
    "pbkdf2_sha256",
    "pbkdf2_sha1",
    "bcrypt_sha256",
    "scrypt",
    "bcrypt",
    "argon2",
    "P",
    "H",
    "S",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1",
    "ml",
];

/// Returns the hash that follows the name of a method, its name excepted.
pub(super) fn hash(text: &str, at: usize, end: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let before = at.checked_sub(1).map(|at| bytes[at]);
    let word = &text[at..end];
    let from = match (before, bytes.get(end)) {
        // LDAP: `{SSHA}…`.
        (Some(b'{'), Some(b'}'))
            if [
                "SSHA", "SHA", "SMD5", "MD5", "CRYPT", "SSHA256", "SSHA512", "PBKDF2",
            ]
            .contains(&word) =>
        {
            end + 1
        }
        (_, Some(b'$')) if word.len() > 2 && METHODS.contains(&word) => end + 1,
        (Some(b'$'), Some(b'$')) if METHODS.contains(&word) => end + 1,
        _ => return None,
    };
    let length = bytes[from..]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"./$+=,:-_*".contains(byte))
        .count();
    (length >= 12).then_some((from, from + length))
}

/// Addresses that are the secret themselves: who knows them may post.
const HOOKS: &[&str] = &[
    "hooks.slack.com/services",
    "hooks.slack.com/workflows",
    "discord.com/api/webhooks",
    "discordapp.com/api/webhooks",
    "webhook.office.com/webhookb2",
    "outlook.office.com/webhook",
    "hooks.zapier.com/hooks",
    "chat.googleapis.com/v1/spaces",
];

/// Returns the rest of an address of [`HOOKS`] whose last word ends here.
pub(super) fn hook(text: &str, end: usize) -> Option<(usize, usize)> {
    let known = HOOKS
        .iter()
        .any(|hook| text.as_bytes()[..end].ends_with(hook.as_bytes()));
    let rest = text[end..].strip_prefix('/').filter(|_| known)?;
    let length = rest
        .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '\\' | ')'))
        .unwrap_or(rest.len());
    Some((end + 1, end + 1 + length))
}

/// Returns the endings of [`HOOKS`].
pub(super) fn may_be_hook(word: &[u8]) -> bool {
    matches!(
        word,
        b"services" | b"workflows" | b"webhooks" | b"webhook" | b"webhookb2" | b"hooks" | b"spaces"
    )
}
