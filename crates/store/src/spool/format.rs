//! The bytes on disk, version 1: see the [parent module](super) for their layout.

use schema::{Class, Timestamp};
use uuid::Uuid;

use super::{Kind, Loss, Record};

/// The newest format version this code reads, and the one it writes.
pub const FORMAT_VERSION: u32 = 1;
/// First bytes of a segment.
const MAGIC: [u8; 8] = *b"PQCSPOOL";
/// Bytes of a segment's header.
pub(super) const SEGMENT_HEADER: usize = 96;
/// Bytes of a record's header.
pub(super) const RECORD_HEADER: usize = 32;
/// Records start at multiples of this.
pub(super) const ALIGN: usize = 8;
/// The largest segment, hence the largest record.
pub(super) const MAX_SEGMENT: usize = 1 << 20;
/// The largest payload before compression.
pub(super) const MAX_RAW: usize = 2 << 20;
/// Payloads from here on are compressed when that makes them smaller.
const COMPRESS_FROM: usize = 128;
/// Flag: the payload is its length as u32, then an LZ4 block.
const FLAG_LZ4: u8 = 1;

/// Start value of a checksum, so that a record of another spool or class never matches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seal(u32);

impl Seal {
    pub(super) fn new(writer: Uuid, class: Class) -> Self {
        let seed = crc32c::crc32c(writer.as_bytes());
        Self(crc32c::crc32c_append(seed, &[class_code(class)]))
    }

    /// Computes the CRC-32C over the parts, rotated and offset so that the checksum of data which itself
    /// contains checksums stays meaningful.
    fn sum(self, parts: &[&[u8]]) -> u32 {
        let crc = parts
            .iter()
            .fold(self.0, |crc, part| crc32c::crc32c_append(crc, part));
        crc.rotate_right(15).wrapping_add(0xa282_ead8)
    }
}

pub(super) const fn class_code(class: Class) -> u8 {
    match class {
        Class::Bulk => 1,
        Class::Core => 2,
        Class::Event => 3,
    }
}

pub(super) fn class_of(code: u8) -> Option<Class> {
    Class::ALL.into_iter().find(|c| class_code(*c) == code)
}

/// Returns the place of a class in arrays over [`Class::ALL`].
pub(super) const fn slot(class: Class) -> usize {
    match class {
        Class::Bulk => 0,
        Class::Core => 1,
        Class::Event => 2,
    }
}

/// The header of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) class: Class,
    pub(super) writer: Uuid,
    /// Number of the first record.
    pub(super) first: u64,
    /// Earlier segments count up to here; numbers from here to `first` are unused.
    pub(super) continues: u64,
    /// Length of the file.
    pub(super) size: u32,
    /// The next number of each class when the segment was made.
    pub(super) floors: [u64; 3],
}

/// Why bytes are not a header of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadHeader {
    /// Checksum or magic do not fit.
    Damaged,
    /// Intact, of a version from the future.
    Newer(u32),
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> [u8; SEGMENT_HEADER] {
        let mut out = [0; SEGMENT_HEADER];
        out[..8].copy_from_slice(&MAGIC);
        out[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        out[12] = class_code(self.class);
        out[16..32].copy_from_slice(self.writer.as_bytes());
        out[32..40].copy_from_slice(&self.first.to_le_bytes());
        out[40..48].copy_from_slice(&self.continues.to_le_bytes());
        out[48..52].copy_from_slice(&self.size.to_le_bytes());
        for (i, floor) in self.floors.iter().enumerate() {
            out[56 + 8 * i..64 + 8 * i].copy_from_slice(&floor.to_le_bytes());
        }
        let crc = Seal(0).sum(&[&out[..92]]);
        out[92..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadHeader> {
        let bad = BadHeader::Damaged;
        let head = bytes.get(..SEGMENT_HEADER).ok_or(bad)?;
        if head[..8] != MAGIC || u32_at(head, 92) != Seal(0).sum(&[&head[..92]]) {
            return Err(bad);
        }
        let version = u32_at(head, 8);
        if version > FORMAT_VERSION {
            return Err(BadHeader::Newer(version));
        }
        let mut writer = [0; 16];
        writer.copy_from_slice(&head[16..32]);
        Ok(Self {
            class: class_of(head[12]).ok_or(bad)?,
            writer: Uuid::from_bytes(writer),
            first: u64_at(head, 32),
            continues: u64_at(head, 40),
            size: u32_at(head, 48),
            floors: [56, 64, 72].map(|at| u64_at(head, at)),
        })
    }
}

/// A record to be appended, before it has a number.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) ts: Timestamp,
    pub(super) rows: u32,
    // Header, payload and padding; number and checksum are filled in last.
    bytes: Vec<u8>,
    end: usize,
}

impl Body {
    pub(super) fn new(ts: Timestamp, rows: u32, kind: Kind, payload: &[u8]) -> Self {
        let packed = (payload.len() >= COMPRESS_FROM && payload.len() <= MAX_RAW)
            .then(|| lz4_flex::block::compress_prepend_size(payload))
            .filter(|packed| packed.len() < payload.len());
        let (flags, stored) = match &packed {
            Some(packed) => (FLAG_LZ4, packed.as_slice()),
            None => (0, payload),
        };
        let end = RECORD_HEADER + stored.len();
        let mut bytes = Vec::with_capacity(end.next_multiple_of(ALIGN));
        // A record that large is refused before it is written.
        let len = u32::try_from(end).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&len.to_le_bytes());
        bytes.resize(16, 0);
        bytes.extend_from_slice(&ts.0.to_le_bytes());
        bytes.extend_from_slice(&rows.to_le_bytes());
        bytes.extend_from_slice(&[kind.code(), flags, 0, 0]);
        bytes.extend_from_slice(stored);
        bytes.resize(end.next_multiple_of(ALIGN), 0);
        Self {
            ts,
            rows,
            bytes,
            end,
        }
    }

    /// Bytes it takes in a segment.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the record under a number.
    pub(super) fn seal(&mut self, seal: Seal, lsn: u64) -> &[u8] {
        self.bytes[8..16].copy_from_slice(&lsn.to_le_bytes());
        let crc = seal.sum(&[&self.bytes[..4], &self.bytes[8..self.end]]);
        self.bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        &self.bytes
    }
}

/// The header of a record as read; plausible, not yet checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordHeader {
    /// Header and payload, without padding.
    pub(super) len: usize,
    crc: u32,
    pub(super) lsn: u64,
    pub(super) ts: Timestamp,
    pub(super) rows: u32,
    pub(super) kind: Kind,
    flags: u8,
}

impl RecordHeader {
    /// Returns the header at the start of `bytes` if the record could lie within `room` bytes.
    pub(super) fn read(bytes: &[u8], room: usize) -> Option<Self> {
        let head = bytes.get(..RECORD_HEADER)?;
        let len = u32_at(head, 0) as usize;
        if !(RECORD_HEADER..=room).contains(&len) || head[29] & !FLAG_LZ4 != 0 {
            return None;
        }
        if head[30] != 0 || head[31] != 0 {
            return None;
        }
        Some(Self {
            len,
            crc: u32_at(head, 4),
            lsn: u64_at(head, 8),
            ts: Timestamp(u64_at(head, 16).cast_signed()),
            rows: u32_at(head, 24),
            kind: Kind::of(head[28])?,
            flags: head[29],
        })
    }

    /// Bytes to the next record.
    pub(super) const fn step(&self) -> usize {
        self.len.next_multiple_of(ALIGN)
    }

    /// Returns whether the checksum fits these `len` bytes.
    pub(super) fn intact(&self, seal: Seal, bytes: &[u8]) -> bool {
        bytes
            .get(..self.len)
            .is_some_and(|b| self.crc == seal.sum(&[&b[..4], &b[8..]]))
    }

    /// Returns the record, if its payload unpacks.
    pub(super) fn record(&self, bytes: &[u8]) -> Option<Record> {
        let stored = bytes.get(RECORD_HEADER..self.len)?;
        let payload = if self.flags & FLAG_LZ4 == 0 {
            stored.to_vec()
        } else {
            let raw = u32_at(stored.get(..4)?, 0) as usize;
            if raw > MAX_RAW {
                return None;
            }
            lz4_flex::block::decompress(&stored[4..], raw).ok()?
        };
        Some(Record {
            lsn: self.lsn,
            ts: self.ts,
            rows: self.rows,
            kind: self.kind,
            payload,
        })
    }
}

impl Record {
    /// Returns the loss that a record of kind [`Kind::Loss`] reports.
    #[must_use]
    pub fn loss(&self) -> Option<Loss> {
        (self.kind == Kind::Loss)
            .then(|| Loss::decode(&self.payload))
            .flatten()
    }
}

/// Returns the content of `spool.id`.
pub(super) fn encode_id(writer: Uuid) -> String {
    let text = format!("pqcrypta-spool {FORMAT_VERSION} {writer}");
    let crc = crc32c::crc32c(text.as_bytes());
    format!("{text} {crc:08x}\n")
}

/// Returns the writer that `spool.id` names, unless the file is damaged.
pub(super) fn decode_id(text: &str) -> Result<Uuid, BadHeader> {
    let bad = BadHeader::Damaged;
    let (body, crc) = text.trim_end().rsplit_once(' ').ok_or(bad)?;
    if crc != format!("{:08x}", crc32c::crc32c(body.as_bytes())) {
        return Err(bad);
    }
    let mut words = body.split(' ');
    if words.next() != Some("pqcrypta-spool") {
        return Err(bad);
    }
    let version = words.next().and_then(|v| v.parse().ok()).ok_or(bad)?;
    if version > FORMAT_VERSION {
        return Err(BadHeader::Newer(version));
    }
    let writer = words.next().and_then(|id| id.parse().ok());
    writer.filter(|id| encode_id(*id) == text).ok_or(bad)
}

/// Reads a little-endian number at a place that the caller has checked to exist.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut le = [0; 4];
    le.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(le)
}

/// Reads a little-endian number at a place that the caller has checked to exist.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut le = [0; 8];
    le.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(le)
}
