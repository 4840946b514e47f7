//! Finding the records of a segment in any state.

use std::io;

use schema::Timestamp;

use super::disk::{DiskFile, is_damage, read_full};
use super::format::{ALIGN, MAX_SEGMENT, RECORD_HEADER, RecordHeader, SEGMENT_HEADER, Seal};
use crate::ranges::RangeSet;

/// A block that cannot be read counts as zero, in pieces of this size.
const BLOCK: usize = 4096;
/// So many bytes that are not zero after the last record are noise, not a record: even an empty
/// one has more.
const NOISE: usize = 2;

/// Walks over the intact records of a segment in order, skipping damaged ones.
///
/// After damage the next record is looked for at every aligned place. One is accepted when its
/// checksum fits and its number could have been reached within the bytes that were stepped over.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    seal: Seal,
    at: usize,
    expected: u64,
    limit: u64,
}

impl<'a> Walk<'a> {
    /// Walks a whole segment whose first number is `first`; numbers from `limit` on are void.
    pub(super) fn new(bytes: &'a [u8], seal: Seal, first: u64, limit: u64) -> Self {
        Self {
            bytes,
            seal,
            at: SEGMENT_HEADER.min(bytes.len()),
            expected: first,
            limit,
        }
    }

    /// Returns where to go on, and the number expected there.
    pub(super) const fn position(&self) -> (usize, u64) {
        (self.at, self.expected)
    }

    /// Goes on from an earlier [`position`](Self::position).
    pub(super) const fn at(mut self, (at, expected): (usize, u64)) -> Self {
        self.at = at;
        self.expected = expected;
        self
    }

    /// Returns the rest after the last record of a segment that should have `size` bytes.
    pub(super) fn tail(&self, size: usize) -> Tail {
        let rest = &self.bytes[self.at..];
        let used = rest.iter().filter(|b| **b != 0).count();
        // Where the file is cut there was nothing if the next record's length, its first four
        // bytes, is there and zero.
        let fits = self.at + RECORD_HEADER <= size;
        let cut = fits && (rest.len() < 4 || (rest.len() < RECORD_HEADER && used > 0));
        if used <= NOISE && !cut {
            return Tail {
                blank: used == 0,
                lost: 0,
                ts: None,
            };
        }
        let room = size.saturating_sub(self.at);
        let end = if self.bytes.len() < size {
            room
        } else {
            rest.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1)
        };
        let header = RecordHeader::read(rest, room).filter(|h| h.lsn == self.expected);
        let lost = match header {
            Some(header) if header.step() >= end => 1,
            _ => end.div_ceil(RECORD_HEADER).max(1) as u64,
        };
        Tail {
            blank: false,
            lost,
            ts: header.map(|h| h.ts),
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = (usize, RecordHeader);

    fn next(&mut self) -> Option<(usize, RecordHeader)> {
        let start = self.at;
        let mut at = start;
        while at + RECORD_HEADER <= self.bytes.len() {
            let rest = &self.bytes[at..];
            let most = self
                .expected
                .saturating_add(((at - start) / RECORD_HEADER) as u64);
            let found = RecordHeader::read(rest, rest.len()).filter(|h| {
                (self.expected..=most).contains(&h.lsn)
                    && h.lsn < self.limit
                    && h.intact(self.seal, rest)
            });
            if let Some(header) = found {
                self.at = (at + header.step()).min(self.bytes.len());
                self.expected = header.lsn + 1;
                return Some((at, header));
            }
            at += ALIGN;
        }
        None
    }
}

/// The rest after the last record of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    /// Nothing at all: the segment can be appended to.
    pub(super) blank: bool,
    /// Most records that may have been there.
    pub(super) lost: u64,
    /// The instant of the first of them, where its header is readable.
    pub(super) ts: Option<Timestamp>,
}

/// Content of a segment: the index has this, not a place per record.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    pub(super) present: RangeSet,
    pub(super) from_ts: Timestamp,
    pub(super) to_ts: Timestamp,
    /// The instant of the newest record; clocks step back.
    pub(super) last_ts: Timestamp,
    pub(super) records: u64,
    pub(super) rows: u64,
    /// Place of the next record.
    pub(super) end: usize,
    /// Place of the newest record.
    pub(super) last: usize,
    /// Bytes of the first record.
    pub(super) first_len: usize,
}

impl Content {
    pub(super) fn new() -> Self {
        Self {
            end: SEGMENT_HEADER,
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, at: usize, step: usize, lsn: u64, ts: Timestamp, rows: u32) {
        if self.records == 0 {
            (self.from_ts, self.to_ts) = (ts, ts);
            self.first_len = step;
        }
        self.from_ts = self.from_ts.min(ts);
        self.to_ts = self.to_ts.max(ts);
        self.last_ts = ts;
        self.records += 1;
        self.rows += u64::from(rows);
        self.present.insert(lsn..lsn + 1);
        self.last = at;
        self.end = at + step;
    }
}

/// Reads a whole segment into a buffer. Unreadable parts are zero.
pub(super) fn load<F: DiskFile>(file: &F, buf: &mut Vec<u8>) -> io::Result<()> {
    let len = usize::try_from(file.size()?).unwrap_or(MAX_SEGMENT);
    buf.clear();
    buf.resize(len.min(MAX_SEGMENT), 0);
    match read_full(file, buf, 0) {
        Ok(read) => buf.truncate(read),
        Err(error) if is_damage(&error) => {
            for (i, block) in buf.chunks_mut(BLOCK).enumerate() {
                match read_full(file, block, (i * BLOCK) as u64) {
                    Ok(_) => {}
                    Err(error) if is_damage(&error) => block.fill(0),
                    Err(error) => return Err(error),
                }
            }
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Reads the first bytes of a segment; what cannot be read is zero.
pub(super) fn read_header<F: DiskFile>(file: &F) -> [u8; SEGMENT_HEADER] {
    let mut head = [0; SEGMENT_HEADER];
    if read_full(file, &mut head, 0).is_err() {
        head.fill(0);
    }
    head
}
