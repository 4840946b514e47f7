//! Secrets that a sentence announces: "the password is x", "with password x", `Bearer x`.

use super::names::{self, BRINGING, COPULAS, FOREIGN, STATES, Spoken};
use super::value;

/// Schemes of HTTP before which their credentials stand.
const SCHEMES: &[&str] = &["bearer", "basic", "digest", "negotiate", "ntlm", "hawk"];

/// Returns whether a word is one of [`SCHEMES`].
pub(super) fn is_scheme(word: &str) -> bool {
    SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Returns whether a word may announce a secret, by its first letter and its length.
pub(super) fn may_begin(word: &[u8]) -> bool {
    match word {
        [b'b' | b'B' | b'd' | b'D' | b'n' | b'N' | b'h' | b'H', ..] => {
            (4..=9).contains(&word.len())
        }
        [b'i' | b'I', ..] => word.len() == 10,
        [b'A', b'U', b'T', b'H'] => true,
        [
            b'p' | b'P',
            b'a' | b'A',
            b's' | b'S',
            b's' | b'S',
            b'e' | b'E',
        ] => true,
        [b'r' | b'R' | b'm' | b'M', ..] => matches!(word.len(), 10 | 11),
        _ => false,
    }
}

/// Returns what the word at this place announces.
pub(super) fn secret(text: &str, at: usize, end: usize) -> Option<(usize, usize)> {
    let word = &text[at..end];
    let is = |known: &str| known.eq_ignore_ascii_case(word);
    let rest = &text[end..];
    // `PASSWORD('x')` of SQL.
    if let Some(inner) = rest.strip_prefix('(') {
        let found = inner.starts_with(['\'', '"']) && names::spoken(word) == Some(Spoken::Password);
        return found.then(|| range(text, inner));
    }
    let after = rest
        .strip_prefix([' ', '\t'])?
        .trim_start_matches([' ', '\t']);
    if is_scheme(word) {
        return credentials(text, word, after);
    }
    if is("requirepass") || is("masterauth") {
        return (!after.is_empty()).then(|| range(text, after));
    }
    if is("identified") {
        // `IDENTIFIED BY 'x'`, `IDENTIFIED WITH plugin AS 'x'`.
        const NEAR: usize = 64;
        let quote = after
            .bytes()
            .take(NEAR)
            .position(|byte| matches!(byte, b'\'' | b'"'))?;
        let by = after[..quote].split_ascii_whitespace().next_back()?;
        return names::holds(&["by", "as", "password"], by).then(|| range(text, &after[quote..]));
    }
    if word == "AUTH" {
        let mechanism = ["PLAIN ", "LOGIN ", "XOAUTH2 "]
            .iter()
            .find_map(|known| after.strip_prefix(known))?;
        return Some(range(text, mechanism));
    }
    names::spoken(word.trim_end_matches(|c: char| c.is_ascii_digit()))?;
    spoken(text, at, word, after)
}

/// Returns whether the answer of [`secret`] for a word before a blank depends on no number of the text: the word
/// announces nothing, or is the name of a secret and letters follow that announce none.
pub(super) fn is_settled(text: &str, at: usize, end: usize) -> bool {
    const ANNOUNCING: &[&str] = &["requirepass", "masterauth", "identified", "auth"];
    const LEADING: &[&str] = &["set", "changed", "reset", "of"];
    let word = &text[at..end];
    if is_scheme(word) || names::holds(ANNOUNCING, word) {
        return false;
    }
    if names::spoken(text[at..end].trim_end_matches(|c: char| c.is_ascii_digit())).is_none() {
        return true;
    }
    let first = next_word(text[end..].trim_start_matches([' ', '\t']));
    // Whether that is within reach of [`before_is_login`] must not depend on the length of a number.
    let before = text[..at].split_ascii_whitespace().next_back();
    !first.is_empty()
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !names::holds(COPULAS, first)
        && !names::holds(LEADING, first)
        && !before.is_some_and(|word| word.bytes().any(|byte| byte.is_ascii_digit()))
}

/// Words before *key*, *code* or *pass* with which it is a secret.
const QUALIFIERS: &[&str] = &[
    "api",
    "access",
    "secret",
    "verification",
    "security",
    "auth",
    "login",
    "one-time",
];

/// Returns the value of a name within a sentence.
fn spoken(text: &str, at: usize, word: &str, after: &str) -> Option<(usize, usize)> {
    let password = names::spoken(word) == Some(Spoken::Password);
    let before = text[..at]
        .trim_end_matches(' ')
        .rsplit([' ', '(', '"', '\t'])
        .next()
        .unwrap_or_default();
    if names::holds(&["key", "code", "pass"], word) && !names::holds(QUALIFIERS, before) {
        return None;
    }
    let first = next_word(after);
    let number = first.trim_end_matches(['.', ',', ':', '!', ')']);
    if names::holds(&["otp", "pin", "passcode"], word) && is_code(number) {
        return evaluated(text, after, true);
    }
    if names::holds(COPULAS, first.trim_end_matches(':')) {
        let mut value = after[first.len()..].trim_start_matches([' ', ':']);
        // "is now x", "is set to x".
        while let Some(rest) = ["now ", "set to ", "changed to ", "reset to "]
            .iter()
            .find_map(|known| value.strip_prefix(known))
        {
            value = rest;
        }
        return evaluated(text, value, password);
    }
    // "password set to x".
    for known in [
        "set to ",
        "changed to ",
        "reset to ",
        "changed from ",
        "of ",
    ] {
        if let Some(value) = after.strip_prefix(known)
            && (value.starts_with(['\'', '"', '“', '«', '`'])
                || password && looks_secret(next_word(value)))
        {
            return evaluated(text, value, password);
        }
    }
    if password && value::quote(after).is_some() {
        return Some(range(text, after))
            .filter(|(from, to)| !names::holds(STATES, &text[*from..*to]));
    }
    if names::holds(BRINGING, before) || before_is_login(text, at) {
        return evaluated(text, after, password);
    }
    (password && looks_secret(first)).then(|| evaluated(text, after, true))?
}

/// Returns whether the text is `login me password x`, as of netrc: the word before the one before.
fn before_is_login(text: &str, at: usize) -> bool {
    const NEAR: usize = 96;
    let mut from = at.saturating_sub(NEAR);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let mut words = text[from..at].split_ascii_whitespace().rev();
    words.next().is_some()
        && words
            .next()
            .is_some_and(|word| names::holds(&["login", "user", "username"], word))
}

/// Returns the value, unless it is a word of state; of names that others use too it must look like one.
fn evaluated(text: &str, value: &str, password: bool) -> Option<(usize, usize)> {
    let (from, mut to) = range(text, value);
    let quoted = value::quote(value).is_some();
    if !quoted {
        to = from
            + text[from..to]
                .trim_end_matches(['.', ',', ':', '!', '?', ')'])
                .len();
    }
    let word = &text[from..to];
    let secret =
        !names::holds(STATES, word) && (password || quoted || looks_secret(word) || is_code(word));
    (secret && from < to).then_some((from, to))
}

/// Returns whether the text is `hunter22`: letters and digits, and nothing of an address, a path or a version.
fn looks_secret(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ',', ':', '!', '?', ')']);
    let has = |class: fn(char) -> bool| word.chars().any(class);
    word.len() >= 6
        && has(|c| c.is_ascii_digit())
        && has(char::is_alphabetic)
        && !word.contains(['.', '/', '@', ':', '=', '<', '(', '['])
        && !names::holds(STATES, word)
}

/// Returns a one-time code.
fn is_code(word: &str) -> bool {
    (4..=10).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns what follows a scheme, unless the sentence continues: "Basic authentication failed".
fn credentials(text: &str, scheme: &str, after: &str) -> Option<(usize, usize)> {
    let mut inner = after;
    // More than a few are a text made to take long.
    for _ in 0..4 {
        let word = next_word(inner);
        match inner[word.len()..].strip_prefix(' ') {
            Some(rest) if is_scheme(word) => inner = rest.trim_start_matches(' '),
            _ => break,
        }
    }
    let (from, to) = range(text, inner);
    let word = &text[from..to];
    if word.is_empty() || names::holds(STATES, word.trim_end_matches(['.', ':', '!'])) {
        return None;
    }
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some((from, to));
    }
    if scheme.eq_ignore_ascii_case("digest") {
        // `Digest username="u", response="…"`.
        let name = inner.bytes().take_while(u8::is_ascii_alphabetic).count();
        let parameter = name > 0 && inner[name..].starts_with('=');
        return parameter.then(|| (from, from + inner.find('\n').unwrap_or(inner.len())));
    }
    // Base64 has capitals within, or digits.
    let encoded = word.len() >= 8
        && word
            .bytes()
            .skip(1)
            .any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'=');
    encoded.then_some((from, to))
}

/// Returns the value of a name beyond ASCII within the run of letters from `at` to `end`, or after it.
pub(super) fn foreign(text: &str, at: usize, end: usize) -> Option<(usize, usize)> {
    const WITHIN: &[&str] = &["：", "＝", "是", "为", "為", "は"];
    let run = &text[at..end];
    let rest = &text[end..];
    let separated = rest.starts_with([':', '=', '"', '\'', ' ', '\\', '`', '&', '\t'])
        || WITHIN.iter().any(|separator| run.contains(separator));
    if !separated {
        return None;
    }
    let lower = run.to_lowercase();
    if lower.len() != run.len() {
        return None;
    }
    FOREIGN.iter().find_map(|name| {
        let behind = lower.find(name)? + name.len();
        let tail = &text[at + behind..];
        for separator in WITHIN {
            if let Some(value) = tail.strip_prefix(separator) {
                let value = value.trim_start_matches(' ');
                return evaluated(text, value, true);
            }
        }
        if let Some(separator) = value::separator(text, at + behind) {
            let found = value::value(text, separator.from, separator.encoded, usize::MAX);
            let content = text[found.from..found.to].trim_matches(['.', ',']);
            let state = separator.sentence && names::holds(STATES, content);
            let harmless = state || names::holds(names::LITERALS, content);
            return (!harmless && found.from < found.to).then_some((found.from, found.to));
        }
        let after = rest
            .strip_prefix(' ')
            .filter(|_| at + behind == end)?
            .trim_start_matches(' ');
        let first = next_word(after);
        names::holds(COPULAS, first)
            .then(|| evaluated(text, after[first.len()..].trim_start(), true))?
    })
}

fn next_word(text: &str) -> &str {
    text.split([' ', '\t', '\n']).next().unwrap_or_default()
}

/// Returns the value that `rest`, the end of `text`, begins with.
fn range(text: &str, rest: &str) -> (usize, usize) {
    let found = value::value(text, text.len() - rest.len(), false, usize::MAX);
    (found.from, found.to)
}
