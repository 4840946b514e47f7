//! The judges of the tick, and the findings that are open.
//!
//! The rows of a tick are judged before they are queued, and the transitions that follow are queued with them: so a
//! sample and what was concluded from it are durable together, and reach the database together. Judging is bounded work
//! in memory and needs no database. The judges of stored data hand in their evaluations ([`Findings::settle`]), and the
//! findings that the database had open at the start are continued ([`Findings::restore`]).

use config::Config;
use insight::health::Health;
use insight::judge::Judge;
use insight::live::Intervals;
use insight::normal::past::Past;
use insight::slos::SloFacts;
use insight::{Evaluation, Judged, Lifecycle, TickJudges};
use jiff::tz::TimeZone;
use schema::{Row, Sample, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::changes::Change;
use store::crowding::Crowding;
use store::findings::{Begun, OpenFinding, Recent};

/// Shared by whatever queues rows of a tick. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Findings(Arc<Mutex<State>>);

/// What the database has of the time before the start.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) open: Vec<OpenFinding>,
    /// What began and ended within the last hour.
    pub(crate) recent: Vec<Recent>,
    /// What began within the last month.
    pub(crate) begun: Vec<Begun>,
    /// Since when there are findings of this host.
    pub(crate) known_since: Option<Timestamp>,
    /// Changes of the last day.
    pub(crate) changes: Vec<Change>,
}

#[derive(Debug)]
struct State {
    judges: TickJudges,
    lifecycle: Lifecycle,
    is_restored: bool,
}

impl Findings {
    /// Begins without findings.
    ///
    /// # Errors
    /// When a metric of the catalogue cannot be evaluated in memory.
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(State {
            judges: TickJudges::new(intervals(config))?,
            lifecycle: Lifecycle::new(insight::rules()),
            is_restored: false,
        }))))
    }

    /// Notes that the run before this one was not stopped; `last` is when it wrote last.
    pub(crate) fn note_crash(&self, last: Timestamp) {
        self.lock().judges.note_crash(last);
    }

    /// Takes the sessions that the database has no room for now.
    pub(crate) fn note_crowding(&self, crowding: Crowding) {
        self.lock().judges.note_crowding(crowding);
    }

    /// Counts the hours of a day in this time zone.
    pub(crate) fn use_zone(&self, zone: TimeZone) {
        self.lock().judges.normal().use_zone(zone);
    }

    /// Returns what was learned about usual values.
    pub(crate) fn save_normal(&self) -> Vec<u8> {
        self.lock().judges.normal().save()
    }

    /// Continues what was learned. Returns the number of series.
    pub(crate) fn restore_normal(&self, bytes: &[u8]) -> usize {
        self.lock().judges.normal().restore(bytes)
    }

    /// Returns whether any series has been followed for long enough to be judged.
    pub(crate) fn knows_normal(&self) -> bool {
        self.lock().judges.normal().followed().1 > 0
    }

    /// Teaches the past of series.
    pub(crate) fn warm(&self, past: Vec<Past>) {
        for one in past {
            // Others may judge between two series.
            let mut state = self.lock();
            state.judges.normal().warm(one.metric, &one.key, one.values);
        }
    }

    /// Applies a change of the configuration.
    pub(crate) fn reconfigure(&self, config: &Config) {
        self.lock().judges.reconfigure(intervals(config));
    }

    /// Judges the rows that are about to be queued and adds what follows to the last batch.
    pub(crate) fn judge(&self, batches: &mut [(Timestamp, Vec<Row>)]) {
        let Some(at) = batches.iter().map(|(ts, _)| *ts).max() else {
            return;
        };
        let judged = {
            let new: Vec<&[Row]> = batches.iter().map(|(_, rows)| rows.as_slice()).collect();
            let state = &mut *self.lock();
            state.judges.judge(&new, &mut state.lifecycle, at)
        };
        if let Some((_, last)) = batches.last_mut() {
            let Judged {
                transitions,
                changes,
            } = judged;
            last.extend(rows(transitions));
            last.extend(rows(changes));
        }
    }

    /// Counts the confirmed findings of each severity, acknowledged ones too; `None` until those of the database were taken.
    pub(crate) fn open_by_severity(&self) -> Option<BTreeMap<&'static str, u64>> {
        let state = self.lock();
        state.is_restored.then(|| {
            let mut counts = BTreeMap::new();
            for (finding, _) in state.lifecycle.confirmed() {
                *counts.entry(finding.severity.as_str()).or_default() += 1;
            }
            counts
        })
    }

    /// Returns the rows of health scores.
    pub(crate) fn health(&self, objectives: &SloFacts, at: Timestamp) -> Vec<Row> {
        let mut health = Health::default();
        health.add_slos(objectives);
        let state = &mut *self.lock();
        health.add_findings(&state.lifecycle);
        state.judges.add_health(&mut health, at);
        health.rows(at)
    }

    /// Takes the evaluation of another judge and returns the transitions to be queued.
    pub(crate) fn settle(&self, evaluation: Evaluation, at: Timestamp) -> Vec<Row> {
        let state = &mut *self.lock();
        rows(state.judges.settle(evaluation, &mut state.lifecycle, at))
    }

    /// Evaluates a judge of stored data.
    pub(crate) fn evaluate<J: Judge>(
        &self,
        judge: &mut J,
        facts: J::Facts<'_>,
        at: Timestamp,
    ) -> Evaluation {
        judge.evaluate(facts, &self.lock().lifecycle, at)
    }

    /// Returns whether the findings of the database were taken.
    pub(crate) fn is_restored(&self) -> bool {
        self.lock().is_restored
    }

    /// Continues what the database has open, and begins to relate what begins together. Returns the transitions to be queued.
    pub(crate) fn restore(&self, stored: Stored, at: Timestamp) -> Vec<Row> {
        let state = &mut *self.lock();
        state.is_restored = true;
        let mut transitions = state.lifecycle.restore(stored.open, stored.recent, at);
        state.judges.note_changes(stored.changes);
        transitions.extend(state.judges.begin_relating(
            &stored.begun,
            stored.known_since.unwrap_or(at),
            &mut state.lifecycle,
            at,
        ));
        rows(transitions)
    }

    /// Takes changes of the host that its logs report.
    pub(crate) fn note_changes(&self, changes: Vec<Change>) {
        self.lock().judges.note_changes(changes);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rows<S: Sample>(samples: Vec<(Timestamp, S)>) -> Vec<Row> {
    let rows = samples.into_iter();
    rows.map(|(ts, sample)| sample.into_row(ts)).collect()
}

/// Returns the sampling intervals of a configuration.
pub(crate) fn intervals(config: &Config) -> Intervals {
    let micros = |secs: u32| i64::from(secs) * 1_000_000;
    Intervals {
        host: micros(config.intervals.system_secs),
        services: micros(config.intervals.app_secs),
    }
}
