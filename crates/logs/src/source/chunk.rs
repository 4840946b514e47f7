//! What a source hands over: whole lines, where they stood, and what was lost.

use std::sync::Arc;

use memchr::memchr;
use schema::Timestamp;

use super::position::{FilePosition, Identity, PRINT_BYTES, Print};

/// Lines of one stream, in order.
///
/// Byte `i` of `bytes` is at offset `start + i` of its file. Only the last line may be an
/// exception: when it was cut, its tail is left out and `end` is after it. A chunk without bytes has
/// a position all the same: that of a log seen for the first time, or of the end of a closed one.
#[derive(Debug)]
pub struct Chunk {
    /// The stream: the path as configured, or as found for a pattern.
    pub stream: Arc<str>,
    /// Offset of the first byte.
    pub start: u64,
    /// Offset after the last line.
    pub end: u64,
    /// Whole lines, each with its line break; only the last may lack it, at the end of a file to which
    /// nothing is added any more or for a while. What is added later begins the next chunk.
    pub bytes: Vec<u8>,
    /// Offset and true length, without line break, of the last line when it was cut.
    pub cut: Option<(u64, u64)>,
    /// Here the file ends for ever: the next chunk of the stream begins another one.
    pub closed: bool,
    /// What was lost or left out before these lines.
    pub gaps: Vec<Gap>,
    pub(super) place: Place,
}

/// What a position within a chunk is made of.
#[derive(Debug)]
pub(super) struct Place {
    pub identity: Identity,
    pub generation: u64,
    pub mtime: i64,
    pub copied: bool,
    /// The first bytes of the file.
    pub head: Arc<[u8]>,
    /// The last bytes before the chunk.
    pub before: Vec<u8>,
    /// The last bytes before `end`, where they are not those of the chunk: a line was cut.
    pub tail: Option<Vec<u8>>,
}

/// One line of a [`Chunk`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Offset of its first byte.
    pub at: u64,
    /// Without the line break; a carriage return before it is kept.
    pub bytes: &'a [u8],
    /// Bytes it has in the file, without the line break.
    pub true_len: u64,
}

impl Chunk {
    /// Returns the lines, in order.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let mut rest = &self.bytes[..];
        let mut at = self.start;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (len, step) = memchr(b'\n', rest).map_or((rest.len(), rest.len()), |n| (n, n + 1));
            let line = Line {
                at,
                bytes: &rest[..len],
                true_len: match self.cut {
                    Some((cut_at, true_len)) if cut_at == at => true_len,
                    _ => len as u64,
                },
            };
            rest = &rest[step..];
            at += step as u64;
            Some(line)
        })
    }

    /// Returns the position at the beginning of a line of this chunk, or at its end: what is read next when
    /// everything before is stored. An offset outside the chunk counts as the nearest within.
    #[must_use]
    pub fn position_at(&self, offset: u64) -> FilePosition {
        let place = &self.place;
        let offset = offset.clamp(self.start, self.end);
        let tail = match &place.tail {
            Some(tail) if offset == self.end => Print::of(tail),
            _ => {
                let read = self.bytes.len().min((offset - self.start) as usize);
                let read = &self.bytes[..read];
                if read.len() >= PRINT_BYTES {
                    Print::of(&read[read.len() - PRINT_BYTES..])
                } else {
                    let older = place.before.len().min(PRINT_BYTES - read.len());
                    let mut tail = place.before[place.before.len() - older..].to_vec();
                    tail.extend_from_slice(read);
                    Print::of(&tail)
                }
            }
        };
        FilePosition {
            identity: place.identity,
            generation: place.generation,
            offset,
            head: Print::of(&place.head),
            tail,
            mtime: place.mtime,
            copied: place.copied,
            ended: self.closed && offset == self.end,
        }
    }
}

/// Something that was lost or left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Not older than this, where it is known.
    pub from: Option<Timestamp>,
    /// Not younger than this, where it is known.
    pub to: Option<Timestamp>,
    /// Bytes of the source; `None` if it is unknown how many there were, or whether there were any.
    pub bytes: Option<u64>,
    /// Lines or entries, where they can be counted.
    pub lines: Option<u64>,
    /// Why.
    pub reason: GapReason,
}

/// Why something is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapReason {
    /// What stood in a large file before it was read for the first time; see
    /// [`super::FirstSight`]. Left out on purpose.
    FirstSight,
    /// The file was emptied and no copy of it was found.
    Truncated,
    /// The file was copied and emptied. What was written between the two is in neither; whether
    /// there was anything, is unknown.
    CopyTruncated,
    /// The file that was read is gone, with what was written to it since.
    Vanished,
    /// A run of NUL bytes, as a file has that was emptied under a program that did not notice. Not a
    /// loss as such.
    Hole,
    /// The medium gave an error for these bytes.
    Unreadable,
    /// A compressed file is damaged, has no known form, or unpacks to more than it may.
    Undecodable,
    /// Entries of the journal that were removed before they were read.
    Vacuumed,
    /// The journal does not know the place where reading stood.
    CursorLost,
    /// The journal withheld the content of an entry.
    Withheld,
}

impl GapReason {
    /// Returns the value of `collector.data_gaps.reason`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstSight => "first_sight",
            Self::Truncated => "truncated",
            Self::CopyTruncated => "copy_truncated",
            Self::Vanished => "vanished",
            Self::Hole => "hole",
            Self::Unreadable => "unreadable",
            Self::Undecodable => "undecodable",
            Self::Vacuumed => "vacuumed",
            Self::CursorLost => "cursor_lost",
            Self::Withheld => "withheld",
        }
    }
}
