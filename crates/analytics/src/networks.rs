//! Files that the operator brings: countries and networks of addresses, and hosts that are known for spam.
//!
//! A file that changes is read again. One that is missing, torn or of another kind leaves the one before in use; that is
//! logged once, and [`Databases::faults`] names it until it is mended. Without a file nothing is known.

use crate::host_name;
use crate::mmdb::Mmdb;
use crate::page_url::Referrer;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Largest list of hosts; the public ones have some 50 KB.
const MOST_LIST_BYTES: u64 = 16 << 20;

/// Where the files are; none is needed.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Countries: `country_db`.
    pub country: Option<PathBuf>,
    /// Networks: `asn_db`.
    pub asn: Option<PathBuf>,
    /// Hosts that are known for spam: `spam_referrers`.
    pub spam: Option<PathBuf>,
}

/// A file, and what was read of it.
#[derive(Debug)]
struct Watched<T> {
    state: Mutex<State<T>>,
    /// Reads a file; tells with what words the log names it.
    open: fn(&Path) -> io::Result<(T, String)>,
}

#[derive(Debug)]
struct State<T> {
    path: Option<PathBuf>,
    /// Whether the file could not be read when it was last tried.
    is_faulty: bool,
    read: Option<Arc<T>>,
    /// Time and length of the file when it was last tried.
    tried: Option<(Option<SystemTime>, u64)>,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self {
            path: None,
            is_faulty: false,
            read: None,
            tried: None,
        }
    }
}

/// What was read of all files.
#[derive(Debug)]
pub struct Databases {
    country: Watched<Mmdb>,
    asn: Watched<Mmdb>,
    spam: Watched<HashSet<String>>,
}

impl Default for Databases {
    fn default() -> Self {
        Self {
            country: Watched::new(open_database),
            asn: Watched::new(open_database),
            spam: Watched::new(open_hosts),
        }
    }
}

impl Databases {
    /// Reads the files.
    #[must_use]
    pub fn new(files: Files) -> Self {
        let databases = Self::default();
        databases.set_files(files);
        databases.reload();
        databases
    }

    /// Takes other files; they are read with the next [`Databases::reload`].
    pub fn set_files(&self, files: Files) {
        self.country.set_file(files.country);
        self.asn.set_file(files.asn);
        self.spam.set_file(files.spam);
    }

    /// Returns the keys of the files that could not be read when they were last tried.
    #[must_use]
    pub fn faults(&self) -> Vec<&'static str> {
        let faulty = self.files().into_iter().filter(|(_, readable)| !readable);
        faulty.map(|(key, _)| key).collect()
    }

    /// Returns the keys of the files that are configured, and whether they could be read when they were last tried.
    #[must_use]
    pub fn files(&self) -> Vec<(&'static str, bool)> {
        let files = [
            ("country_db", self.country.is_readable()),
            ("asn_db", self.asn.is_readable()),
            ("spam_referrers", self.spam.is_readable()),
        ];
        let configured = files.into_iter();
        let configured = configured.filter_map(|(key, readable)| Some((key, readable?)));
        configured.collect()
    }

    /// Reads the files that have changed. This blocks.
    pub fn reload(&self) {
        self.country.reload();
        self.asn.reload();
        self.spam.reload();
    }

    /// Returns the country of an address, as two capital letters.
    #[must_use]
    pub fn country(&self, address: IpAddr) -> Option<String> {
        self.country.read()?.country(address)
    }

    /// Returns the number of the network of an address.
    #[must_use]
    pub fn network(&self, address: IpAddr) -> Option<u32> {
        self.asn.read()?.network(address)
    }

    /// Returns whether a visit comes from a host that is known for spam, or from one below it.
    #[must_use]
    pub fn is_spam(&self, referrer: &Referrer) -> bool {
        let Some(hosts) = self.spam.read() else {
            return false;
        };
        let mut host = referrer.host.as_str();
        loop {
            if hosts.contains(host) {
                return true;
            }
            match host.split_once('.') {
                Some((_, parent)) => host = parent,
                None => return false,
            }
        }
    }
}

fn open_database(path: &Path) -> io::Result<(Mmdb, String)> {
    let database = Mmdb::open(path)?;
    let kind = database.kind().to_owned();
    Ok((database, kind))
}

/// Reads a list of hosts, one in a line; `#` begins a comment. They are kept in their one form, as those of referrers are. A file without
/// any is not such a list.
fn open_hosts(path: &Path) -> io::Result<(HashSet<String>, String)> {
    if fs::metadata(path)?.len() > MOST_LIST_BYTES {
        return Err(io::Error::other("it is larger than any list of hosts"));
    }
    let text = fs::read_to_string(path)?;
    let hosts = text
        .lines()
        .filter_map(|line| line.split('#').next())
        .filter_map(|line| host_name::canonical(line.trim()));
    let hosts: HashSet<String> = hosts.collect();
    if hosts.is_empty() && !text.trim().is_empty() {
        return Err(io::Error::other("no line of it is a host"));
    }
    let kind = format!("{} hosts", hosts.len());
    Ok((hosts, kind))
}

impl<T> Watched<T> {
    fn new(open: fn(&Path) -> io::Result<(T, String)>) -> Self {
        Self {
            state: Mutex::default(),
            open,
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> Option<Arc<T>> {
        self.state().read.clone()
    }

    /// Returns whether the file can be read; nothing where none is configured.
    fn is_readable(&self) -> Option<bool> {
        let state = self.state();
        state.path.is_some().then_some(!state.is_faulty)
    }

    fn set_file(&self, path: Option<PathBuf>) {
        let mut state = self.state();
        if state.path == path {
            return;
        }
        // What another file says is not known by this one.
        *state = State {
            path,
            ..State::default()
        };
    }

    fn reload(&self) {
        let Some(path) = self.state().path.clone() else {
            return;
        };
        let found =
            fs::metadata(&path).map_or((None, 0), |meta| (meta.modified().ok(), meta.len()));
        if self.state().tried.replace(found) == Some(found) {
            return;
        }
        let opened = (self.open)(&path);
        let mut state = self.state();
        state.is_faulty = opened.is_err();
        match opened {
            Ok((read, kind)) => {
                tracing::info!(path = %path.display(), kind, "read a file of addresses or hosts");
                state.read = Some(Arc::new(read));
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a file of addresses or hosts cannot be read; the one before stays in use");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_spam_are_found_as_referrers_state_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spam.txt");
        let text = "# known\nSpam.example \n\nпример.рф # paid\n10.0.0.1\nnot a host\n";
        fs::write(&path, text).unwrap();
        let databases = Databases::new(Files {
            spam: Some(path.clone()),
            ..Files::default()
        });
        assert_eq!(databases.files(), [("spam_referrers", true)]);
        let is_spam = |url: &str| Referrer::parse(url).is_some_and(|one| databases.is_spam(&one));
        for (url, wanted) in [
            ("https://spam.example/a", true),
            ("http://WWW.Spam.Example:8080/", true),
            ("https://пример.рф/", true),
            ("https://www.xn--e1afmkfd.xn--p1ai/", true),
            ("https://10.0.0.1/", true),
            ("https://nospam.example/", false),
            ("https://spam.example.org/", false),
        ] {
            assert_eq!(is_spam(url), wanted, "{url}");
        }
        // What cannot be read leaves the one before in use, and is told until it is mended.
        for torn in [&b"\xff\xfe"[..], b"<html>\n404 not here\n"] {
            fs::write(&path, torn).unwrap();
            databases.reload();
            assert_eq!(databases.faults(), ["spam_referrers"]);
            assert!(is_spam("https://spam.example/"));
        }
        fs::write(&path, "other.example\n").unwrap();
        databases.reload();
        assert!(databases.faults().is_empty());
        assert!(is_spam("https://other.example/") && !is_spam("https://spam.example/"));
    }
}
