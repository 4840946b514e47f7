//! Turns untrusted bytes into text that may be stored and shown.
//!
//! What PostgreSQL cannot hold (bytes that are not UTF-8, NUL) and what a terminal would obey (escape
//! sequences) goes; everything else stays as it was written, markup and right-to-left marks
//! included: those are harmless as data, and inert where text is shown as text.

use std::borrow::Cow;

/// What had to be changed on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Held bytes that are not UTF-8; each bad sequence became U+FFFD.
    pub(crate) bytes: bool,
    /// Held NUL; each became U+2400.
    pub(crate) nul: bool,
}

/// Returns the line as text: without a carriage return at its end, without terminal sequences.
pub(crate) fn line(bytes: &[u8]) -> (Cow<'_, str>, Changes) {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let mut changes = Changes::default();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            changes.bytes = true;
            Cow::Owned(String::from_utf8_lossy(bytes).into_owned())
        }
    };
    // One look decides for nearly all lines. C2 begins the 8-bit forms of the sequences.
    if is_plain(bytes) || memchr::memchr3(0, 0x1b, 0xc2, bytes).is_none() {
        return (text, changes);
    }
    changes.nul = text.contains('\0');
    let clean = match text {
        Cow::Borrowed(text) => self::text(text),
        Cow::Owned(text) => Cow::Owned(self::text(&text).into_owned()),
    };
    (clean, changes)
}

/// Returns whether all bytes are printable ones of ASCII; without a branch per byte.
fn is_plain(bytes: &[u8]) -> bool {
    let all = |plain, byte: &u8| plain & matches!(byte, b' '..=b'~');
    bytes.iter().fold(true, all)
}

/// Returns the text without NUL and terminal sequences; borrowed when it has none.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if is_plain(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(found) = next(text, at) {
        let end = if text.as_bytes()[found] == 0 {
            found + 1
        } else {
            sequence(text, found)
        };
        // The second byte of a character whose first is C2 may be anything.
        if end == found {
            at = found + 2;
            continue;
        }
        if out.capacity() == 0 {
            out.reserve(text.len());
        }
        out.push_str(&text[kept..found]);
        if text.as_bytes()[found] == 0 {
            out.push('\u{2400}');
        }
        (kept, at) = (end, end);
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}

fn next(text: &str, at: usize) -> Option<usize> {
    let rest = text.as_bytes().get(at..)?;
    memchr::memchr3(0, 0x1b, 0xc2, rest).map(|found| at + found)
}

/// Returns where the terminal sequence that begins here ends; its beginning if none does.
///
/// ECMA-48: CSI is followed by parameters (30-3F), intermediates (20-2F) and one final byte (40-7E);
/// OSC, DCS, SOS, PM and APC run to BEL or ST. A string that nothing ends is taken to the line's end.
fn sequence(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let (kind, body) = match (bytes[at], bytes.get(at + 1)) {
        (0x1b, Some(&kind)) => (kind, at + 2),
        (0x1b, None) => return at + 1,
        // 8-bit forms: U+0080 to U+009F stand for ESC and a byte 64 lower.
        (0xc2, Some(&kind @ 0x80..=0x9f)) => (kind - 0x40, at + 2),
        _ => return at,
    };
    match kind {
        b'[' => {
            let rest = &bytes[body..];
            let end = rest
                .iter()
                .position(|byte| !(0x20..=0x3f).contains(byte))
                .unwrap_or(rest.len());
            let finished = rest
                .get(end)
                .is_some_and(|byte| (0x40..=0x7e).contains(byte));
            body + end + usize::from(finished)
        }
        b']' | b'P' | b'X' | b'^' | b'_' => string_end(text, body),
        // ESC, intermediates, one final byte; a lone ESC before anything else goes alone.
        0x20..=0x2f => {
            let rest = &bytes[body..];
            let end = rest
                .iter()
                .position(|byte| !(0x20..=0x2f).contains(byte))
                .unwrap_or(rest.len());
            let finished = rest
                .get(end)
                .is_some_and(|byte| (0x30..=0x7e).contains(byte));
            body + end + usize::from(finished)
        }
        0x30..=0x7e => body,
        _ => at + 1,
    }
}

fn string_end(text: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(found) = memchr::memchr3(0x07, 0x1b, 0xc2, &text.as_bytes()[at..]) {
        let here = at + found;
        match &text.as_bytes()[here..] {
            [0x07, ..] => return here + 1,
            [0x1b, b'\\', ..] | [0xc2, 0x9c, ..] => return here + 2,
            // Another sequence begins: the string was broken off.
            [0x1b, ..] => return here,
            _ => at = here + 2,
        }
    }
    text.len()
}

/// Returns the text cut to so many characters, and its true number of them where it was longer.
pub(crate) fn cut(text: &mut String, most: usize) -> Option<u32> {
    if text.len() <= most {
        return None;
    }
    let (end, _) = text.char_indices().nth(most)?;
    let rest = text[end..].chars().count();
    text.truncate(end);
    Some(u32::try_from(most + rest).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_text_and_inert() {
        let cases: &[(&[u8], &str)] = &[
            (b"plain", "plain"),
            (b"carriage return\r", "carriage return"),
            (b"lone \r stays", "lone \r stays"),
            (b"two\r\r", "two\r"),
            (b"bad \xff\xfe bytes", "bad \u{fffd}\u{fffd} bytes"),
            (b"overlong \xc0\x80", "overlong \u{fffd}\u{fffd}"),
            (
                b"surrogate \xed\xa0\x80",
                "surrogate \u{fffd}\u{fffd}\u{fffd}",
            ),
            (b"n\0l", "n\u{2400}l"),
            (b"\x1b[32m INFO\x1b[0m done", " INFO done"),
            (b"\x1b[38;5;196mred\x1b[m", "red"),
            (b"\x1b[2J\x1b[1;1Htop", "top"),
            (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
            (b"\x1b]0;title\x07text", "text"),
            (b"\x1b(Btext\x1b=", "text"),
            (b"\x1b]never ended", ""),
            (b"\x1b[31", ""),
            (b"tail \x1b", "tail "),
            ("8-bit \u{9b}31mred".as_bytes(), "8-bit red"),
            ("caf\u{e9} \u{a9}".as_bytes(), "caf\u{e9} \u{a9}"),
            ("\u{202e}<script>".as_bytes(), "\u{202e}<script>"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(line(bytes).0, *expected, "{bytes:?}");
        }
    }

    #[test]
    fn changes_are_reported() {
        assert_eq!(line(b"a").1, Changes::default());
        assert!(line(b"\xff").1.bytes);
        assert!(line(b"\0").1.nul);
    }

    #[test]
    fn a_text_is_cut_at_characters() {
        let mut text = "äöü".to_owned();
        assert_eq!(cut(&mut text, 3), None);
        assert_eq!(cut(&mut text, 2), Some(3));
        assert_eq!(text, "äö");
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x1b), Just(0xc2), Just(b'['), Just(b']')], 0..60)) {
            let (text, _) = line(&bytes);
            let kept = text.contains(['\0', '\x1b']);
            prop_assert!(!kept);
            prop_assert_eq!(super::text(&text), text.clone(), "again");
        }
    }
}
