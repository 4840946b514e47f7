//! What is imported: files, packed ones, and what is in folders and archives.

use super::zip;
use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Bytes read at a time.
const PIECE: usize = 256 * 1024;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Lines of an access log.
    AccessLog,
    /// A table of a Plausible export, by its name.
    Plausible(&'static str),
    /// Events of an Umami export.
    Umami,
    /// Properties of such events.
    UmamiProps,
    /// A table of an export that holds nothing to count.
    Nothing,
}

impl Kind {
    /// Returns its name as stored.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::AccessLog => "access log",
            Self::Plausible(_) => "Plausible",
            Self::Umami | Self::UmamiProps => "Umami",
            Self::Nothing => "",
        }
    }
}

/// Tables of a Plausible export.
const PLAUSIBLE: &[&str] = &[
    "imported_visitors",
    "imported_sources",
    "imported_pages",
    "imported_entry_pages",
    "imported_exit_pages",
    "imported_custom_events",
    "imported_locations",
    "imported_devices",
    "imported_browsers",
    "imported_operating_systems",
];

#[derive(Clone, Debug)]
enum Place {
    File,
    Packed,
    Entry(zip::Entry),
}

/// A file to import, with the digest of what it holds: the same whether it is packed or not.
#[derive(Clone, Debug)]
pub struct Source {
    path: PathBuf,
    place: Place,
    /// As messages name it.
    pub name: String,
    pub(super) kind: Kind,
    pub(super) digest: [u8; 32],
}

impl Source {
    /// Finds the files below a path: itself, what is in the folder, or what is in the archive.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn find(path: &Path) -> io::Result<Vec<Self>> {
        let mut found = Vec::new();
        if path.is_dir() {
            let mut paths: Vec<PathBuf> = std::fs::read_dir(path)?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<io::Result<_>>()?;
            paths.sort();
            for path in paths.into_iter().filter(|path| path.is_file()) {
                found.extend(Self::find(&path).map_err(|error| named(&path, &error))?);
            }
            return Ok(found);
        }
        let mut head = [0; 4];
        let read = File::open(path)?.read(&mut head)?;
        let name = path.display().to_string();
        if head.starts_with(b"PK\x03\x04") {
            for entry in zip::entries(path)? {
                let name = format!("{name}:{}", entry.name);
                found.push(Self::of(path, Place::Entry(entry), name)?);
            }
        } else {
            let is_packed = read >= 2 && head.starts_with(b"\x1f\x8b");
            let place = if is_packed {
                Place::Packed
            } else {
                Place::File
            };
            found.push(Self::of(path, place, name)?);
        }
        Ok(found)
    }

    fn of(path: &Path, place: Place, name: String) -> io::Result<Self> {
        let mut source = Self {
            path: path.to_owned(),
            place,
            name,
            kind: Kind::Nothing,
            digest: [0; 32],
        };
        let mut from = source.open()?;
        let first = String::from_utf8_lossy(from.fill_buf()?).into_owned();
        source.kind = kind(&source.name, first.lines().next().unwrap_or_default());
        let mut hash = Sha256::new();
        loop {
            let piece = from.fill_buf()?;
            if piece.is_empty() {
                break;
            }
            hash.update(piece);
            let length = piece.len();
            from.consume(length);
        }
        source.digest = hash.finalize().into();
        Ok(source)
    }

    /// Opens it for reading, unpacked.
    pub(super) fn open(&self) -> io::Result<Box<dyn BufRead + Send>> {
        let from: Box<dyn Read + Send> = match &self.place {
            Place::File => {
                return Ok(Box::new(BufReader::with_capacity(
                    PIECE,
                    File::open(&self.path)?,
                )));
            }
            Place::Packed => Box::new(MultiGzDecoder::new(BufReader::new(File::open(&self.path)?))),
            Place::Entry(entry) => zip::open(&self.path, entry)?,
        };
        Ok(Box::new(BufReader::with_capacity(PIECE, from)))
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Tells what a file holds by its name and its first line.
fn kind(name: &str, first: &str) -> Kind {
    let base = name.rsplit(['/', ':']).next().unwrap_or(name);
    // The longest name that fits: imported_pages is not imported_entry_pages.
    let table = PLAUSIBLE.iter().find(|table| {
        base.strip_prefix(**table)
            .is_some_and(|rest| rest.starts_with(['_', '.']) && rest.ends_with(".csv"))
    });
    let columns: Vec<&str> = first
        .trim_start_matches('\u{feff}')
        .trim_end()
        .split(',')
        .map(|column| column.trim_matches('"'))
        .collect();
    let has = |name: &str| columns.contains(&name);
    match table {
        Some(table) => Kind::Plausible(table),
        None if has("event_id") && has("data_key") => Kind::UmamiProps,
        None if has("event_id") && has("session_id") && has("event_type") => Kind::Umami,
        None if has("website_id") || base.ends_with(".csv") => Kind::Nothing,
        None => Kind::AccessLog,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart() {
        for (name, first, wanted) in [
            (
                "/var/log/access.log.2.gz",
                "192.0.2.1 - - [",
                Kind::AccessLog,
            ),
            (
                "x.zip:imported_pages_20230209_20240123.csv",
                "\"date\"",
                Kind::Plausible("imported_pages"),
            ),
            (
                "imported_entry_pages_20230209_20240123.csv",
                "",
                Kind::Plausible("imported_entry_pages"),
            ),
            (
                "imported_visitors.csv",
                "",
                Kind::Plausible("imported_visitors"),
            ),
            ("imported_visitors.csv.bak", "", Kind::AccessLog),
            (
                "a.zip:website_event.csv",
                "website_id,session_id,visit_id,event_id,event_type",
                Kind::Umami,
            ),
            (
                "a.zip:event_data.csv",
                "\u{feff}website_id,session_id,event_id,data_key",
                Kind::UmamiProps,
            ),
            (
                "a.zip:session_data.csv",
                "website_id,session_id,data_key",
                Kind::Nothing,
            ),
            ("other.csv", "a,b", Kind::Nothing),
        ] {
            assert_eq!(kind(name, first), wanted, "{name}");
        }
    }
}
