//! The encoding of a stream: UTF-8, or UTF-16 in either order of bytes.
//!
//! A source cuts lines at every byte 0A. In UTF-16 a line break is that byte and a zero beside it, and 0A is
//! also half of other characters (`上` is U+4E0A). So a line of UTF-16 is put together here from what the
//! source gives: the offset of its first byte states which byte is which half, as the characters of a file
//! begin at even offsets. Positions stay those of the source's lines.
//!
//! UTF-16 is known by the mark at the beginning of a file, or, where reading continues in the middle of
//! one, by zeros at every other byte: each letter, digit and blank of ASCII has one.

/// How characters are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    #[default]
    Utf8,
    Utf16Le,
    Utf16Be,
}

/// Bytes of a line in which zeros are searched for.
const LOOK: usize = 256;

/// The mark of UTF-8, which has no meaning but is written by some editors and programs.
pub(crate) const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

impl Encoding {
    /// Returns the encoding of a line that begins at an offset, when the line before was in this one.
    pub(crate) fn of_line(self, at: u64, bytes: &[u8]) -> Self {
        let is_even = at.is_multiple_of(2);
        match bytes {
            [0xff, 0xfe, ..] if at == 0 => return Self::Utf16Le,
            [0xfe, 0xff, ..] if at == 0 => return Self::Utf16Be,
            _ if at == 0 => {}
            // No zero near its beginning: most lines are settled here.
            [first, second, ..] if self == Self::Utf8 && *first != 0 && *second != 0 => {
                return self;
            }
            _ => {}
        }
        let look = &bytes[..bytes.len().min(LOOK)];
        let (mut even, mut odd) = (0, 0);
        for (place, byte) in look.iter().enumerate() {
            if *byte == 0 {
                if (place % 2 == 0) == is_even {
                    even += 1;
                } else {
                    odd += 1;
                }
            }
        }
        // A quarter of the characters at least are of ASCII: those of the time alone are twenty.
        let enough = look.len() / 8;
        match (even, odd) {
            (0, odd) if odd > enough && odd >= 2 => Self::Utf16Le,
            (even, 0) if even > enough && even >= 2 => Self::Utf16Be,
            // Too short to say, or without a letter of ASCII: as before, unless it is plain text.
            _ if self != Self::Utf8 && !(even + odd == 0 && looks_plain(look)) => self,
            _ => Self::Utf8,
        }
    }

    /// Returns whether what the source gives as a line is whole: what it was cut at was a line break. `next` is the
    /// first byte that follows the break, if it is known.
    pub(crate) fn is_break(self, at: u64, bytes: &[u8], next: Option<u8>) -> bool {
        // Where the byte 0A stood.
        let is_even = (at + bytes.len() as u64).is_multiple_of(2);
        match self {
            Self::Utf8 => true,
            Self::Utf16Be => !is_even && (bytes.is_empty() || bytes.ends_with(&[0])),
            Self::Utf16Le => is_even && next.is_none_or(|next| next == 0),
        }
    }

    /// Returns the text of a line that begins at an offset, without the halves of its line breaks and
    /// without the mark of its order.
    pub(crate) fn decode(self, at: u64, bytes: &[u8]) -> String {
        let bytes = if !at.is_multiple_of(2) {
            // The second half of the break before.
            bytes.get(1..).unwrap_or_default()
        } else {
            bytes
        };
        let units = bytes.chunks_exact(2).map(|pair| match self {
            Self::Utf16Be => u16::from_be_bytes([pair[0], pair[1]]),
            _ => u16::from_le_bytes([pair[0], pair[1]]),
        });
        let text: String = char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        match text.strip_prefix('\u{feff}') {
            Some(text) => text.to_owned(),
            None => text,
        }
    }
}

/// Returns whether bytes are a text of UTF-8 without control characters, long enough not to be so by chance.
fn looks_plain(bytes: &[u8]) -> bool {
    let bytes = match std::str::from_utf8(bytes) {
        Ok(_) => bytes,
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        Err(_) => return false,
    };
    bytes.len() >= 8 && bytes.iter().all(|byte| *byte >= 0x20 || *byte == b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, encoding: Encoding) -> Vec<u8> {
        let units = text.encode_utf16();
        units
            .flat_map(|unit| match encoding {
                Encoding::Utf16Be => unit.to_be_bytes(),
                _ => unit.to_le_bytes(),
            })
            .collect()
    }

    #[test]
    fn an_encoding_is_known_by_mark_or_zeros() {
        use Encoding::{Utf8, Utf16Be, Utf16Le};
        let line = "2026-11-29 06:42:01 \u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}";
        let le = utf16(line, Utf16Le);
        let be = utf16(line, Utf16Be);
        let cases: &[(Encoding, u64, &[u8], Encoding)] = &[
            (Utf8, 0, b"\xff\xfea\0", Utf16Le),
            (Utf8, 0, b"\xfe\xff\0a", Utf16Be),
            (Utf8, 0, &le, Utf16Le),
            (Utf8, 0, &be, Utf16Be),
            (Utf8, 100, &le, Utf16Le),
            (Utf8, 100, &be, Utf16Be),
            (Utf8, 0, b"plain text", Utf8),
            (Utf8, 100, b"plain text", Utf8),
            (Utf8, 100, b"one \0 zero", Utf8),
            (Utf8, 100, b"\0\0\0\0\0\0\0\0", Utf8),
            (Utf16Le, 100, b"\x3f\x04\x40\x04", Utf16Le),
            (Utf16Le, 101, b"\0", Utf16Le),
            (Utf16Le, 0, b"plain text again", Utf8),
            (Utf16Be, 100, b"plain text again", Utf8),
            (Utf8, 0, b"", Utf8),
        ];
        for (before, at, bytes, expected) in cases {
            assert_eq!(
                before.of_line(*at, bytes),
                *expected,
                "{before:?} {at} {bytes:?}"
            );
        }
        // Behind the other half of a line break.
        let behind = [&[0][..], &le].concat();
        assert_eq!(Utf8.of_line(101, &behind), Utf16Le);
    }

    #[test]
    fn lines_are_put_together_and_decoded() {
        for encoding in [Encoding::Utf16Le, Encoding::Utf16Be] {
            let text = "\u{feff}one\r\nup \u{4e0a}\u{0a15} \u{1f600}\n\nlast";
            let bytes = utf16(text, encoding);
            let (mut lines, mut held, mut at): (Vec<String>, Vec<u8>, u64) =
                (Vec::new(), Vec::new(), 0);
            let pieces: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
            let mut offset = 0;
            for (place, piece) in pieces.iter().enumerate() {
                held.extend_from_slice(piece);
                let next = pieces.get(place + 1).and_then(|next| next.first()).copied();
                offset += piece.len() as u64 + 1;
                if place + 1 == pieces.len() || encoding.is_break(at, &held, next) {
                    lines.push(encoding.decode(at, &held));
                    held.clear();
                    at = offset;
                } else {
                    held.push(b'\n');
                }
            }
            assert_eq!(
                lines,
                ["one\r", "up \u{4e0a}\u{0a15} \u{1f600}", "", "last"],
                "{encoding:?}"
            );
        }
    }
}
