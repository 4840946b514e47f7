//! A word of a sequence, the hash of a sequence, and its text: the template.
//!
//! A template is its tokens as text, and [`split`] returns the same tokens for it. So what the
//! database holds is enough to continue after a restart. Blanks separate words and are otherwise not
//! part of a sequence: `id=5` and `id = 5` are equal, and the template shows those of the first.

use super::sequence::Sequence;
use super::{shape, words};

/// Stands for what is masked.
pub(super) const WILD: &str = "<*>";

pub(super) const BLANK: u8 = 1;
pub(super) const BREAK: u8 = 2;
pub(super) const DIGIT: u8 = 4;
pub(super) const LETTER: u8 = 8;
pub(super) const DOT: u8 = 16;
pub(super) const SLASH: u8 = 32;
/// `@`, `*`, `\` and bytes beyond ASCII: a word with one of them is examined more closely.
pub(super) const RARE: u8 = 64;

pub(super) const CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            0..=b' ' | 127 => BLANK,
            b'=' | b',' | b';' | b':' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'"' | b'\''
            | b'|' | b'#' | b'<' | b'>' | b'`' => BREAK,
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            b'.' => DOT,
            b'/' => SLASH,
            b'@' | b'*' | b'\\' | 128.. => RARE,
            _ => 0,
        };
        byte += 1;
    }
    table
}

/// What a token is to the grouping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word: its place may open when many others are seen there.
    Word,
    /// A separator, a sign, a method, a code that is kept: its place never opens.
    Fixed,
    /// Masked.
    Wild,
}

impl Kind {
    /// Returns the kind of a word that is not masked.
    pub(super) fn of(word: &[u8], seen: u8) -> Self {
        let letters = seen & LETTER != 0 || word.iter().any(|byte| *byte >= 128);
        let number = seen & DIGIT != 0 && !shape::is_kind(word);
        if letters && !number && !words::is_method(word) {
            Self::Word
        } else {
            Self::Fixed
        }
    }
}

/// A word of a sequence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Whether a blank is before it in the template.
    pub(super) gap: bool,
    start: u32,
    end: u32,
    /// Of the text, or of [`WILD`].
    pub(super) hash: u64,
}

impl Token {
    /// Returns the token of these bytes of a text.
    pub(super) fn new(kind: Kind, gap: bool, (start, end): (usize, usize), text: &[u8]) -> Self {
        let hash = if kind == Kind::Wild {
            WILD_HASH
        } else {
            hash(&text[start..end])
        };
        // A message has at most 4096 characters.
        let (start, end) = (start as u32, end as u32);
        Self {
            kind,
            gap,
            start,
            end,
            hash,
        }
    }

    /// Returns whether it is one of these separators.
    pub(super) fn is(&self, separators: &[u8], text: &[u8]) -> bool {
        self.kind == Kind::Fixed
            && self.end == self.start + 1
            && separators.contains(&text[self.start as usize])
    }

    /// Returns the word as it is in `text`.
    pub(super) fn bytes<'a>(&self, text: &'a str) -> &'a [u8] {
        self.bytes_of(text.as_bytes())
    }

    /// Returns the word as it is in the bytes of a text.
    pub(super) fn bytes_of<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        &text[self.start as usize..self.end as usize]
    }

    /// Returns where it is.
    pub(super) fn span(&self) -> (usize, usize) {
        (self.start as usize, self.end as usize)
    }

    /// Returns what the token adds to the hash of its sequence when it is at `place`.
    pub(super) fn part(&self, place: usize) -> u64 {
        part(self.hash, place)
    }

    /// Returns the token with its text masked.
    pub(super) fn opened(self) -> Self {
        Self {
            kind: Kind::Wild,
            hash: WILD_HASH,
            ..self
        }
    }
}

/// Hash of a masked token; no word is likely to have it.
pub(super) const WILD_HASH: u64 = 0x2a2a_2a2a_2a2a_2a2a;

/// Returns what a word with this hash adds to the hash of its sequence. The sum of the parts is the
/// hash of a sequence, so that a sequence with one place open is one subtraction and one addition
/// away.
pub(super) fn part(hash: u64, place: usize) -> u64 {
    let turned = hash.rotate_left(29) ^ (place as u64 * 2 + 1).wrapping_mul(SEED);
    (turned ^ (turned >> 32)).wrapping_mul(0x9fb2_1c65_1e98_df25)
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hashes a word: eight bytes at a time, the last eight once more when its length is not a multiple
/// of eight.
fn hash(bytes: &[u8]) -> u64 {
    let mut state = bytes.len() as u64 ^ SEED;
    let mut rest = bytes;
    while let Some((chunk, more)) = rest.split_first_chunk::<8>() {
        state = mixed(state ^ u64::from_le_bytes(*chunk));
        rest = more;
    }
    let last = match (bytes.last_chunk::<8>(), rest.len()) {
        (_, 0) => return state ^ (state >> 29),
        (Some(chunk), _) => u64::from_le_bytes(*chunk),
        (None, length) => match (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
            (Some(first), Some(last)) => {
                u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
            }
            _ => {
                u64::from(rest[0])
                    | u64::from(rest[length / 2]) << 8
                    | u64::from(rest[length - 1]) << 16
            }
        },
    };
    state = mixed(state ^ last);
    state ^ (state >> 29)
}

fn mixed(state: u64) -> u64 {
    let state = state.wrapping_mul(SEED);
    state ^ (state >> 32)
}

/// Returns the hash of a sequence.
pub(super) fn sum(tokens: &[Token]) -> u64 {
    tokens
        .iter()
        .enumerate()
        .fold(0, |sum, (place, token)| sum.wrapping_add(token.part(place)))
}

/// Returns the sequence as text: its template.
pub(super) fn render(tokens: &[Token], text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (place, token) in tokens.iter().enumerate() {
        if token.gap && place > 0 {
            out.push(' ');
        }
        if token.kind == Kind::Wild {
            out.push_str(WILD);
        } else {
            // Tokens begin and end at ASCII bytes or at the ends of characters.
            out.push_str(
                text.get(token.start as usize..token.end as usize)
                    .unwrap_or(WILD),
            );
        }
    }
    out
}

/// Returns all classes of a word.
pub(super) fn classes_of(word: &[u8]) -> u8 {
    word.iter()
        .fold(0, |seen, byte| seen | CLASS[usize::from(*byte)])
}

/// Returns where a word with a run of dots ends: `Loading...`, `threshold.....7`. The run is a word,
/// too; a path `../x` is not cut.
pub(super) fn leader(word: &[u8]) -> Option<usize> {
    let dots = word.windows(2).position(|pair| pair == b"..")?;
    if dots > 0 {
        return (word[dots - 1] != b'/').then_some(dots);
    }
    let length = word.iter().take_while(|byte| **byte == b'.').count();
    (length < word.len() && word[length] != b'/').then_some(length)
}

/// Splits a template into its tokens.
pub(super) fn split(template: &str, tokens: &mut Vec<Token>) {
    let bytes = template.as_bytes();
    let mut sequence = Sequence::new(tokens, bytes);
    let (mut at, mut gap) = (0, false);
    while at < bytes.len() {
        let start = at;
        let class = CLASS[usize::from(bytes[at])];
        if class & BLANK != 0 {
            (at, gap) = (at + 1, true);
            continue;
        }
        let mut kind = Kind::Fixed;
        if bytes[at..].starts_with(WILD.as_bytes()) {
            at += WILD.len();
            kind = Kind::Wild;
        } else if class & BREAK != 0 {
            at += 1;
        } else {
            let mut seen = 0;
            while at < bytes.len() {
                let class = CLASS[usize::from(bytes[at])];
                if class & (BLANK | BREAK) != 0 {
                    break;
                }
                seen |= class;
                at += 1;
            }
            if seen & DOT != 0
                && let Some(length) = leader(&bytes[start..at])
            {
                at = start + length;
                seen = classes_of(&bytes[start..at]);
            }
            let word = &bytes[start..at];
            let key = seen & DIGIT != 0 && bytes.get(at) == Some(&b'=');
            kind = if key && shape::is_key(word) {
                Kind::Word
            } else {
                Kind::of(word, seen)
            };
        }
        sequence.push(kind, std::mem::take(&mut gap), (start, at));
    }
}
