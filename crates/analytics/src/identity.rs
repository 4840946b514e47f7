//! Who visits, for one day: a keyed hash that nobody can reverse once the day is over.
//!
//! A visitor is eight bytes of HMAC-SHA-256 over the address and the user agent, keyed with 32 random bytes of the site and its
//! day. The key (*salt*) is in memory and in one file on a file system in memory, so that a restart does not count
//! everybody twice; it is never in the database, the queue or a log. When the day is over, it is overwritten with
//! zeros in both places. An IPv6 address counts by its /64, within which a machine changes it by itself.
//!
//! The file has one line for each site: `SITE DATE HEX`. Where its folder is not on such a file system, salts are in memory only.
//! A salt that has to be made anew while a day is under way, after a reboot, counts the day's visitors again: then
//! [`Salts::of`] reports it.

use crate::client_address::prefix;
use crate::word::first_eight;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Seek as _, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use zeroize::{Zeroize as _, Zeroizing};

/// `TMPFS_MAGIC` and `RAMFS_MAGIC` of `statfs(2)`.
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];
/// Largest file that is read: a line has less than 400 bytes.
const MOST_BYTES: u64 = 1 << 20;

/// The salt of one site and day.
#[derive(Clone)]
struct Salt {
    date: Date,
    bytes: Zeroizing<[u8; 32]>,
}

/// The salts of all sites.
pub struct Salts {
    file: Option<PathBuf>,
    by_site: BTreeMap<String, Salt>,
}

impl std::fmt::Debug for Salts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Salts")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

/// The key under which a visitor is hashed.
#[derive(Debug)]
pub struct DaySalt {
    bytes: Zeroizing<[u8; 32]>,
    /// Whether it was made while its day was under way, so visitors before may be counted again.
    pub is_renewed: bool,
}

impl Salts {
    /// Returns salts that are in memory only.
    #[must_use]
    pub const fn in_memory() -> Self {
        Self {
            file: None,
            by_site: BTreeMap::new(),
        }
    }

    /// Opens the file of salts; makes its folder if there is none.
    ///
    /// # Errors
    /// When the folder cannot be used or is not in memory. A file that cannot be read counts as empty.
    pub fn open(path: &Path) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let kind = rustix::fs::statfs(folder)?.f_type;
        #[expect(
            clippy::useless_conversion,
            reason = "its type differs among architectures"
        )]
        let is_in_memory = i64::try_from(kind).is_ok_and(|kind| IN_MEMORY.contains(&kind));
        if !is_in_memory {
            return Err(io::Error::other(
                "its folder is not on a file system in memory (tmpfs)",
            ));
        }
        let by_site = read(path).unwrap_or_default();
        Ok(Self {
            file: Some(path.to_owned()),
            by_site,
        })
    }

    /// Returns the salt of a site and day, a new one if there is none or if it is one of another day. The other is gone
    /// afterwards.
    ///
    /// # Errors
    /// When the kernel gives no random bytes.
    pub fn of(&mut self, site: &str, date: Date) -> io::Result<DaySalt> {
        let known = self.by_site.get(site);
        if let Some(salt) = known.filter(|salt| salt.date == date) {
            return Ok(DaySalt {
                bytes: salt.bytes.clone(),
                is_renewed: false,
            });
        }
        // With a salt of the day before, the day begins with this request; without any, it may have begun earlier.
        let is_renewed = known.is_none();
        let bytes = random_bytes()?;
        self.by_site.insert(
            site.to_owned(),
            Salt {
                date,
                bytes: bytes.clone(),
            },
        );
        self.store();
        Ok(DaySalt { bytes, is_renewed })
    }

    /// Forgets salts of days that are over. `today` returns the day of a site.
    pub fn expire(&mut self, today: impl Fn(&str) -> Option<Date>) {
        let count = self.by_site.len();
        self.by_site
            .retain(|site, salt| today(site) == Some(salt.date));
        if self.by_site.len() != count {
            self.store();
        }
    }

    /// Writes the file. A failure costs what a reboot costs, so it is logged and not returned.
    fn store(&self) {
        let Some(path) = &self.file else { return };
        let mut text = Zeroizing::new(String::new());
        for (site, salt) in &self.by_site {
            text.push_str(&format!("{site} {} ", salt.date));
            for byte in salt.bytes.iter() {
                text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
                text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
            }
            text.push('\n');
        }
        if let Err(error) = replace(path, &text) {
            tracing::warn!(%error, path = %path.display(), "salts cannot be kept over a restart");
        }
    }
}

impl DaySalt {
    /// Returns a new one, which is kept nowhere.
    ///
    /// # Errors
    /// When the kernel gives no random bytes.
    pub fn random() -> io::Result<Self> {
        Ok(Self {
            bytes: random_bytes()?,
            is_renewed: false,
        })
    }

    /// Returns the visitor behind an address and a user agent.
    #[must_use]
    pub fn visitor(&self, site: &str, address: IpAddr, user_agent: &[u8]) -> i64 {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.bytes.as_slice()) else {
            // Keys of any length are accepted.
            return 0;
        };
        mac.update(site.as_bytes());
        mac.update(&[0]);
        match prefix(address.to_canonical(), 32, 64) {
            IpAddr::V4(address) => mac.update(&address.octets()),
            IpAddr::V6(address) => mac.update(&address.octets()),
        }
        mac.update(&[0]);
        mac.update(user_agent);
        first_eight(&mac.finalize().into_bytes())
    }
}

fn random_bytes() -> io::Result<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

/// Returns the visitor behind an identifier that a browser keeps with consent: of one day, so that a browser which is
/// restored weeks later is a new visitor.
#[must_use]
pub fn consented_visitor(site: &str, date: Date, session: &str) -> i64 {
    let mut hash = Sha256::new();
    for part in [site, &date.to_string(), session] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    first_eight(&hash.finalize())
}

fn read(path: &Path) -> Option<BTreeMap<String, Salt>> {
    let length = fs::metadata(path).ok()?.len();
    if length > MOST_BYTES {
        return None;
    }
    let text = Zeroizing::new(fs::read_to_string(path).ok()?);
    let mut by_site = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let (Some(site), Some(date), Some(hex)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let mut bytes = Zeroizing::new([0; 32]);
        let is_whole = hex.len() == 64
            && bytes.iter_mut().enumerate().all(|(at, byte)| {
                let digits = hex
                    .get(2 * at..2 * at + 2)
                    .and_then(|two| u8::from_str_radix(two, 16).ok());
                digits.map(|value| *byte = value).is_some()
            });
        if let (Ok(date), true) = (date.parse(), is_whole) {
            by_site.insert(site.to_owned(), Salt { date, bytes });
        }
    }
    Some(by_site)
}

/// Writes a new file beside the old one, overwrites the old one with zeros, and puts the new one in its place.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    let mut new = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    new.write_all(text.as_bytes())?;
    if let Ok(mut old) = fs::OpenOptions::new().write(true).open(path) {
        let mut zeros =
            vec![0; usize::try_from(old.metadata()?.len().min(MOST_BYTES)).unwrap_or(0)];
        old.rewind()?;
        old.write_all(&zeros)?;
        zeros.zeroize();
    }
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_visitor_is_one_for_a_day_and_site() {
        let mut salts = Salts::in_memory();
        let monday = date("2026-11-23");
        let salt = salts.of("a.example", monday).unwrap();
        assert!(salt.is_renewed);
        let visitor = salt.visitor("a.example", address("192.0.2.1"), b"agent");
        let again = salts.of("a.example", monday).unwrap();
        assert!(!again.is_renewed);
        assert_eq!(
            again.visitor("a.example", address("192.0.2.1"), b"agent"),
            visitor
        );
        assert_eq!(
            again.visitor("a.example", address("::ffff:192.0.2.1"), b"agent"),
            visitor
        );
        for (site, ip, agent) in [
            ("b.example", "192.0.2.1", "agent"),
            ("a.example", "192.0.2.2", "agent"),
            ("a.example", "192.0.2.1", "other"),
        ] {
            assert_ne!(again.visitor(site, address(ip), agent.as_bytes()), visitor);
        }
        let six = again.visitor("a.example", address("2001:db8::1"), b"agent");
        assert_eq!(
            again.visitor("a.example", address("2001:db8::2"), b"agent"),
            six
        );
        assert_ne!(
            again.visitor("a.example", address("2001:db8:0:1::1"), b"agent"),
            six
        );
        let tuesday = salts.of("a.example", date("2026-11-24")).unwrap();
        assert!(!tuesday.is_renewed);
        assert_ne!(
            tuesday.visitor("a.example", address("192.0.2.1"), b"agent"),
            visitor
        );
    }

    #[test]
    fn an_identifier_lives_for_a_day() {
        let of = |site, day| consented_visitor(site, date(day), "0123456789abcdef");
        assert_eq!(of("a.example", "2026-11-23"), of("a.example", "2026-11-23"));
        assert_ne!(of("a.example", "2026-11-23"), of("a.example", "2026-11-24"));
        assert_ne!(of("a.example", "2026-11-23"), of("b.example", "2026-11-23"));
    }

    #[test]
    fn salts_outlive_the_program_and_not_the_day() {
        let Ok(folder) = tempfile::tempdir_in("/dev/shm") else {
            return;
        };
        let path = folder.path().join("run/salts");
        let monday = date("2026-11-23");
        let visitor = |salts: &mut Salts, day| {
            salts
                .of("a.example", day)
                .unwrap()
                .visitor("a.example", address("192.0.2.1"), b"agent")
        };
        let mut salts = Salts::open(&path).unwrap();
        let before = visitor(&mut salts, monday);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let mut restarted = Salts::open(&path).unwrap();
        assert_eq!(visitor(&mut restarted, monday), before);
        // An open descriptor of the old file shows what is left of it.
        let mut old = fs::File::open(&path).unwrap();
        restarted.expire(|_| Some(date("2026-11-24")));
        let mut left = Vec::new();
        io::Read::read_to_end(&mut old, &mut left).unwrap();
        assert!(left.iter().all(|byte| *byte == 0), "{left:?}");
        assert_eq!(fs::read(&path).unwrap(), b"");
        assert_ne!(visitor(&mut Salts::open(&path).unwrap(), monday), before);
    }

    #[test]
    fn a_damaged_file_counts_as_none() {
        let Ok(folder) = tempfile::tempdir_in("/dev/shm") else {
            return;
        };
        let path = folder.path().join("salts");
        for text in [
            "",
            "a.example",
            "a.example 2026-11-23 00",
            "a.example x 00\n\n",
            "\u{fffd} 2026-13-01 zz",
        ] {
            fs::write(&path, text).unwrap();
            assert!(Salts::open(&path).unwrap().by_site.is_empty(), "{text:?}");
        }
    }
}
