//! `/proc/diskstats`: I/O of block devices since boot. Sectors are always of 512 bytes.
//!
//! Only whole devices that carry data of their own are kept. A partition's I/O is its disk's, and
//! so is that of a device built on others (device mapper, md, bcache): counting both would count
//! every byte twice. Loop and RAM devices hold files or memory. A device that has never been
//! used, as an empty optical drive, gives no row.

use crate::fields::{fields, lines, number, number_or_zero_below};

/// Bytes of a sector in this file, independent of the device's sectors.
const SECTOR: u64 = 512;

/// One line of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Disk<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) reads: u64,
    pub(crate) read_bytes: u64,
    pub(crate) read_ms: u64,
    pub(crate) writes: u64,
    pub(crate) write_bytes: u64,
    pub(crate) write_ms: u64,
    pub(crate) in_flight: u64,
    pub(crate) busy_ms: u64,
    pub(crate) queue_ms: u64,
}

/// Reads the file; lines with fewer than the eleven columns of Linux 2.6 are left out.
pub(crate) fn parse(text: &[u8]) -> impl Iterator<Item = Disk<'_>> {
    lines(text).filter_map(disk)
}

fn disk(line: &[u8]) -> Option<Disk<'_>> {
    let mut words = fields(line).skip(2);
    let name = words.next()?;
    let mut next = || words.next().and_then(number_or_zero_below);
    let reads = next()?;
    let _merged = next()?;
    let read_sectors = next()?;
    let read_ms = next()?;
    let writes = next()?;
    let _merged = next()?;
    let write_sectors = next()?;
    let write_ms = next()?;
    Some(Disk {
        name,
        reads,
        read_bytes: read_sectors.saturating_mul(SECTOR),
        read_ms,
        writes,
        write_bytes: write_sectors.saturating_mul(SECTOR),
        write_ms,
        in_flight: next()?,
        busy_ms: next()?,
        queue_ms: next()?,
    })
}

impl Disk<'_> {
    /// Returns whether nothing was ever read from or written to it.
    pub(crate) fn is_unused(&self) -> bool {
        self.reads == 0 && self.writes == 0
    }
}

/// Returns whether a device of this name only maps the data of others.
pub(crate) fn is_virtual(name: &[u8]) -> bool {
    [&b"loop"[..], b"ram", b"zram"].iter().any(|prefix| {
        name.strip_prefix(*prefix)
            .is_some_and(|n| number(n).is_some())
    })
}

/// Returns whether the name is that of a partition, decided without sysfs: its disk's name and a number,
/// with a `p` between them where the disk's name ends in a digit.
pub(crate) fn looks_like_partition(name: &[u8]) -> bool {
    let digits = name
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let stem = name
        .get(..name.len().saturating_sub(digits))
        .unwrap_or_default();
    if digits == 0 || stem.is_empty() {
        return false;
    }
    match stem {
        [disk @ .., b'p'] if disk.last().is_some_and(u8::is_ascii_digit) => true,
        _ => [&b"sd"[..], b"hd", b"vd", b"xvd"].iter().any(|prefix| {
            stem.strip_prefix(*prefix)
                .is_some_and(|rest| !rest.is_empty() && rest.iter().all(u8::is_ascii_lowercase))
        }),
    }
}
