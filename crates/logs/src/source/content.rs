//! The bytes of a log, read at an offset: of a plain file, or of a compressed one.

use std::fs::File;
use std::io;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use super::packed::Unpacker;
use super::stat::Stat;

/// Where bytes come from.
#[derive(Debug)]
pub(super) enum Content {
    /// A file as it is.
    Plain(Plain),
    /// A compressed file; offsets only grow.
    Packed(Box<Unpacker>),
    /// A plain file that is closed until it changes.
    Closed,
}

/// A plain file.
#[derive(Debug)]
pub(super) struct Plain {
    pub file: File,
    /// Offsets of blocks that return an error, for tests.
    #[cfg(test)]
    pub broken: Vec<u64>,
}

/// What one attempt to fill a buffer gave: bytes, and the error that ended it.
#[derive(Debug)]
pub(super) struct Filled {
    pub len: usize,
    pub error: Option<io::Error>,
}

impl Content {
    /// Returns a plain file.
    pub(super) fn plain(file: File) -> Self {
        Self::Plain(Plain {
            file,
            #[cfg(test)]
            broken: Vec::new(),
        })
    }

    /// Fills `buf` from `offset` on, up to the end of the file.
    pub(super) fn fill(&mut self, offset: u64, buf: &mut [u8]) -> Filled {
        match self {
            Self::Plain(plain) => plain.fill(offset, buf),
            Self::Packed(packed) => packed.fill(offset, buf),
            Self::Closed => Filled {
                len: 0,
                error: Some(Errno::BADF.into()),
            },
        }
    }

    /// Returns the first byte at or after `offset` that is not a hole; `None` when there is none, or the file
    /// system does not state.
    pub(super) fn data_from(&self, offset: u64) -> Option<u64> {
        match self {
            Self::Plain(plain) => rustix::fs::seek(&plain.file, SeekFrom::Data(offset)).ok(),
            Self::Packed(_) | Self::Closed => None,
        }
    }

    /// Returns whether it can still grow.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_) | Self::Closed)
    }

    /// Returns what the file is like now.
    pub(super) fn stat(&self) -> Result<Stat, Errno> {
        match self {
            Self::Plain(plain) => Stat::of_open(&plain.file),
            Self::Packed(packed) => Stat::of_open(packed.file()),
            Self::Closed => Err(Errno::BADF),
        }
    }

    /// Descriptors that it takes.
    pub(super) fn descriptors(&self) -> usize {
        match self {
            Self::Plain(_) => 1,
            // the file, and its copy within the decoder
            Self::Packed(_) => 2,
            Self::Closed => 0,
        }
    }
}

impl Plain {
    fn fill(&self, offset: u64, buf: &mut [u8]) -> Filled {
        let mut len = 0;
        while len < buf.len() {
            match self.read_at(offset + len as u64, &mut buf[len..]) {
                Ok(0) => break,
                // Less than asked for is the end of the file, nearly always: one call is saved, and
                // what is there beyond is read the next time.
                Ok(n) => {
                    len += n;
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Filled {
                        len,
                        error: Some(error),
                    };
                }
            }
        }
        Filled { len, error: None }
    }

    #[cfg(not(test))]
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        use std::os::unix::fs::FileExt as _;
        self.file.read_at(buf, offset)
    }

    /// Reads like a disk: what is before a broken block is read, the block itself is an error.
    #[cfg(test)]
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        use std::os::unix::fs::FileExt as _;
        if offset >= self.file.metadata()?.len() {
            return Ok(0);
        }
        let len = buf.len() as u64;
        let block = |at: u64| at - at % 4096;
        let bad = self.broken.iter().map(|&at| block(at));
        match bad
            .filter(|&at| at < offset + len && at + 4096 > offset)
            .min()
        {
            Some(at) if at <= offset => Err(io::Error::from_raw_os_error(5)),
            Some(at) => self
                .file
                .read_at(&mut buf[..(at - offset) as usize], offset),
            None => self.file.read_at(buf, offset),
        }
    }
}
