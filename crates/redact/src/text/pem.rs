//! Private keys in PEM, within a text and over the lines of a log.

use std::borrow::Cow;

use crate::MARK;

/// How one begins.
pub(super) const BEGIN: &[u8] = BEGINNING.as_bytes();
const BEGINNING: &str = "-----BEGIN";
const END: &str = "-----END";
/// What the first line of a private key states.
const PRIVATE: &str = "PRIVATE KEY";
/// Lines of a key at most; 16384 bits in RSA have 200.
const MOST_LINES: u16 = 256;

/// Returns the body of the private key that begins here, its frame excepted.
pub(super) fn body(text: &str, at: usize) -> Option<(usize, usize)> {
    let from = head(&text[at..]).map(|head| at + head)?;
    let end = text[from..].find(END).map_or(text.len(), |end| from + end);
    Some((from, end))
}

/// Bytes of the first line of a private key.
fn head(text: &str) -> Option<usize> {
    const LINE: usize = 64;
    let line = text
        .bytes()
        .take(LINE)
        .take_while(|byte| byte.is_ascii_graphic() || *byte == b' ')
        .count();
    let private = text[..line].find(PRIVATE)? + PRIVATE.len();
    let dashes = text[private..line].find("-----")?;
    Some(private + dashes + 5)
}

/// Private keys over several lines of one stream, each of which is a separate event: what follows
/// a first line is taken out up to the last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pem {
    left: u16,
}

impl Pem {
    /// Does the same as [`Pem::line`], for a text that may have several.
    #[must_use]
    pub fn text<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        if self.left == 0 && !(has_dashes(text.as_bytes()) && text.contains(BEGINNING)) {
            return Cow::Borrowed(text);
        }
        if !text.contains('\n') {
            return self.line(text);
        }
        let mut lines: Vec<Cow<'_, str>> = Vec::new();
        lines.extend(text.split('\n').map(|line| self.line(line)));
        Cow::Owned(lines.join("\n"))
    }

    /// Returns the line without what it holds of a key's body.
    #[must_use]
    pub fn line<'a>(&mut self, line: &'a str) -> Cow<'a, str> {
        if self.left > 0 {
            self.left -= 1;
            if line.contains(END) {
                self.left = 0;
                return Cow::Borrowed(line);
            }
            let trimmed = line.trim_end();
            let from = trimmed
                .rfind(|c: char| !is_base64(c))
                .map_or(0, |at| at + 1);
            // The last line of a body may be short; other processes may write in between.
            if trimmed.len() > from
                && !trimmed[..from]
                    .ends_with(|c: char| !c.is_whitespace() && !c.is_ascii_punctuation())
                && looks_encoded(&trimmed[from..])
            {
                return Cow::Owned([&trimmed[..from], MARK].concat());
            }
            return Cow::Borrowed(line);
        }
        if let Some(at) = line.find(BEGINNING)
            && head(&line[at..]).is_some()
            && !line[at..].contains(END)
        {
            self.left = MOST_LINES;
        }
        Cow::Borrowed(line)
    }
}

/// Returns whether there are two dashes side by side, as in few lines; without a branch per byte.
fn has_dashes(bytes: &[u8]) -> bool {
    let pairs = bytes.iter().zip(bytes.get(1..).unwrap_or_default());
    pairs.fold(false, |found, (one, next)| {
        found | ((*one == b'-') & (*next == b'-'))
    })
}

const fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')
}

/// Returns whether a word may be a line of base64: as long as most of them, or not a word of a sentence.
fn looks_encoded(word: &str) -> bool {
    let letter = word.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    word.len() >= 60
        || word.ends_with('=')
        || word.contains(['+', '/'])
        || word.bytes().any(|byte| byte.is_ascii_digit())
        || letter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_of_a_key_goes_line_by_line() {
        let lines = [
            ("key:", "key:"),
            (
                "-----BEGIN RSA PRIVATE KEY-----",
                "-----BEGIN RSA PRIVATE KEY-----",
            ),
            (
                "MIIEpAIBAAKCAQEA7bq8XoWx9Zq3u5y1v2w3x4y5z6A7B8C9D0E1F2G3H4I5J6K7",
                "…",
            ),
            (
                "2026-11-29 06:59:48 INFO MIIEpAIBAAKCAQEA7bq8",
                "2026-11-29 06:59:48 INFO …",
            ),
            ("another process says hello", "another process says hello"),
            ("q1w2==", "…"),
            (
                "-----END RSA PRIVATE KEY-----",
                "-----END RSA PRIVATE KEY-----",
            ),
            ("q1w2==", "q1w2=="),
            ("-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----"),
            ("q1w2==", "q1w2=="),
        ];
        let mut pem = Pem::default();
        for (line, expected) in lines {
            assert_eq!(pem.line(line), expected);
        }
        let text = lines.map(|(line, _)| line).join("\n");
        let expected = lines.map(|(_, expected)| expected).join("\n");
        assert_eq!(Pem::default().text(&text), expected);
    }
}
