//! Names of secrets, and the words that show that something after a name is not one.
//!
//! A name is evaluated without `_`, `-` and trailing digits, in small letters. Three tables, by how much
//! they need beside the name:
//!
//! | table | matches | example | its value is a secret |
//! |---|---|---|---|
//! | [`STRONG`] | as the end of a word | `DB_PASSWORD`, `x-api-key` | unless it is a word of state |
//! | [`WEAK`] | as the last part of a word | `db_pass`, `smtpAuth`, never `compass` | unless it is harmless |
//! | [`LOOSE`] | as the last part of a word | `sid`, `key`, `code` | when it looks drawn at random |

/// Endings of names whose value is a secret, in small letters.
#[rustfmt::skip]
pub(super) const STRONG: &[&str] = &[
    "password", "passwd", "passwort", "passphrase", "passcode", "pwd", "kennwort", "wachtwoord",
    "motdepasse", "contrasena", "contrasenia", "senha", "losenord", "heslo", "haslo", "sifre",
    "parola", "salasana", "adgangskode", "passord", "jelszo",
    "secret", "secretkey", "secretkeybase", "secretid", "clientsecret",
    "token", "tokensecret", "refreshtoken",
    "apikey", "accesskey", "privatekey", "authkey", "signingkey", "encryptionkey", "masterkey",
    "accountkey", "sharedkey", "appkey", "servicekey", "storagekey", "licensekey", "sessionkey",
    "subscriptionkey", "consumerkey", "hmackey", "aeskey", "deploykey", "integrationkey",
    "functionskey", "serverkey", "presharedkey", "psk", "wpapsk", "apisecret",
    "authorization", "credential", "credentials", "creds", "cookie", "sessionid", "sessid",
    "signature", "sharedaccesssignature", "connectionstring", "requirepass", "masterauth",
    "storepass", "keypass", "bindpw", "rootpw", "authtoken", "jwt",
    "otpauth", "totpsecret", "recoverycode", "backupcode", "verificationcode", "securitycode",
    "geheimnis", "geheim", "zugangsdaten", "webhookurl",
];

/// Last parts of names whose value is a secret unless it states something else.
pub(super) const WEAK: &[&str] = &[
    "pass", "pw", "psw", "passe", "mdp", "clave", "auth", "pin", "otp", "totp", "tan", "cred",
    "userpwd", "passw", "pswd", "authtok",
];

/// Last parts of names whose value is a secret when it looks drawn at random.
pub(super) const LOOSE: &[&str] = &["sid", "sig", "session", "key", "code", "sas", "phrase"];

/// Names of other scripts and with letters beyond ASCII.
#[rustfmt::skip]
pub(super) const FOREIGN: &[&str] = &[
    "contraseña", "contraseñas", "пароль", "пароля", "секрет", "токен", "密码", "密碼", "口令",
    "令牌", "密钥", "密鑰", "パスワード", "暗証番号", "トークン", "비밀번호", "암호", "hasło", "lösenord", "şifre",
    "parolă", "jelszó", "κωδικός", "סיסמה", "პაროლი",
];

/// Words between a name and its value in a sentence: "the password is X".
pub(super) const COPULAS: &[&str] = &[
    "is",
    "was",
    "ist",
    "lautet",
    "est",
    "es",
    "era",
    "jest",
    "är",
    "é",
    "è",
    "будет",
    "będzie",
];

/// What a name in a sentence stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    /// A password, whatever its value looks like.
    Password,
    /// A secret when its value looks like one.
    Other,
}

/// Names that a sentence may give: "password is X", "with password X".
#[rustfmt::skip]
const SPOKEN: &[(&str, Spoken)] = &[
    ("password", Spoken::Password), ("passwd", Spoken::Password), ("passwort", Spoken::Password),
    ("passphrase", Spoken::Password), ("passcode", Spoken::Password), ("kennwort", Spoken::Password),
    ("contrasena", Spoken::Password), ("senha", Spoken::Password), ("wachtwoord", Spoken::Password),
    ("passe", Spoken::Password),
    ("pwd", Spoken::Other), ("pin", Spoken::Other), ("otp", Spoken::Other), ("pass", Spoken::Other),
    ("secret", Spoken::Other), ("token", Spoken::Other), ("key", Spoken::Other), ("code", Spoken::Other),
];

/// Returns what a word of a sentence stands for, if it is such a name.
pub(super) fn spoken(word: &str) -> Option<Spoken> {
    SPOKEN
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
        .map(|(_, spoken)| *spoken)
}

/// Words before a name after which its value follows: "with password X".
pub(super) const BRINGING: &[&str] = &[
    "with", "using", "mit", "avec", "con", "com", "login", "user", "username", "tried", "guessed",
    "typed", "entered",
];

/// Words before one of [`LOOSE`] with which it is a name as strong as any: "API key: x".
#[rustfmt::skip]
pub(super) const QUALIFYING: &[&str] = &[
    "api", "access", "secret", "private", "encryption", "signing", "master", "auth", "authentication", "verification",
    "security", "login", "one-time", "confirmation", "shared", "pre-shared", "recovery", "license", "pass", "seed", "2fa",
];

/// What stands where a value would, but states how it is with the secret: "password: expired",
/// "(using password: YES)", "password is too short", "with password authentication".
#[rustfmt::skip]
pub(super) const STATES: &[&str] = &[
    "a", "about", "string", "str", "text", "varchar", "bytes", "number", "absent", "accepted", "active", "again", "against", "age", "aging", "all", "allowed", "already",
    "also", "an", "and", "any", "applied", "are", "as", "at", "attempt", "attempts", "auth", "authentication", "available",
    "based", "bad", "be", "because", "been", "before", "being", "blank", "but", "by", "cache", "cached", "can", "cannot",
    "change", "changed", "check", "checked", "checking", "complexity", "configured", "confirmation", "correct",
    "could", "created", "creation", "database", "default", "defined", "deleted", "denied", "did", "disabled", "does",
    "due", "empty", "enabled", "encrypted", "encryption", "enforced", "entered", "entry", "error", "exceeded", "exists",
    "expected", "expire", "expired", "expires", "expiring", "expiry", "expiration", "fail", "failed", "failure", "false", "field",
    "file", "for", "format", "found", "from", "generated", "generation", "given", "good", "granted", "had", "has", "hash",
    "hashed", "hashing", "have", "hidden", "history", "if", "ignored", "in", "incorrect", "inactive", "include", "input",
    "invalid", "invalidated", "is", "issued", "it", "its", "known", "length", "less", "limit", "line", "loaded", "locked", "login",
    "longer", "lost", "manager", "match", "matched", "matches", "may", "md5", "method", "mismatch", "mismatched", "missing",
    "must", "needed", "needs", "never", "new", "nil", "no", "none", "not", "now", "null", "obtained", "of", "off", "ok",
    "old", "omit", "on", "only", "optional", "or", "out", "passed", "peer", "plain", "policy", "present", "prompt",
    "protected", "protection", "provided", "quality", "read", "received", "recovery", "redacted", "refreshed",
    "refused", "rejected", "removed", "renewed", "request", "requested", "required", "requires", "deprecated", "reset", "retrieved", "returned", "reused",
    "revoked", "rotated", "rotation", "same", "saved", "scram-sha-256", "secure", "sent", "set", "sha1", "sha256", "sha512",
    "shared", "should", "simple", "still", "storage", "store", "stored", "strength", "strong", "success", "successful",
    "successfully", "succeeded", "supplied", "than", "that", "the", "then", "there", "this", "to", "too", "true", "type",
    "unavailable", "unchanged", "undefined", "unknown", "unset", "until", "update", "updated", "use", "used", "user", "using",
    "valid", "validated", "validation", "value", "verification", "verified", "verify", "via", "was", "weak", "were",
    "when", "which", "will", "with", "without", "would", "wrong", "yes", "you", "your", "bcrypt", "argon2", "argon2id",
    "scrypt", "pbkdf2", "bearer", "token", "tokens", "scheme", "credentials", "parameter", "option", "options", "name",
    "names", "count", "id", "ids", "secret", "secrets", "password", "passwords", "key", "keys", "same-origin",
    "falsch", "ungültig", "abgelaufen", "geändert", "fehlt", "erforderlich", "incorrecto", "invalide", "requise",
    "erronée", "expiré", "cambiada", "caducado", "gesetzt", "leer",
];

/// Literals that are not secret after `=` either.
pub(super) const LITERALS: &[&str] = &[
    "null",
    "none",
    "nil",
    "undefined",
    "true",
    "false",
    "yes",
    "no",
    "n/a",
    "na",
    "empty",
    "unset",
    "required",
    "redacted",
    "filtered",
    "masked",
    "hidden",
    "-",
    "invalid",
    "missing",
    "expired",
    "valid",
];

/// What `auth=` and `pass=` mean when they report a method or an outcome.
#[rustfmt::skip]
pub(super) const HARMLESS: &[&str] = &[
    "ok", "success", "succeeded", "successful", "failed", "failure", "fail", "error", "passed", "pass", "denied", "granted",
    "required", "optional", "enabled", "disabled", "on", "off", "valid", "invalid", "expired", "missing", "unknown", "anonymous",
    "none", "null", "true", "false", "yes", "no", "basic", "digest", "bearer", "plain", "login", "cram-md5", "md5", "scram",
    "scram-sha-1", "scram-sha-256", "sha256", "trust", "peer", "ident", "ldap", "krb5", "gss", "gssapi", "sspi", "pam", "cert",
    "radius", "reject", "publickey", "pubkey", "password", "keyboard-interactive", "hostbased", "ntlm", "negotiate", "kerberos",
    "oauth", "oauth2", "oidc", "saml", "jwt", "token", "session", "cookie", "local", "internal", "external", "system", "user",
    "admin", "root", "sasl", "tls", "mtls", "xoauth2", "sys", "guest", "bypass", "skip", "skipped", "auto", "default", "auth",
    "pending", "done", "started", "complete", "completed", "open", "closed", "rejected", "accepted", "first", "second", "all",
    "any", "unset", "empty",
];

/// How strongly a name states that its value is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strength {
    Strong,
    Weak,
    Loose,
}

/// Returns whether the word may end as a name does, by its last three letters: nearly every word of a log is
/// distinguished here. Digits at its end, `_` and `-` are left to [`strength`].
pub(super) fn may_be(word: &[u8]) -> bool {
    let [.., third, second, last] = word else {
        return matches!(word, [b'p' | b'P', b'w' | b'W']);
    };
    if [third, second, last]
        .iter()
        .any(|c| !c.is_ascii_alphabetic())
    {
        return true;
    }
    let ending = usize::from(last & 31) * 32 + usize::from(second & 31);
    ENDINGS[ending] & (1 << (third & 31)) != 0
}

/// By the last two letters of all names, a bit for each letter before them. Letters of either size have
/// the same five low bits.
static ENDINGS: [u32; 1024] = {
    let mut table = [0; 1024];
    let lists = [STRONG, WEAK, LOOSE];
    let mut list = 0;
    while list < lists.len() {
        let mut at = 0;
        while at < lists[list].len() {
            let name = lists[list][at].as_bytes();
            let (second, last) = (name[name.len() - 2], name[name.len() - 1]);
            // Of two letters the one before is not known.
            table[(last & 31) as usize * 32 + (second & 31) as usize] |= if name.len() > 2 {
                1 << (name[name.len() - 3] & 31)
            } else {
                u32::MAX
            };
            at += 1;
        }
        list += 1;
    }
    table
};

/// Returns what a word states about the value after it.
pub(super) fn strength(word: &str) -> Option<Strength> {
    let word = word.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '_' | '-'));
    let last = word.as_bytes().last().map(u8::to_ascii_lowercase);
    let may = |name: &&&str| name.as_bytes().last().copied() == last;
    if STRONG.iter().filter(may).any(|name| ends_as(word, name)) {
        return Some(Strength::Strong);
    }
    let part = last_part(word);
    let among = |list: &[&str]| list.iter().any(|name| name.eq_ignore_ascii_case(part));
    if among(WEAK) {
        Some(Strength::Weak)
    } else if among(LOOSE) {
        Some(Strength::Loose)
    } else {
        None
    }
}

/// Returns the last part of `db_pass`, `smtp-auth`, `dbPass`.
pub(super) fn last_part(word: &str) -> &str {
    let bytes = word.as_bytes();
    let mut from = bytes.len();
    while from > 0 {
        let c = bytes[from - 1];
        if !c.is_ascii_alphabetic() {
            break;
        }
        from -= 1;
        let before = from.checked_sub(1).map(|at| bytes[at]);
        if c.is_ascii_uppercase() && before.is_some_and(|c| c.is_ascii_lowercase()) {
            break;
        }
    }
    &word[from..]
}

/// Returns whether a word ends as this name, without `_` and `-`, in letters of either size.
fn ends_as(word: &str, name: &str) -> bool {
    let mut letters = word.bytes().rev().filter(u8::is_ascii_alphanumeric);
    name.bytes().rev().all(|expected| {
        letters
            .next()
            .is_some_and(|c| c.to_ascii_lowercase() == expected)
    })
}

/// Returns whether a list holds the word, in letters of either size.
pub(super) fn holds(list: &[&str], word: &str) -> bool {
    let is_ascii = word.is_ascii();
    list.iter().any(|known| {
        known.len() == word.len()
            && (known.eq_ignore_ascii_case(word)
                || (!is_ascii && !known.is_ascii() && *known == word.to_lowercase()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_as_strong_as_its_table() {
        let cases = [
            ("password", Some(Strength::Strong)),
            ("DB_PASSWORD", Some(Strength::Strong)),
            ("password2", Some(Strength::Strong)),
            ("x-api-key", Some(Strength::Strong)),
            ("X-Hub-Signature-256", Some(Strength::Strong)),
            ("db_pass", Some(Strength::Weak)),
            ("dbPass", Some(Strength::Weak)),
            ("PW", Some(Strength::Weak)),
            ("sid", Some(Strength::Loose)),
            ("compass", None),
            ("bypass", None),
            ("author", None),
            ("tokens", None),
            ("spin", None),
            ("public_key", Some(Strength::Loose)),
            ("monkey", None),
        ];
        for (word, expected) in cases {
            assert_eq!(strength(word), expected, "{word}");
            assert!(expected.is_none() || may_be(word.as_bytes()), "{word}");
        }
    }
}
