//! Messages that differ in their numbers only, recognised in one pass over the bytes.
//!
//! A *skeleton* is a message with each number that is by itself replaced by one sign: digits and single dots
//! between signs that end a word for every reader of messages (`port 50122 ssh2`, `uid=0`, `[612]`, `from
//! 192.0.2.7 port`). Numbers beside other signs (`a:5`, `root55`, `pts/3`) stay. What such a number is decides
//! neither whether a message holds a secret, unless a word is there that looks like the name of one, nor what its
//! masked form is, unless a word is there after which some numbers are kept. So both are asked once for a
//! skeleton, and remembered by its hash.
//!
//! The hash has a random seed per process, so that a message cannot be crafted to collide with another.

use std::hash::{BuildHasher, Hasher};
use std::num::NonZeroU64;
use std::sync::LazyLock;

use foldhash::quality::RandomState;

/// Bytes of a message that has one. No later step looks further ahead than this.
const MOST: usize = 256;

const LEFT: u8 = 1;
const RIGHT: u8 = 2;
const DIGIT: u8 = 4;
const DOT: u8 = 8;

/// What a byte may be: the left or the right neighbour of a number, or part of it.
static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b' ' | b'\t' | b',' => LEFT | RIGHT,
            b'[' | b'(' | b'=' => LEFT,
            b']' | b')' | b';' => RIGHT,
            b'0'..=b'9' => DIGIT,
            b'.' => DOT,
            _ => 0,
        };
        byte += 1;
    }
    table
};

static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// Returns the hash of the skeleton of a message; `None` for a long one.
pub(crate) fn of(message: &str) -> Option<NonZeroU64> {
    let bytes = message.as_bytes();
    if bytes.len() > MOST {
        return None;
    }
    let mut hasher = SEED.build_hasher();
    // The texts between the numbers, each with its length: where they meet is part of the skeleton.
    let mut add = |text: &[u8]| {
        hasher.write(text);
        hasher.write_usize(text.len());
    };
    let (mut kept, mut at) = (0, 0);
    while let Some(digit) = next_digit(bytes, at) {
        let before = digit
            .checked_sub(1)
            .map_or(LEFT, |before| CLASS[usize::from(bytes[before])]);
        let end = if before & LEFT == 0 {
            None
        } else {
            number(bytes, digit)
        };
        at = match end {
            Some(end) => {
                add(&bytes[kept..digit]);
                kept = end;
                end
            }
            None => {
                let rest = &bytes[digit..];
                let digits = rest.iter().position(|byte| !byte.is_ascii_digit());
                digits.map_or(bytes.len(), |digits| digit + digits)
            }
        };
    }
    add(&bytes[kept..]);
    NonZeroU64::new(hasher.finish())
}

/// Returns where the next digit is. Most of a message is none, so eight bytes are looked at together.
fn next_digit(bytes: &[u8], from: usize) -> Option<usize> {
    /// A byte in each of eight places.
    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }
    let mut at = from;
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        // Digits become 0 to 9. Adding 118 sets the highest bit of everything greater.
        let values = u64::from_le_bytes(*eight) ^ each(b'0');
        let others = ((values & each(0x7f)) + each(118)) | values;
        let digits = !others & each(0x80);
        if digits != 0 {
            return Some(at + digits.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    rest.iter()
        .position(u8::is_ascii_digit)
        .map(|found| at + found)
}

/// Returns where the number ends that begins here, if it is by itself.
fn number(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match CLASS[usize::from(*byte)] {
            DIGIT => {}
            DOT if bytes[at - 1] != b'.' => {}
            class => return (class & RIGHT != 0).then_some(at),
        }
        at += 1;
    }
    Some(at)
}

/// Values of the skeletons that came last: a table of pairs of places, in which the newest takes the place of the
/// older of two.
#[derive(Debug)]
pub(crate) struct Recent<T>(Vec<[Place<T>; 2]>);

type Place<T> = Option<(NonZeroU64, T)>;

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Recent<T> {
    /// Pairs of places. A log has some hundred skeletons, most of them by the names of users.
    const PAIRS: usize = 1024;

    /// Returns what is known of a skeleton.
    pub(crate) fn get(&self, skeleton: NonZeroU64) -> Option<T> {
        let pair = self.0.get(skeleton.get() as usize % Self::PAIRS)?;
        let mut known = pair.iter().flatten();
        known
            .find(|(known, _)| *known == skeleton)
            .map(|(_, value)| *value)
    }

    /// Remembers what is known of a skeleton.
    pub(crate) fn put(&mut self, skeleton: NonZeroU64, value: T) {
        if self.0.is_empty() {
            self.0.resize(Self::PAIRS, [None; 2]);
        }
        if let Some(pair) = self.0.get_mut(skeleton.get() as usize % Self::PAIRS) {
            *pair = [Some((skeleton, value)), pair[0]];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_stand_by_themselves_are_alike() {
        for (one, other) in [
            ("port 50122 ssh2", "port 7 ssh2"),
            ("uid=0 euid=0", "uid=1000 euid=12"),
            ("from 192.0.2.7 port 4", "from 10.0.0.1 port 50122"),
            ("[612], (7)", "[1], (70)"),
            ("session 12.", "session 9."),
            ("1 root55 is at 192.0.2.7", "22 root55 is at 7"),
        ] {
            assert_eq!(of(one), of(other), "{one}");
        }
        for (one, other) in [
            ("root55 x", "root56 x"),
            ("pts/3 x", "pts/4 x"),
            ("a:5 x", "a:6 x"),
            ("5: x", "6: x"),
            ("5% x", "6% x"),
            ("1..2", "1..3"),
            ("port 5", "part 5"),
            ("a 5 b", "a  b"),
            ("5 a", "a 5"),
            ("größer 5", "größen 5"),
        ] {
            assert_ne!(of(one), of(other), "{one}");
        }
        assert_eq!(of(&"x".repeat(MOST + 1)), None);
    }

    #[test]
    fn a_digit_is_found_wherever_it_is() {
        for length in 0..20 {
            for at in 0..length {
                for digit in b'0'..=b'9' {
                    // Neighbours of the digits, and what has the highest bit.
                    let mut bytes: Vec<u8> = b"/:\xb0\xb9\x10\xff".repeat(4)[..length].to_vec();
                    bytes[at] = digit;
                    assert_eq!(next_digit(&bytes, 0), Some(at));
                    assert_eq!(next_digit(&bytes, at), Some(at));
                    assert_eq!(next_digit(&bytes, at + 1), None);
                }
            }
        }
    }

    #[test]
    fn the_newest_is_remembered() {
        let mut recent = Recent::default();
        let skeleton = of("x 1").unwrap();
        assert_eq!(recent.get(skeleton), None);
        recent.put(skeleton, 7);
        assert_eq!(recent.get(skeleton), Some(7));
        assert_eq!(recent.get(of("y 1").unwrap()), None);
    }
}
