//! How far a file was read, such that the place is found again.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::stat::{Stat, is_same};

/// Number of bytes at the beginning of a file, and before an offset, that identify it.
pub const PRINT_BYTES: usize = 256;

/// Which file: the numbers of its inode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Device.
    pub dev: u64,
    /// Inode.
    pub ino: u64,
    /// Time of birth of the inode, nanoseconds since the epoch; 0 where the file system does not report it.
    pub born: i64,
}

impl Identity {
    pub(super) fn is(&self, stat: &Stat) -> bool {
        is_same(
            (self.dev, self.ino, self.born),
            (stat.dev, stat.ino, stat.born),
        )
    }
}

impl From<&Stat> for Identity {
    fn from(stat: &Stat) -> Self {
        Self {
            dev: stat.dev,
            ino: stat.ino,
            born: stat.born,
        }
    }
}

/// A hash of up to [`PRINT_BYTES`] bytes, and how many they were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Print {
    /// Bytes that were hashed.
    pub len: usize,
    /// The first 16 bytes of their SHA-256 as hexadecimal digits.
    pub hash: String,
}

impl Print {
    /// Computes the hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        use std::fmt::Write as _;
        let mut hash = String::with_capacity(32);
        for byte in &Sha256::digest(bytes)[..16] {
            // writing to a string does not fail
            let _ok = write!(hash, "{byte:02x}");
        }
        Self {
            len: bytes.len(),
            hash,
        }
    }

    /// Returns whether it is that of the bytes.
    #[must_use]
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        self.len == bytes.len() && *self == Self::of(bytes)
    }
}

/// How far a file was read. As JSON it is a row of `collector.log_positions`.
///
/// `(generation, offset)` only grows in a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePosition {
    /// The file.
    #[serde(flatten)]
    pub identity: Identity,
    /// Which file of its stream: one more with each that is begun.
    pub generation: u64,
    /// Where the next line begins.
    pub offset: u64,
    /// The first bytes of the file.
    pub head: Print,
    /// The last bytes before the offset.
    pub tail: Print,
    /// When the file was last written before it was read, nanoseconds since the epoch. Files that
    /// follow this one in its stream are not older.
    pub mtime: i64,
    /// It is a copy that was made before the file was emptied.
    #[serde(default)]
    pub copied: bool,
    /// It was read to its end, and another one has followed it or it was deleted.
    pub ended: bool,
}
