//! Plain text without what is a secret by its name, its shape or its place.

use std::borrow::Cow;

use crate::MARK;

/// Endings of names whose value is a secret, without `_` and `-`, in small letters.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "authorization",
    "credential",
    "credentials",
    "cookie",
    "sessionid",
    "signature",
];

/// Words after which the next word is a secret.
const SCHEMES: &[&str] = &["bearer", "basic", "password"];

/// Beginnings of keys that their issuers mark, and how many letters follow at least.
/// From the issuers' documentation: AWS, GitHub, GitLab, Stripe, Slack, Google, npm; JSON Web Tokens.
const SHAPES: &[(&str, usize)] = &[
    ("AKIA", 16),
    ("ASIA", 16),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("sk_test_", 16),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("AIza", 30),
    ("npm_", 30),
    ("eyJ", 30),
];

/// The text with `…` in place of every secret.
#[must_use]
pub fn text(text: &str) -> String {
    clean(text).into_owned()
}

/// As [`text`]; borrowed when there is no secret.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut kept = 0;
    let mut at = 0;
    while at < bytes.len() {
        // Words are ASCII: a byte outside of them is passed over, be it a character or part of one.
        if !IN_WORD[usize::from(bytes[at])] {
            at += 1;
            continue;
        }
        let mut end = at + 1;
        while end < bytes.len() && IN_WORD[usize::from(bytes[end])] {
            end += 1;
        }
        match secret_at(text, at, end).filter(|(from, to)| from < to && &text[*from..*to] != MARK) {
            Some((from, to)) => {
                out.push_str(&text[kept..from]);
                out.push_str(MARK);
                (kept, at) = (to, to);
            }
            None => at = end,
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}

/// The secret that the word at this place is, or that follows it. Nearly every word is told apart by
/// its first or last letters, so that a line without secrets costs one look at each of its bytes.
fn secret_at(text: &str, at: usize, end: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let word = &bytes[at..end];
    let next = bytes.get(end).copied().unwrap_or(b'.');
    if word.len() >= SHORTEST.min(PEM.len()) {
        let word = &text[at..end];
        if word == PEM {
            return private_key(text, at);
        }
        if has_shape(word) {
            return Some((at, end));
        }
    }
    match next {
        b':' if text[end..].starts_with("://") => user_info(text, end + 3),
        // What cannot follow a name is the quickest to see.
        b'=' | b':' | b' ' | b'"' | b'\'' if may_name(word) => {
            value_after(text, &text[at..end], end)
        }
        _ => None,
    }
}

/// How a private key begins.
const PEM: &str = "-----BEGIN";

/// Which bytes words are of: letters and digits of ASCII, `_` and `-`.
static IN_WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        byte += 1;
    }
    table
};

fn in_word(c: char) -> bool {
    c.is_ascii() && IN_WORD[c as usize]
}

/// Whether the word may end as one of [`NAMES`] or be one of [`SCHEMES`]: by its last three letters,
/// the fewest that one of them has. Where one of these is `_` or `-`, it may.
fn may_name(word: &[u8]) -> bool {
    let [.., third, second, last] = word else {
        return false;
    };
    if [third, second, last]
        .iter()
        .any(|c| matches!(c, b'_' | b'-'))
    {
        return true;
    }
    // Letters of either size have the same five low bits; digits share theirs with some letters, and
    // are told apart later.
    let (seconds, thirds) = ENDINGS[usize::from(last & 31)];
    seconds & (1 << (second & 31)) != 0 && thirds & (1 << (third & 31)) != 0
}

/// By the last letter of [`NAMES`] and [`SCHEMES`], a bit for each letter before it, and one for each
/// before that.
static ENDINGS: [(u32, u32); 32] = {
    let mut table = [(0, 0); 32];
    let mut at = 0;
    while at < NAMES.len() + SCHEMES.len() {
        let name = if at < NAMES.len() {
            NAMES[at]
        } else {
            SCHEMES[at - NAMES.len()]
        };
        let bytes = name.as_bytes();
        let entry = &mut table[(bytes[bytes.len() - 1] & 31) as usize];
        entry.0 |= 1 << (bytes[bytes.len() - 2] & 31);
        entry.1 |= 1 << (bytes[bytes.len() - 3] & 31);
        at += 1;
    }
    table
};

/// Letters of the shortest key of [`SHAPES`].
const SHORTEST: usize = {
    let mut shortest = usize::MAX;
    let mut at = 0;
    while at < SHAPES.len() {
        let (prefix, least) = SHAPES[at];
        if prefix.len() + least < shortest {
            shortest = prefix.len() + least;
        }
        at += 1;
    }
    shortest
};

/// The word that begins at this place, if one does.
fn word_at(text: &str, at: usize) -> Option<&str> {
    let rest = &text[at..];
    let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

fn has_shape(word: &str) -> bool {
    SHAPES
        .iter()
        .any(|(prefix, least)| word.starts_with(prefix) && word.len() >= prefix.len() + least)
}

/// The value of a name, as in `name=value`, `"name": "value"` and `Bearer value`.
fn value_after(text: &str, word: &str, end: usize) -> Option<(usize, usize)> {
    let rest = &text[end..];
    let open = rest.trim_start_matches(['"', '\'']).trim_start_matches(' ');
    let mut after = if open.starts_with(['=', ':']) && NAMES.iter().any(|name| ends_as(word, name))
    {
        open[1..].trim_start_matches(['=', '>', ' '])
    } else if rest.starts_with(' ') && SCHEMES.iter().any(|scheme| is(word, scheme)) {
        let after = rest.trim_start_matches(' ');
        // `password authentication failed` is a sentence, `PASSWORD 'x'` is not.
        if is(word, "password") && !after.starts_with(['\'', '"']) {
            return None;
        }
        after
    } else {
        return None;
    };
    // The shell's working directory, as sudo tells it.
    if word == "PWD" && after.starts_with('/') {
        return None;
    }
    // Of `Authorization: Bearer x` the scheme stays. More than a few are a text made to take long.
    for _ in 0..4 {
        let from = text.len() - after.len();
        let scheme = word_at(text, from).filter(|word| is(word, "bearer") || is(word, "basic"));
        match scheme.map(|scheme| &after[scheme.len()..]) {
            Some(rest) if rest.starts_with(' ') => after = rest.trim_start_matches(' '),
            _ => break,
        }
    }
    Some(value_at(text, text.len() - after.len()))
}

/// Whether a word is this name, without `_` and `-`, in letters of either size.
fn is(word: &str, name: &str) -> bool {
    word.bytes().filter(u8::is_ascii_alphanumeric).count() == name.len() && ends_as(word, name)
}

/// Whether a word ends as this name.
fn ends_as(word: &str, name: &str) -> bool {
    let mut letters = word.bytes().rev().filter(u8::is_ascii_alphanumeric);
    name.bytes().rev().all(|expected| {
        letters
            .next()
            .is_some_and(|c| c.to_ascii_lowercase() == expected)
    })
}

/// The value that begins here: within its quotes, or up to what ends a word of a line.
fn value_at(text: &str, from: usize) -> (usize, usize) {
    let rest = &text[from..];
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let bytes = rest.as_bytes();
        let mut at = 1;
        while at < bytes.len() && bytes[at] != quote as u8 {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        return (from + 1, from + at.min(rest.len()));
    }
    let ends =
        |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '&' | '"' | '\'' | ')' | '}' | ']');
    (from, from + rest.find(ends).unwrap_or(rest.len()))
}

/// The password of `scheme://user:password@host`.
fn user_info(text: &str, from: usize) -> Option<(usize, usize)> {
    let rest = &text[from..];
    let end = rest
        .find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '?'))
        .unwrap_or(rest.len());
    let at = rest[..end].rfind('@')?;
    let colon = rest[..at].find(':')?;
    Some((from + colon + 1, from + at))
}

/// A private key in PEM, its frame excepted.
fn private_key(text: &str, at: usize) -> Option<(usize, usize)> {
    let head = at + text[at..].find("PRIVATE KEY-----")? + "PRIVATE KEY-----".len();
    if text[at..head].contains('\n') {
        return None;
    }
    let end = text[head..]
        .find("-----END")
        .map_or(text.len(), |end| head + end);
    Some((head, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_secret_goes_and_the_rest_stays() {
        let cases = [
            ("password=hunter2 user=me", "password=… user=me"),
            ("PGPASSWORD='a b' psql", "PGPASSWORD='…' psql"),
            (
                r#"{"api_key": "abc", "n": 1}"#,
                r#"{"api_key": "…", "n": 1}"#,
            ),
            (
                "postgresql://me:s3cret@h:1/d?x=1",
                "postgresql://me:…@h:1/d?x=1",
            ),
            ("postgresql://me@h/d", "postgresql://me@h/d"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer …"),
            ("sent Bearer abc", "sent Bearer …"),
            ("Bearer Bearer abc", "Bearer Bearer …"),
            ("key AKIAIOSFODNN7EXAMPLE here", "key … here"),
            ("token eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9abc", "token …"),
            (
                "password authentication failed for user x",
                "password authentication failed for user x",
            ),
            ("ALTER ROLE x PASSWORD 'y'", "ALTER ROLE x PASSWORD '…'"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
                "-----BEGIN RSA PRIVATE KEY-----…-----END RSA PRIVATE KEY-----",
            ),
            ("GET /login?token=abc&x=1", "GET /login?token=…&x=1"),
            ("tokens used: 5", "tokens used: 5"),
            ("root : PWD=/root ; USER=a", "root : PWD=/root ; USER=a"),
            ("Uid=a;Pwd=/secret", "Uid=a;Pwd=…"),
            (
                "grüße=1 passwörter pass_word=x",
                "grüße=1 passwörter pass_word=…",
            ),
            ("x-api-key: abc", "x-api-key: …"),
            ("nothing to hide", "nothing to hide"),
        ];
        for (line, expected) in cases {
            assert_eq!(text(line), expected, "{line}");
            assert_eq!(text(expected), expected, "again: {line}");
        }
    }

    #[test]
    fn a_text_made_to_take_long_does_not() {
        let texts = [
            "Bearer ".repeat(20_000) + ",",
            "token='".repeat(20_000),
            "a://".repeat(20_000),
        ];
        for text in &texts {
            // Quadratic, this would be minutes; recursive, the end of the stack.
            assert!(super::text(text).len() <= text.len());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(line in "\\PC{0,80}|[-'\":=/@ .a\\\\]{0,60}") {
            let _clean = text(&line);
        }
    }
}
