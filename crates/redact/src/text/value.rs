//! From a name to its value: what may be between them, and where the value ends.

use super::names::{self, HARMLESS, LITERALS, STATES, Strength};

/// Blanks that may be around a separator.
const BLANKS: usize = 8;
/// Bytes of a value that show whether it is a secret.
pub(super) const SHOWN: usize = 512;
/// Letters of what may be before a quote: `Some("x")`, `b'x'`, `string(7) "x"`.
const WRAPPER: usize = 24;

/// What may open or close a value, and what closes it. Backslashes before the first two are those of
/// JSON within a string.
const QUOTES: &[(&str, &str)] = &[
    ("\"", "\""),
    ("'", "'"),
    ("`", "`"),
    ("&quot;", "&quot;"),
    ("&#34;", "&#34;"),
    ("&#39;", "&#39;"),
    ("&apos;", "&apos;"),
    ("%22", "%22"),
    ("%27", "%27"),
    ("%2522", "%2522"),
    ("\\u0022", "\\u0022"),
    ("“", "”"),
    ("”", "”"),
    ("„", "“"),
    ("«", "»"),
    ("»", "«"),
    ("‘", "’"),
    ("’", "’"),
    ("「", "」"),
    ("」", "」"),
];

/// What is between a name and its value; the longer before the shorter.
const SEPARATORS: &[&str] = &[
    "=>", ":=", "==", "=", "%253D", "%253d", "%3D", "%3d", "%253A", "%253a", "%3A", "%3a",
    "\\u003d", "\\u003a", "&#61;", "&#x3D;", ":", "：", "＝",
];

/// A name's separator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Separator {
    /// Where the value begins.
    pub(super) from: usize,
    /// A colon, with a blank after it: a sentence has it too.
    pub(super) sentence: bool,
    /// The name is in quotes, so that this is data.
    pub(super) data: bool,
    /// Of a query string in which everything is percent-encoded.
    pub(super) encoded: bool,
    /// Behind a colon of any kind.
    pub(super) colon: bool,
}

/// Returns the separator after a name that ends here.
pub(super) fn separator(text: &str, end: usize) -> Option<Separator> {
    between(text, end).or_else(|| {
        // `"name": "DB_PASSWORD", "value": "x"`, `<add key="password" value="x"/>`.
        let (_, _, mut rest) = quote(&text[end..])?;
        rest = rest.trim_start_matches([' ', ',', '\t']);
        rest = quote(rest).map_or(rest, |(_, _, rest)| rest);
        let word = ["value", "Value", "val"]
            .iter()
            .find_map(|word| rest.strip_prefix(word))?;
        let found = between(text, text.len() - word.len())?;
        Some(Separator {
            data: true,
            ..found
        })
    })
}

fn between(text: &str, end: usize) -> Option<Separator> {
    let mut rest = &text[end..];
    let mut data = false;
    if let Some((_, _, after)) = quote(rest) {
        (rest, data) = (after, true);
        rest = rest.strip_prefix(']').unwrap_or(rest);
    }
    let rest = blanks(rest);
    let separator = SEPARATORS
        .iter()
        .find(|separator| rest.starts_with(**separator))?;
    let after = &rest[separator.len()..];
    // A path of a language (`auth::token`), the scheme of an address.
    if *separator == ":" && (after.starts_with(':') || after.starts_with("//")) {
        return None;
    }
    let value = blanks(after);
    let colon = separator.starts_with([':', '：']) && *separator != ":=";
    let from = text.len() - value.len();
    Some(Separator {
        from: from + wrapper(value),
        sentence: colon && !data && (value.len() < after.len() || !separator.is_ascii()),
        data,
        encoded: separator.starts_with('%'),
        colon,
    })
}

fn blanks(text: &str) -> &str {
    let count = text
        .bytes()
        .take(BLANKS)
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    &text[count..]
}

/// Bytes of what is before a quoted value: `b`, `Some(`, `string(7) `.
fn wrapper(text: &str) -> usize {
    let name = text
        .bytes()
        .take(WRAPPER)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'@'))
        .count();
    let rest = &text[name..];
    if (name == 1 || rest.starts_with('(')) && name > 0 {
        let inner = rest.strip_prefix('(').unwrap_or(rest);
        if inner.starts_with(['"', '\'']) {
            return text.len() - inner.len();
        }
        let digits = inner.trim_start_matches(|c: char| c.is_ascii_digit());
        if let Some(quoted) = digits
            .strip_prefix(") ")
            .filter(|rest| rest.starts_with('"'))
        {
            return text.len() - quoted.len();
        }
    }
    0
}

/// Returns the opening quote that the text begins with: backslashes before it, what closes it, what follows.
pub(super) fn quote(text: &str) -> Option<(usize, &'static str, &str)> {
    // No quote begins so.
    if matches!(
        text.as_bytes().first(),
        Some(b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b' ')
    ) {
        return None;
    }
    let slashes = text
        .bytes()
        .take(BLANKS)
        .take_while(|byte| *byte == b'\\')
        .count();
    let bare = &text[slashes..];
    if slashes > 0 && bare.starts_with(['"', '\'']) {
        let close = if bare.starts_with('"') { "\"" } else { "'" };
        return Some((slashes, close, &bare[1..]));
    }
    QUOTES
        .iter()
        .find_map(|(open, close)| Some((0, *close, text.strip_prefix(open)?)))
}

/// A value: where it is, and whether it is in quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) quoted: bool,
}

/// Returns the value that begins here: within its quotes, or up to what ends a word of a line; of one that is
/// longer than `most` its beginning.
pub(super) fn value(text: &str, from: usize, encoded: bool, most: usize) -> Value {
    let mut end = from.saturating_add(most).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let rest = &text[from..end];
    if let Some((slashes, close, inner)) = quote(rest) {
        let from = from + rest.len() - inner.len();
        let to = from + closing(inner, slashes, close);
        return Value {
            from,
            to,
            quoted: true,
        };
    }
    // A list of them: `["a", "b"]`.
    if rest.starts_with('[') && rest[1..].starts_with(['"', '\'', ' ', '…']) {
        let end = rest.find(']').unwrap_or(rest.len());
        return Value {
            from: from + 1,
            to: from + end,
            quoted: true,
        };
    }
    // What is within an object has its own names.
    if rest.starts_with('{') && rest[1..].starts_with(['"', '\'', ' ', '\\', '}', '\n']) {
        return Value {
            from,
            to: from,
            quoted: false,
        };
    }
    Value {
        from,
        to: from + bare(rest, encoded),
        quoted: false,
    }
}

/// Bytes up to the quote that closes a value.
fn closing(text: &str, slashes: usize, close: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = text[at..].find(close) {
        let end = at + found;
        let before = bytes[..end]
            .iter()
            .rev()
            .take_while(|byte| **byte == b'\\')
            .count();
        let closes = if slashes == 0 {
            before % 2 == 0 || close.len() > 1
        } else {
            before <= slashes
        };
        if closes {
            return end - if slashes == 0 { 0 } else { before };
        }
        at = end + close.len();
    }
    text.len()
}

/// Bytes of a value without quotes.
fn bare(text: &str, encoded: bool) -> usize {
    let bytes = text.as_bytes();
    for (at, c) in text.char_indices() {
        let ends = match c {
            ',' | ';' | '&' | '"' | '\'' | '`' | ')' | '}' | ']' | '<' | '>' | '，' | '。'
            | '；' | '、' | '」' => true,
            '\\' => bytes
                .get(at + 1)
                .is_some_and(|next| b"\\\"'nrtu".contains(next)),
            '%' if encoded => {
                let code = text.get(at + 1..at + 3).unwrap_or_default();
                ["26", "22", "27", "2C", "2c", "7D", "7d", "20", "3B", "3b"].contains(&code)
            }
            c => c.is_whitespace(),
        };
        if ends {
            return at;
        }
    }
    text.len()
}

/// The last part of a name, and whether that is all of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    pub(super) part: &'a str,
    pub(super) whole: bool,
}

/// Returns whether a value of this name is a secret.
pub(super) fn is_secret(
    text: &str,
    name: Name<'_>,
    strength: Strength,
    separator: Separator,
    value: Value,
) -> bool {
    let content = &text[value.from..value.to];
    let core = content.trim_matches(|c: char| {
        matches!(
            c,
            '.' | ',' | ':' | '!' | '?' | '(' | ')' | '[' | ']' | '<' | '>' | '*'
        )
    });
    if core.is_empty() || names::holds(LITERALS, core) {
        return false;
    }
    let digits = core.bytes().all(|byte| byte.is_ascii_digit());
    let prose = separator.sentence && !value.quoted;
    if prose && names::holds(STATES, core) {
        return false;
    }
    let is = |names: &[&str]| {
        names
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name.part))
    };
    match strength {
        // A count, not a token.
        Strength::Strong => {
            !(digits
                && core.len() <= 5
                && is(&[
                    "token",
                    "cookie",
                    "signature",
                    "secret",
                    "credential",
                    "credentials",
                ]))
        }
        Strength::Loose => is_random(core, is(&["key", "code"])),
        Strength::Weak if names::holds(HARMLESS, core) => false,
        Strength::Weak if is(&["pin"]) => digits && core.len() >= 4,
        Strength::Weak if is(&["tan"]) => digits && core.len() >= 5,
        Strength::Weak if is(&["otp", "totp"]) => {
            core.len() >= 4 && core.bytes().any(|byte| byte.is_ascii_digit())
        }
        Strength::Weak if digits && (core.len() <= 2 || counts(text, value)) => false,
        // `auth: timeout` is a message, `smtp_auth: x` and `pass: x` are settings.
        Strength::Weak if prose => {
            let rejected = name.whole && is(&["auth"]);
            (!rejected && ends_line(text, value.to))
                || core
                    .bytes()
                    .any(|byte| byte.is_ascii_digit() || b"!@#$%^&*+~".contains(&byte))
        }
        Strength::Weak => true,
    }
}

/// Returns whether a number is a result of tests beside others: `pass=3 fail=0`.
fn counts(text: &str, value: Value) -> bool {
    const NEAR: usize = 48;
    let bytes = text.as_bytes();
    let near = &bytes[value.from.saturating_sub(NEAR)..(value.to + NEAR).min(bytes.len())];
    near.windows(4)
        .any(|word| word.eq_ignore_ascii_case(b"fail") || word.eq_ignore_ascii_case(b"skip"))
}

fn ends_line(text: &str, at: usize) -> bool {
    matches!(
        text.as_bytes().get(at),
        None | Some(b'\n' | b'\r' | b',' | b';' | b'}' | b'"' | b'\'')
    )
}

/// Returns whether a word looks drawn at random. A name that others use a lot asks for more.
pub(super) fn is_random(word: &str, doubtful: bool) -> bool {
    let has = |class: fn(&u8) -> bool| word.bytes().any(|byte| class(&byte));
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let all = word
        .bytes()
        .all(|byte| letters(byte) || (!doubtful && b"+/=.~%:".contains(&byte)));
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    // Of a UUID's length or longer; one itself is a name.
    let uuid = word.len() == 36 && word.bytes().filter(|byte| *byte == b'-').count() == 4;
    all && word.len() >= 16
        // Security identifiers of Windows are public.
        && !word.starts_with("S-1-")
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && (!doubtful || ((mixed || word.len() >= 32) && !uuid))
}
