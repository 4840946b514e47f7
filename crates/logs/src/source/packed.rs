//! Compressed logs of rotation: `.gz` and `.zst`.
//!
//! Other forms are known by their names only, and what they hold unread is a gap: for `.xz` there is no
//! decoder in Rust that has a bound on memory and does not bring a second family of hashes.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::os::unix::fs::FileExt as _;

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::content::Filled;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// `gzip`, also in several members.
    Gzip,
    /// `zstd`, also in several frames.
    Zstd,
    /// Something that is not read here.
    Unknown,
}

/// Endings of names, and what they mean.
const ENDINGS: [(&str, Packing); 7] = [
    (".gz", Packing::Gzip),
    (".xz", Packing::Unknown),
    (".zst", Packing::Zstd),
    (".bz2", Packing::Unknown),
    (".lz4", Packing::Unknown),
    (".Z", Packing::Unknown),
    (".zip", Packing::Unknown),
];

/// Returns the name without the ending of a compressed file, and how it is compressed.
pub(super) fn split_ending(name: &str) -> (&str, Option<Packing>) {
    for (ending, packing) in ENDINGS {
        if let Some(stem) = name.strip_suffix(ending) {
            return (stem, Some(packing));
        }
    }
    (name, None)
}

/// However small a compressed file is, this much may come out of it, beyond twice what was read of it
/// before it was compressed: no log of a reader that keeps up is larger.
const FREE_BYTES: u64 = 64 << 20;
/// Logs shrink to a tenth or a thirtieth; a bomb of gzip to a thousandth.
const MOST_TIMES: u64 = 200;
/// Window of a zstd decoder; compression up to level 19 needs no more.
const MOST_WINDOW_BYTES: u64 = 8 << 20;
/// Unpacked in one go.
const STEP: usize = 64 << 10;

/// Reads a compressed file from front to back, and keeps what may be asked for once more.
pub(super) struct Unpacker {
    file: File,
    reader: Box<dyn Read>,
    /// What is unpacked from `start` on.
    window: Vec<u8>,
    start: u64,
    cap: u64,
    ended: bool,
}

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpacker")
            .field("file", &self.file)
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}

/// A file read from its beginning whatever else moves its cursor.
struct FromStart(File, u64);

impl Read for FromStart {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read_at(buf, self.1)?;
        self.1 += n as u64;
        Ok(n)
    }
}

/// Content in a form not known here.
struct Unreadable;

impl Read for Unreadable {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("unknown compression format"))
    }
}

type Frame = StreamingDecoder<BufReader<FromStart>, FrameDecoder>;

/// Frame after frame.
enum Zstd {
    /// Before a frame, or the end.
    At(BufReader<FromStart>),
    In(Box<Frame>),
    Ended,
}

impl Read for Zstd {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(self, Self::Ended) {
                Self::Ended => return Ok(0),
                Self::At(mut raw) => {
                    if raw.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    let frame = Frame::new_with_max_window_size(raw, MOST_WINDOW_BYTES);
                    *self = Self::In(Box::new(frame.map_err(io::Error::other)?));
                }
                Self::In(mut frame) => match frame.read(buf)? {
                    0 => *self = Self::At(frame.into_inner()),
                    n => {
                        *self = Self::In(frame);
                        return Ok(n);
                    }
                },
            }
        }
    }
}

impl Unpacker {
    /// Parses `read_before` is how much of the content was read while it was a plain file.
    pub(super) fn new(file: File, packing: Packing, read_before: u64) -> io::Result<Self> {
        let size = file.metadata()?.len();
        let raw = FromStart(file.try_clone()?, 0);
        let reader: Box<dyn Read> = match packing {
            Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(raw)),
            Packing::Zstd => Box::new(Zstd::At(BufReader::new(raw))),
            Packing::Unknown => Box::new(Unreadable),
        };
        Ok(Self {
            file,
            reader,
            window: Vec::new(),
            start: 0,
            cap: (FREE_BYTES + 2 * read_before).max(size.saturating_mul(MOST_TIMES)),
            ended: false,
        })
    }

    /// Returns the compressed file.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Does the same as [`super::content::Content::fill`]. What lies before `offset` is forgotten.
    pub(super) fn fill(&mut self, offset: u64, buf: &mut [u8]) -> Filled {
        if offset < self.start {
            return Filled {
                len: 0,
                error: Some(io::Error::other(
                    "a compressed file can only be read forwards",
                )),
            };
        }
        let error = self.unpack(offset, buf.len()).err();
        let from = ((offset - self.start) as usize).min(self.window.len());
        let len = buf.len().min(self.window.len() - from);
        buf[..len].copy_from_slice(&self.window[from..from + len]);
        Filled { len, error }
    }

    /// Makes the window begin at `offset` and hold `wanted` bytes, where there are as many.
    fn unpack(&mut self, offset: u64, wanted: usize) -> io::Result<()> {
        loop {
            let old = ((offset - self.start) as usize).min(self.window.len());
            self.window.drain(..old);
            self.start += old as u64;
            if self.ended || self.start == offset && self.window.len() >= wanted {
                return Ok(());
            }
            let end = self.start + self.window.len() as u64;
            if end > self.cap {
                return Err(io::Error::other("the decompressed content is too large"));
            }
            let len = self.window.len();
            self.window.resize(len + STEP, 0);
            let result = self.reader.read(&mut self.window[len..]);
            self.window.truncate(len + *result.as_ref().unwrap_or(&0));
            match result {
                Ok(0) => self.ended = true,
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
    }
}

/// Returns whether a name has an ending of a compressed file.
pub(super) fn is_packed_name(name: &OsStr) -> bool {
    name.to_str()
        .is_some_and(|name| split_ending(name).1.is_some())
}
