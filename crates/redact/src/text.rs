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

/// The text with `…` in place of every secret; borrowed when there is none.
#[must_use]
pub fn text(text: &str) -> String {
    clean(text).into_owned()
}

fn clean(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut kept = 0;
    let mut at = 0;
    while at < text.len() {
        let Some(word) = word_at(text, at) else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        let end = at + word.len();
        let secret = if word == "-----BEGIN" {
            private_key(text, at)
        } else if has_shape(word) {
            Some((at, end))
        } else if text[end..].starts_with("://") {
            user_info(text, end + 3)
        } else {
            value_after(text, word, end)
        };
        match secret.filter(|(from, to)| from < to && &text[*from..*to] != MARK) {
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

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

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
    let plain: String = word
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let named = NAMES.iter().any(|name| plain.ends_with(name));
    let scheme = SCHEMES.contains(&plain.as_str());
    if !named && !scheme {
        return None;
    }
    let rest = &text[end..];
    let open = rest.trim_start_matches(['"', '\'']).trim_start_matches(' ');
    let after = if named && open.starts_with(['=', ':']) {
        open[1..].trim_start_matches(['=', '>', ' '])
    } else if scheme && rest.starts_with(' ') {
        let after = rest.trim_start_matches(' ');
        // `password authentication failed` is a sentence, `PASSWORD 'x'` is not.
        if plain == "password" && !after.starts_with(['\'', '"']) {
            return None;
        }
        after
    } else {
        return None;
    };
    let from = text.len() - after.len();
    // Of `Authorization: Bearer x` the scheme stays.
    if let Some(scheme) = word_at(text, from).filter(|word| is_scheme(word)) {
        return value_after(text, scheme, from + scheme.len());
    }
    Some(value_at(text, from))
}

fn is_scheme(word: &str) -> bool {
    word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic")
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
            ("nothing to hide", "nothing to hide"),
        ];
        for (line, expected) in cases {
            assert_eq!(text(line), expected, "{line}");
            assert_eq!(text(expected), expected, "again: {line}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(line in "\\PC{0,80}|[-'\":=/@ .a\\\\]{0,60}") {
            let _clean = text(&line);
        }
    }
}
