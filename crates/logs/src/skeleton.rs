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
/// Stands for a number. A message that holds it has no skeleton.
const NUMBER: u8 = 1;

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
    let mut skeleton = [0; MOST];
    let (mut length, mut at, mut before) = (0, 0, LEFT);
    while at < bytes.len() {
        let byte = bytes[at];
        let class = CLASS[usize::from(byte)];
        if byte == NUMBER {
            return None;
        }
        if class & DIGIT != 0
            && before & LEFT != 0
            && let Some(end) = number(bytes, at)
        {
            skeleton[length] = NUMBER;
            at = end;
        } else {
            skeleton[length] = byte;
            at += 1;
        }
        length += 1;
        before = class;
    }
    let mut hasher = SEED.build_hasher();
    hasher.write(&skeleton[..length]);
    NonZeroU64::new(hasher.finish())
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

/// Values of the skeletons that came last: a table in which the newest takes the place of another.
#[derive(Debug)]
pub(crate) struct Recent<T>(Vec<Option<(NonZeroU64, T)>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Recent<T> {
    /// Places. A log has some hundred skeletons, most of them by the names of users.
    const PLACES: usize = 1024;

    /// Returns what is known of a skeleton.
    pub(crate) fn get(&self, skeleton: NonZeroU64) -> Option<T> {
        let place = self.0.get(skeleton.get() as usize % Self::PLACES)?;
        place
            .filter(|(known, _)| *known == skeleton)
            .map(|(_, value)| value)
    }

    /// Remembers what is known of a skeleton.
    pub(crate) fn put(&mut self, skeleton: NonZeroU64, value: T) {
        if self.0.is_empty() {
            self.0.resize(Self::PLACES, None);
        }
        if let Some(place) = self.0.get_mut(skeleton.get() as usize % Self::PLACES) {
            *place = Some((skeleton, value));
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
        ] {
            assert_ne!(of(one), of(other), "{one}");
        }
        assert_eq!(of(&"x".repeat(MOST + 1)), None);
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
