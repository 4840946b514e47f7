//! What the receiver counts of itself since it began, for [`crate::server`]'s `metrics` and `readyz`.
//!
//! Refusals are counted where they happen: those of a request as it is answered, those of delivery once their transaction is stored,
//! so that one that is tried again counts once.

use crate::refusal::{Reason, Refusal};
use exposition::{Histogram, Page, Requests};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Upper bounds of the buckets of acknowledgement, seconds. One waits for two syncs of the disk at most: 10 ms are usual, 50 ms are the
/// aim for one in a hundred at 5,000 a second.
const ACKNOWLEDGED: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 1.0, 2.5,
];

/// The figures, shared between requests and delivery.
#[derive(Debug)]
pub struct Figures {
    counts: Mutex<Counts>,
    /// Time from the whole body to its hit being on disk.
    pub(crate) acknowledged: Histogram,
    pub(crate) requests: Requests,
}

#[derive(Debug, Default)]
struct Counts {
    /// Reports and events by site.
    accepted: BTreeMap<Arc<str>, (u64, u64)>,
    refused: BTreeMap<Reason, u64>,
    stored: u64,
    store: Store,
}

/// Where delivery stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Store {
    /// It has not connected yet.
    #[default]
    Connecting,
    /// The last transaction was stored.
    Up,
    /// The database does not take hits, for a reason.
    Away(String),
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            counts: Mutex::default(),
            acknowledged: Histogram::new(ACKNOWLEDGED),
            requests: Requests::default(),
        }
    }
}

impl Figures {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a report that was acknowledged, and its events.
    pub(crate) fn accept(&self, site: &Arc<str>, events: u32) {
        let mut counts = self.counts();
        let (reports, of_site) = counts.accepted.entry(Arc::clone(site)).or_default();
        *reports += 1;
        *of_site += u64::from(events);
    }

    /// Counts refusals; what is no refusal but counted beside them is left out.
    pub(crate) fn refuse(&self, refusal: Refusal, count: i64) {
        if refusal.reason.is_refusal() {
            let count = u64::try_from(count).unwrap_or(0);
            *self.counts().refused.entry(refusal.reason).or_default() += count;
        }
    }

    /// Notes that a transaction with so many hits was stored.
    pub(crate) fn store(&self, hits: usize) {
        let mut counts = self.counts();
        counts.stored += hits as u64;
        counts.store = Store::Up;
    }

    /// Notes why the database takes nothing.
    pub(crate) fn lose_store(&self, why: String) {
        self.counts().store = Store::Away(why);
    }

    /// Returns where delivery stands.
    #[must_use]
    pub fn stored(&self) -> Store {
        self.counts().store.clone()
    }

    /// Writes the families. `sites` have a sample even before their first report.
    pub(crate) fn write(&self, page: &mut Page, sites: impl Iterator<Item = Arc<str>>) {
        let counts = self.counts();
        let mut accepted = counts.accepted.clone();
        for site in sites {
            accepted.entry(site).or_default();
        }
        for (name, help, of) in [
            (
                "pqcrypta_analytics_reports_accepted_total",
                "Reports of pages that are on disk, by site.",
                (|counts: &(u64, u64)| counts.0) as fn(&(u64, u64)) -> u64,
            ),
            (
                "pqcrypta_analytics_events_accepted_total",
                "Events in these reports, by site.",
                |counts| counts.1,
            ),
        ] {
            page.family(name, "counter", help);
            for (site, counts) in &accepted {
                page.sample(name, &[("site", site)], of(counts) as f64);
            }
        }
        page.family(
            "pqcrypta_analytics_refused_total",
            "counter",
            "Reports and events that do not count, by reason.",
        );
        for reason in Reason::ALL.into_iter().filter(|one| one.is_refusal()) {
            let count = counts.refused.get(&reason).copied().unwrap_or(0);
            page.sample(
                "pqcrypta_analytics_refused_total",
                &[("reason", reason.as_str())],
                count as f64,
            );
        }
        page.counter(
            "pqcrypta_analytics_hits_stored_total",
            "Acknowledged reports that the database has.",
            counts.stored as f64,
        );
        page.one(
            "pqcrypta_analytics_database_up",
            "Whether the database took the last transaction.",
            f64::from(u8::from(counts.store == Store::Up)),
        );
        drop(counts);
        self.acknowledged.write(
            page,
            "pqcrypta_analytics_acknowledge_duration_seconds",
            "Time from the whole report to its being on disk, of those that were accepted.",
        );
        self.requests
            .write(page, "pqcrypta_analytics_request_duration_seconds");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_and_every_site_has_a_sample() {
        let figures = Figures::default();
        figures.accept(&Arc::from("a.example"), 3);
        figures.refuse(Reason::Bot.into(), 2);
        figures.refuse(Reason::AddressFile.into(), 1);
        let mut page = Page::default();
        figures.write(&mut page, ["b.example"].map(Arc::from).into_iter());
        let page = page.finish();
        for line in [
            "pqcrypta_analytics_reports_accepted_total{site=\"a.example\"} 1",
            "pqcrypta_analytics_events_accepted_total{site=\"a.example\"} 3",
            "pqcrypta_analytics_events_accepted_total{site=\"b.example\"} 0",
            "pqcrypta_analytics_refused_total{reason=\"bot\"} 2",
            "pqcrypta_analytics_refused_total{reason=\"invalid\"} 0",
            "pqcrypta_analytics_database_up 0",
        ] {
            assert!(page.contains(&format!("{line}\n")), "{line}\n{page}");
        }
        assert!(!page.contains("address_file"), "{page}");
    }
}
