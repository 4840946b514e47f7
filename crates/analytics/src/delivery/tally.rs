//! Refusals, counted in memory by site, minute and reason until the next transaction stores them.

use super::SiteName;
use crate::figures::Figures;
use crate::refusal::{Reason, Refusal};
use crate::visits::minute;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most counts in memory: an outage of a week at ten reasons a minute.
const MOST_COUNTS: usize = 100_000;

/// Counts by site, minute and refusal.
pub(super) type Counts = BTreeMap<(SiteName, i64, Refusal), i64>;

/// Refusals that wait to be stored, and what the receiver says of itself. Cloning shares both.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    waiting: Arc<Mutex<Counts>>,
    figures: Arc<Figures>,
}

impl Tally {
    /// Returns what the receiver says of itself.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    fn waiting(&self) -> MutexGuard<'_, Counts> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a refusal; `site` is empty when it names no known one.
    pub fn count(&self, site: &SiteName, at: i64, refusal: Refusal) {
        self.figures.refuse(refusal, 1);
        self.add((Arc::clone(site), minute(at), refusal), 1);
    }

    /// Counts reports that the queue lost.
    pub(super) fn count_lost(&self, at: i64, count: i64) {
        self.figures.refuse(Reason::Lost.into(), count);
        self.add((Arc::from(""), minute(at), Reason::Lost.into()), count);
    }

    fn add(&self, key: (SiteName, i64, Refusal), count: i64) {
        let mut counts = self.waiting();
        if counts.len() < MOST_COUNTS || counts.contains_key(&key) {
            *counts.entry(key).or_default() += count;
        }
    }

    /// Takes all counts.
    pub(super) fn take(&self) -> Counts {
        std::mem::take(&mut *self.waiting())
    }

    /// Adds counts that were not stored.
    pub(super) fn put_back(&self, counts: Counts) {
        for (key, count) in counts {
            self.add(key, count);
        }
    }
}
