//! Countries and networks of addresses, from files that the operator brings.
//!
//! A file that changes is read again. One that is missing, torn or of another kind leaves the one before in use; that is
//! logged once, and [`Databases::faults`] names it until it is mended. Without a file nothing is known.

use crate::mmdb::Mmdb;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// A file, and what was read of it.
#[derive(Debug, Default)]
struct Watched {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    path: Option<PathBuf>,
    /// Whether the file could not be read when it was last tried.
    is_faulty: bool,
    database: Option<Arc<Mmdb>>,
    /// Time and length of the file when it was last tried.
    tried: Option<(Option<SystemTime>, u64)>,
}

/// Both databases.
#[derive(Debug, Default)]
pub struct Databases {
    country: Watched,
    asn: Watched,
}

impl Databases {
    /// Reads the files.
    #[must_use]
    pub fn new(country: Option<PathBuf>, asn: Option<PathBuf>) -> Self {
        let databases = Self::default();
        databases.set_files(country, asn);
        databases.reload();
        databases
    }

    /// Takes other files; they are read with the next [`Databases::reload`].
    pub fn set_files(&self, country: Option<PathBuf>, asn: Option<PathBuf>) {
        self.country.set_file(country);
        self.asn.set_file(asn);
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
        let files = [("country_db", &self.country), ("asn_db", &self.asn)];
        let configured = files.into_iter().filter_map(|(key, file)| {
            let state = file.state();
            state.path.is_some().then_some((key, !state.is_faulty))
        });
        configured.collect()
    }

    /// Reads the files that have changed. This blocks.
    pub fn reload(&self) {
        self.country.reload();
        self.asn.reload();
    }

    /// Returns the country of an address, as two capital letters.
    #[must_use]
    pub fn country(&self, address: IpAddr) -> Option<String> {
        self.country.database()?.country(address)
    }

    /// Returns the number of the network of an address.
    #[must_use]
    pub fn network(&self, address: IpAddr) -> Option<u32> {
        self.asn.database()?.network(address)
    }
}

impl Watched {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn database(&self) -> Option<Arc<Mmdb>> {
        self.state().database.clone()
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
        let opened = Mmdb::open(&path);
        let mut state = self.state();
        state.is_faulty = opened.is_err();
        match opened {
            Ok(database) => {
                tracing::info!(path = %path.display(), kind = database.kind(), "read a database of addresses");
                state.database = Some(Arc::new(database));
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a database of addresses cannot be read; the one before stays in use");
            }
        }
    }
}
