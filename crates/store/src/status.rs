//! State of the writer, for the collector's own metrics and log: one owner, many readers.

use crate::crowding::{Crowding, Purpose};
use crate::expiry::Retention;
use crate::spread::Place;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// State of the link to the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Not connected; trying.
    #[default]
    Connecting,
    /// Connected and delivering.
    Connected,
    /// Connected, but another collector writes for this host; nothing is sampled meanwhile.
    Waiting,
    /// The database may not be written to: schema, rights, or a spool that is not its own.
    Refused,
}

impl Link {
    /// Returns the word stored in `collector_self_metrics.db_state`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
        }
    }
}

/// The host that does the work for all hosts of the store (see [`turn`](crate::turn)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keeper {
    /// Nobody, or it is not known yet.
    #[default]
    Nobody,
    /// This one.
    This,
    /// Another one.
    Other,
}

/// Counters and state since the collector started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// State of the link.
    pub link: Link,
    /// Why the link is down or rows wait. Without secrets.
    pub error: Option<String>,
    /// Transactions committed.
    pub commits: u64,
    /// Rows committed.
    pub rows_written: u64,
    /// Records given up, each in `data_gaps`.
    pub lost_records: u64,
    /// The same by reason.
    pub lost_by_reason: BTreeMap<String, u64>,
    /// Rows dead-lettered: refused by the server and stored in `dead_letter`.
    pub dead_letters: u64,
    /// Connections opened.
    pub connections: u64,
    /// Retention of this host as the database has it; `None` until it was stored.
    pub retention: Option<Retention>,
    /// By how much the host's clock was ahead of the server's when they were last compared, microseconds.
    pub clock_ahead_micros: i64,
    /// Who rolls up for all hosts, as of the last heartbeat.
    pub keeper: Keeper,
    /// Who measures the store and removes what is expired, as of the last heartbeat.
    pub upkeep: Keeper,
    /// The place of this machine among the hosts of the store.
    pub place: Place,
    /// Sessions that the database has no room for.
    pub crowding: Crowding,
}

/// The status, shared.
#[derive(Clone, Debug, Default)]
pub struct SharedStatus(Arc<Mutex<Status>>);

impl SharedStatus {
    /// Returns a copy of the status as it is now.
    #[must_use]
    pub fn get(&self) -> Status {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes the status.
    pub fn update(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Notes how opening a session ended, as [`Crowding::note`] does.
    pub fn note_room(&self, purpose: Purpose, refusal: Option<String>) -> Option<bool> {
        let mut status = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        status.crowding.note(purpose, refusal)
    }

    /// Returns whether the database has no room for a session.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        let status = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        status.crowding.is_any()
    }

    /// Sets the link and its error; returns whether that is news, so that a change is logged once.
    pub fn link(&self, link: Link, error: Option<String>) -> bool {
        let mut status = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let news = status.link != link || (error.is_some() && status.error != error);
        status.link = link;
        status.error = error;
        news
    }
}
