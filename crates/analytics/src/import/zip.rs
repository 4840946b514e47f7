//! What is in a zip archive: stored and deflated files, of archives beyond four gigabytes, too.
//!
//! The list at the end of the archive counts. A length that it states is never believed further than the file goes, and nothing is
//! unpacked to a disk: names are names, not paths.

use flate2::read::DeflateDecoder;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Most files of an archive.
const MOST_ENTRIES: u64 = 10_000;
/// Most bytes of its list.
const MOST_LIST: u64 = 16 << 20;
/// Longest comment behind the list, and the record before it.
const MOST_END: u64 = 65_535 + 22 + 20;

/// A file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    is_deflated: bool,
    length: u64,
    offset: u64,
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the archive {what}"))
}

fn number(bytes: &[u8], at: usize, length: usize) -> io::Result<u64> {
    let bytes = bytes
        .get(at..at + length)
        .ok_or_else(|| wrong("is cut off"))?;
    Ok(bytes
        .iter()
        .rev()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// Lists the files of an archive.
///
/// # Errors
/// When it is no archive, damaged, encrypted, or packed in another way.
pub(super) fn entries(path: &Path) -> io::Result<Vec<Entry>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let tail_at = length.saturating_sub(MOST_END);
    let tail = read(&mut file, tail_at, length - tail_at)?;
    let end = (0..tail.len().saturating_sub(21))
        .rev()
        .find(|at| tail[*at..].starts_with(b"PK\x05\x06"))
        .ok_or_else(|| wrong("has no end: it is cut off, or no zip archive"))?;
    let mut count = number(&tail, end + 10, 2)?;
    let mut list_length = number(&tail, end + 12, 4)?;
    let mut list_at = number(&tail, end + 16, 4)?;
    // Where a number does not fit, a record of the newer form has it.
    if let Some(locator) = end
        .checked_sub(20)
        .filter(|at| tail[*at..].starts_with(b"PK\x06\x07"))
    {
        let record = read(&mut file, number(&tail, locator + 8, 8)?, 56)?;
        if record.starts_with(b"PK\x06\x06") {
            count = number(&record, 32, 8)?;
            list_length = number(&record, 40, 8)?;
            list_at = number(&record, 48, 8)?;
        }
    }
    if count > MOST_ENTRIES || list_length > MOST_LIST {
        return Err(wrong("has too many files"));
    }
    let list = read(&mut file, list_at, list_length)?;
    let mut entries = Vec::new();
    let mut at = 0;
    for _ in 0..count {
        let head = list
            .get(at..)
            .filter(|head| head.starts_with(b"PK\x01\x02"));
        let head = head.ok_or_else(|| wrong("has a damaged list"))?;
        let (flags, method) = (number(head, 8, 2)?, number(head, 10, 2)?);
        let (name, extra, comment) = (
            number(head, 28, 2)?,
            number(head, 30, 2)?,
            number(head, 32, 2)?,
        );
        let [name, extra, comment] = [name, extra, comment].map(|length| length as usize);
        let name_bytes = head.get(46..46 + name).ok_or_else(|| wrong("is cut off"))?;
        let extra_bytes = head
            .get(46 + name..46 + name + extra)
            .ok_or_else(|| wrong("is cut off"))?;
        let name_text = String::from_utf8_lossy(name_bytes).into_owned();
        if flags & 1 != 0 {
            return Err(wrong(&format!("is encrypted ({name_text:?})")));
        }
        let (packed, plain, offset) = (
            number(head, 20, 4)?,
            number(head, 24, 4)?,
            number(head, 42, 4)?,
        );
        let (length, offset) = widened(extra_bytes, plain, packed, offset)?;
        if !name_text.ends_with('/') {
            if !matches!(method, 0 | 8) {
                return Err(wrong(&format!(
                    "packs {name_text:?} in a way that is not known here"
                )));
            }
            entries.push(Entry {
                name: name_text,
                is_deflated: method == 8,
                length,
                offset,
            });
        }
        at += 46 + name + extra + comment;
    }
    Ok(entries)
}

/// Returns packed length and place, from the extra field where they do not fit into four bytes.
fn widened(extra: &[u8], plain: u64, packed: u64, offset: u64) -> io::Result<(u64, u64)> {
    const FULL: u64 = 0xffff_ffff;
    let mut at = 0;
    while at + 4 <= extra.len() {
        let (id, length) = (number(extra, at, 2)?, number(extra, at + 2, 2)?);
        if id == 1 {
            let mut place = at + 4;
            let mut next = |value: u64| {
                if value != FULL {
                    return Ok(value);
                }
                place += 8;
                number(extra, place - 8, 8)
            };
            next(plain)?;
            return Ok((next(packed)?, next(offset)?));
        }
        at += 4 + length as usize;
    }
    Ok((packed, offset))
}

fn read(file: &mut File, at: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a file of an archive.
///
/// # Errors
/// When the archive cannot be read.
pub(super) fn open(path: &Path, entry: &Entry) -> io::Result<Box<dyn Read + Send>> {
    let mut file = File::open(path)?;
    let head = read(&mut file, entry.offset, 30)?;
    if !head.starts_with(b"PK\x03\x04") {
        return Err(wrong(&format!(
            "has nothing where {:?} should be",
            entry.name
        )));
    }
    let skip = 30 + number(&head, 26, 2)? + number(&head, 28, 2)?;
    file.seek(SeekFrom::Start(entry.offset + skip))?;
    let packed = file.take(entry.length);
    Ok(if entry.is_deflated {
        Box::new(DeflateDecoder::new(packed))
    } else {
        Box::new(packed)
    })
}
