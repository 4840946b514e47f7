//! Reads databases of addresses in the format MMDB 2, which DB-IP, IPinfo and MaxMind distribute.
//!
//! A file is a binary tree over the bits of an address, values that its leaves point to, and a map that describes both:
//!
//! ```text
//! node_count nodes of two records each ─ 16 zero bytes ─ values ─ "\xab\xcd\xefMaxMind.com" ─ description
//! record  < node_count: the next node;  = node_count: nothing is known;  > node_count: value at record − node_count − 16
//! value   control byte: type in three bits (0: in the next byte, less 7), size in five (29 to 31: in further bytes)
//! ```
//!
//! The file is somebody else's, so every offset is checked, nesting and pointers are bounded, and what cannot be read is
//! nothing rather than an error. Only what is looked for is decoded. The file is held in memory as a whole: a
//! mapped one that is replaced in place would end the program.

use std::net::IpAddr;
use std::path::Path;
use std::{fs, io};

/// What precedes the description, which ends the file.
const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";
/// The description lies in so many bytes at the end.
const DESCRIPTION_WITHIN: usize = 128 * 1024;
/// Zero bytes between tree and values.
const SEPARATOR: usize = 16;
/// Largest file; those that name countries and networks have some 10 MB.
const MOST_BYTES: u64 = 256 << 20;
/// Deepest nesting, and most pointers in a row.
const DEEPEST: u8 = 16;
/// Most entries of a map that are looked through.
const MOST_ENTRIES: usize = 512;

/// A database of addresses.
#[derive(Clone)]
pub struct Mmdb {
    bytes: Vec<u8>,
    node_count: usize,
    record_bits: usize,
    /// Where IPv4 addresses begin: in a tree of IPv6, behind 96 zero bits.
    first_v4: usize,
    is_v6: bool,
    /// Where values begin.
    values: usize,
    /// What it describes itself as, such as `GeoLite2-Country`.
    kind: String,
}

impl std::fmt::Debug for Mmdb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mmdb")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A value, as far as it is of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value<'a> {
    Text(&'a str),
    Number(u64),
    /// Offset of the first entry, and their number.
    Map(usize, usize),
    /// Offset of the first item, and their number.
    Array(usize, usize),
    Other,
}

/// Values, with offsets that pointers count from.
#[derive(Clone, Copy)]
struct Section<'a>(&'a [u8]);

impl Mmdb {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or is torn or not such a database.
    pub fn open(path: &Path) -> io::Result<Self> {
        if fs::metadata(path)?.len() > MOST_BYTES {
            return Err(io::Error::other(
                "it is larger than any database of addresses",
            ));
        }
        Self::parse(fs::read(path)?)
            .ok_or_else(|| io::Error::other("it is not an MMDB file, or torn"))
    }

    fn parse(bytes: Vec<u8>) -> Option<Self> {
        let searched = bytes.len().saturating_sub(DESCRIPTION_WITHIN);
        let end = bytes.get(searched..)?;
        let marker = searched
            + end
                .windows(MARKER.len())
                .rposition(|window| window == MARKER)?;
        let description = Section(bytes.get(marker + MARKER.len()..)?);
        let number = |name: &str| match description.find(0, &[name])? {
            Value::Number(number) => usize::try_from(number).ok(),
            _ => None,
        };
        let (node_count, record_bits) = (number("node_count")?, number("record_size")?);
        let is_v6 = number("ip_version")? == 6;
        let kind = match description.find(0, &["database_type"]) {
            Some(Value::Text(kind)) => kind.to_owned(),
            _ => String::new(),
        };
        let values = node_count
            .checked_mul(record_bits)?
            .checked_div(4)?
            .checked_add(SEPARATOR)?;
        if !matches!(record_bits, 24 | 28 | 32)
            || number("binary_format_major_version")? != 2
            || values > marker
        {
            return None;
        }
        let mut database = Self {
            bytes,
            node_count,
            record_bits,
            first_v4: 0,
            is_v6,
            values,
            kind,
        };
        if is_v6 {
            for _ in 0..96 {
                if database.first_v4 < node_count {
                    database.first_v4 = database.record(database.first_v4, false)?;
                }
            }
        }
        Some(database)
    }

    /// Returns what the file describes itself as.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the country of an address, as two capital letters.
    #[must_use]
    pub fn country(&self, address: IpAddr) -> Option<String> {
        let at = self.lookup(address)?;
        // MaxMind and DB-IP; IPinfo.
        for path in [
            &["country", "iso_code"][..],
            &["registered_country", "iso_code"],
            &["country_code"],
            &["country"],
        ] {
            if let Some(Value::Text(code)) = self.section().find(at, path)
                && code.len() == 2
                && code.bytes().all(|byte| byte.is_ascii_alphabetic())
            {
                return Some(code.to_ascii_uppercase());
            }
        }
        None
    }

    /// Returns the number of the network of an address.
    #[must_use]
    pub fn network(&self, address: IpAddr) -> Option<u32> {
        let at = self.lookup(address)?;
        for name in ["autonomous_system_number", "asn"] {
            let found = match self.section().find(at, &[name]) {
                Some(Value::Number(number)) => u32::try_from(number).ok(),
                Some(Value::Text(text)) => text.trim_start_matches("AS").parse().ok(),
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn section(&self) -> Section<'_> {
        Section(self.bytes.get(self.values..).unwrap_or_default())
    }

    /// Returns the offset of the value of an address.
    fn lookup(&self, address: IpAddr) -> Option<usize> {
        let (mut node, bits, width) = match address.to_canonical() {
            IpAddr::V4(address) => (self.first_v4, u128::from(address.to_bits()), 32),
            IpAddr::V6(address) if self.is_v6 => (0, address.to_bits(), 128),
            IpAddr::V6(_) => return None,
        };
        for bit in (0..width).rev() {
            if node >= self.node_count {
                break;
            }
            node = self.record(node, bits >> bit & 1 == 1)?;
        }
        node.checked_sub(self.node_count)?.checked_sub(SEPARATOR)
    }

    /// Returns a record of a node.
    fn record(&self, node: usize, is_right: bool) -> Option<usize> {
        let size = self.record_bits / 4;
        let start = node.checked_mul(size)?;
        let node = self.bytes.get(start..start + size)?;
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
        };
        Some(match (self.record_bits, is_right) {
            (28, false) => usize::from(node[3] >> 4) << 24 | number(&node[..3]),
            (28, true) => usize::from(node[3] & 15) << 24 | number(&node[4..]),
            (_, false) => number(&node[..size / 2]),
            (_, true) => number(&node[size / 2..]),
        })
    }
}

impl<'a> Section<'a> {
    /// Returns the value that names lead to, from map to map.
    fn find(self, at: usize, path: &[&str]) -> Option<Value<'a>> {
        let (mut value, _) = self.value(at, 0)?;
        for name in path {
            let Value::Map(mut at, entries) = value else {
                return None;
            };
            let mut found = None;
            for _ in 0..entries.min(MOST_ENTRIES) {
                let (key, after_key) = self.value(at, 0)?;
                if key == Value::Text(name) {
                    found = Some(self.value(after_key, 0)?.0);
                    break;
                }
                at = self.skip(after_key, 0)?;
            }
            value = found?;
        }
        Some(value)
    }

    fn number(self, at: usize, length: usize) -> Option<u64> {
        let bytes = self.0.get(at..at.checked_add(length)?)?;
        (length <= 8).then(|| {
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        })
    }

    /// Returns type and size of the value at an offset, and where its content begins. Of a pointer the size is its target.
    fn head(self, at: usize) -> Option<(u8, usize, usize)> {
        let control = *self.0.get(at)?;
        let mut at = at + 1;
        let mut kind = control >> 5;
        if kind == 1 {
            let length = usize::from(control >> 3 & 3) + 1;
            let low = self.number(at, length)?;
            let high = u64::from(control & 7) << (8 * length);
            let target = match length {
                1 => high | low,
                2 => (high | low) + 2048,
                3 => (high | low) + 526_336,
                _ => low,
            };
            return Some((kind, usize::try_from(target).ok()?, at + length));
        }
        if kind == 0 {
            kind = self.0.get(at)?.checked_add(7)?;
            at += 1;
        }
        let (base, length) = match control & 31 {
            29 => (29, 1),
            30 => (285, 2),
            31 => (65_821, 3),
            size => (usize::from(size), 0),
        };
        let size = base + usize::try_from(self.number(at, length)?).ok()?;
        Some((kind, size, at + length))
    }

    /// Returns the value at an offset, through pointers, and where the next one begins.
    fn value(self, at: usize, depth: u8) -> Option<(Value<'a>, usize)> {
        let (kind, size, content) = self.head(at)?;
        if kind == 1 {
            // A pointer to a pointer is not allowed, so a few are more than enough.
            let target = (depth < DEEPEST)
                .then(|| self.value(size, depth + 1))
                .flatten()?;
            return Some((target.0, content));
        }
        let value = match kind {
            2 => Value::Text(
                std::str::from_utf8(self.0.get(content..content.checked_add(size)?)?).ok()?,
            ),
            5 | 6 | 9 => Value::Number(self.number(content, size)?),
            7 => Value::Map(content, size),
            11 => Value::Array(content, size),
            _ => Value::Other,
        };
        let next = match kind {
            7 | 11 => content,
            // A boolean is its size.
            14 => content,
            _ => content.checked_add(size)?,
        };
        Some((value, next))
    }

    /// Returns where the value after the one at an offset begins.
    fn skip(self, at: usize, depth: u8) -> Option<usize> {
        let (kind, size, content) = self.head(at)?;
        let items = match kind {
            1 => return Some(content),
            7 => size.checked_mul(2)?,
            11 => size,
            14 => return Some(content),
            _ => return content.checked_add(size),
        };
        if depth >= DEEPEST || items > 2 * MOST_ENTRIES {
            return None;
        }
        (0..items).try_fold(content, |at, _| self.skip(at, depth + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(out: &mut Vec<u8>, text: &str) {
        out.push(2 << 5 | u8::try_from(text.len()).unwrap());
        out.extend_from_slice(text.as_bytes());
    }

    fn number(out: &mut Vec<u8>, number: u32) {
        out.push(6 << 5 | 4);
        out.extend_from_slice(&number.to_be_bytes());
    }

    /// Builds a database of IPv4 in which the first bit decides: 0 is the value, 1 is nothing.
    fn built(value: &[u8], record_bits: u32) -> Vec<u8> {
        let mut file = Vec::new();
        let (left, right) = (1 + 16_u32, 1_u32);
        match record_bits {
            24 => {
                file.extend_from_slice(&left.to_be_bytes()[1..]);
                file.extend_from_slice(&right.to_be_bytes()[1..]);
            }
            28 => {
                file.extend_from_slice(&left.to_be_bytes()[1..]);
                file.push(0);
                file.extend_from_slice(&right.to_be_bytes()[1..]);
            }
            _ => {
                file.extend_from_slice(&left.to_be_bytes());
                file.extend_from_slice(&right.to_be_bytes());
            }
        }
        file.extend_from_slice(&[0; 16]);
        file.extend_from_slice(value);
        file.extend_from_slice(MARKER);
        file.push(7 << 5 | 5);
        for (name, value) in [
            ("node_count", 1),
            ("record_size", record_bits),
            ("ip_version", 4),
            ("binary_format_major_version", 2),
        ] {
            text(&mut file, name);
            number(&mut file, value);
        }
        text(&mut file, "database_type");
        text(&mut file, "Test");
        file
    }

    fn country() -> Vec<u8> {
        let mut value = vec![7 << 5 | 2];
        text(&mut value, "continent");
        // An array of a boolean and a pointer.
        value.extend_from_slice(&[2, 4, 0, 7, 1 << 5, 1]);
        text(&mut value, "country");
        value.push(7 << 5 | 2);
        text(&mut value, "geoname_id");
        number(&mut value, 7);
        text(&mut value, "iso_code");
        text(&mut value, "de");
        value
    }

    #[test]
    fn countries_and_networks_are_found() {
        for bits in [24, 28, 32] {
            let database = Mmdb::parse(built(&country(), bits)).unwrap();
            assert_eq!(database.kind(), "Test");
            assert_eq!(
                database.country("1.2.3.4".parse().unwrap()).as_deref(),
                Some("DE"),
                "{bits}"
            );
            assert_eq!(
                database
                    .country("::ffff:1.2.3.4".parse().unwrap())
                    .as_deref(),
                Some("DE")
            );
            assert_eq!(database.country("200.2.3.4".parse().unwrap()), None);
            assert_eq!(database.country("2001:db8::1".parse().unwrap()), None);
            assert_eq!(database.network("1.2.3.4".parse().unwrap()), None);
        }
        let mut value = vec![7 << 5 | 1];
        text(&mut value, "autonomous_system_number");
        number(&mut value, 64_500);
        let database = Mmdb::parse(built(&value, 24)).unwrap();
        assert_eq!(database.network("1.2.3.4".parse().unwrap()), Some(64_500));
        let mut value = vec![7 << 5 | 2];
        text(&mut value, "asn");
        text(&mut value, "AS64501");
        text(&mut value, "country_code");
        text(&mut value, "FR");
        let database = Mmdb::parse(built(&value, 24)).unwrap();
        let address = "1.2.3.4".parse().unwrap();
        assert_eq!(
            (
                database.network(address),
                database.country(address).as_deref()
            ),
            (Some(64_501), Some("FR"))
        );
    }

    #[test]
    fn torn_and_damaged_files_are_nothing() {
        let whole = built(&country(), 28);
        assert!(Mmdb::parse(Vec::new()).is_none());
        assert!(Mmdb::parse(b"PK\x03\x04 a file of another kind".to_vec()).is_none());
        let address = "1.2.3.4".parse().unwrap();
        for end in 0..whole.len() {
            if let Some(database) = Mmdb::parse(whole[..end].to_vec()) {
                drop((database.country(address), database.network(address)));
            }
        }
        for at in 0..whole.len() {
            for byte in [0, 0x20, 0x3f, 0xe1, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                if let Some(database) = Mmdb::parse(damaged) {
                    drop((database.country(address), database.network(address)));
                }
            }
        }
    }
}
