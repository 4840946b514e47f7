//! Countries and networks of addresses, from files that the operator brings.
//!
//! A file that changes is read again. One that is missing, torn or of another kind leaves the one before in use; that is
//! logged once. Without a file nothing is known.

use crate::mmdb::Mmdb;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// A file, and what was read of it.
#[derive(Debug, Default)]
struct Watched {
    path: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
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
        let watched = |path| Watched {
            path,
            state: Mutex::default(),
        };
        let databases = Self {
            country: watched(country),
            asn: watched(asn),
        };
        databases.reload();
        databases
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
    fn database(&self) -> Option<Arc<Mmdb>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.database.clone()
    }

    fn reload(&self) {
        let Some(path) = &self.path else { return };
        let found = fs::metadata(path).map_or((None, 0), |meta| (meta.modified().ok(), meta.len()));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.tried == Some(found) {
            return;
        }
        state.tried = Some(found);
        drop(state);
        match Mmdb::open(path) {
            Ok(database) => {
                tracing::info!(path = %path.display(), kind = database.kind(), "read a database of addresses");
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.database = Some(Arc::new(database));
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a database of addresses cannot be read; the one before stays in use");
            }
        }
    }
}
