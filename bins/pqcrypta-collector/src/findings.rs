//! The judges of the tick, and the findings that are open.
//!
//! The rows of a tick are judged before they are queued, and the transitions that follow are queued with them: so a
//! sample and what was concluded from it are durable together, and reach the database together. Judging is bounded work
//! in memory and needs no database. The judges of stored data hand in their evaluations ([`Findings::settle`]), and the
//! findings that the database had open at the start are continued ([`Findings::restore`]).

use config::Config;
use insight::delivery::DeliveryJudge;
use insight::judge::{Judge, TickFacts};
use insight::live::Intervals;
use insight::memory::Memory;
use insight::processes::ProcessJudge;
use insight::thresholds::Thresholds;
use insight::{Evaluation, Lifecycle};
use schema::tables::FindingTransition;
use schema::{Row, Sample, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::findings::{OpenFinding, Recent};

/// Shared by whatever queues rows of a tick. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Findings(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    memory: Memory,
    intervals: Intervals,
    judges: Judges,
    lifecycle: Lifecycle,
    is_restored: bool,
}

/// The judges of the tick.
#[derive(Debug, Default)]
struct Judges {
    thresholds: Thresholds,
    processes: ProcessJudge,
    delivery: DeliveryJudge,
}

impl Findings {
    /// Begins without findings.
    ///
    /// # Errors
    /// When a metric of the catalogue cannot be evaluated in memory.
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        let intervals = intervals(config);
        Ok(Self(Arc::new(Mutex::new(State {
            memory: Memory::new(intervals)?,
            intervals,
            judges: Judges::default(),
            lifecycle: Lifecycle::new(insight::rules()),
            is_restored: false,
        }))))
    }

    /// Applies a change of the configuration.
    pub(crate) fn reconfigure(&self, config: &Config) {
        let mut state = self.lock();
        state.intervals = intervals(config);
        let intervals = state.intervals;
        state.memory.set_intervals(intervals);
        state.memory.forget_services();
        state.judges.processes.forget();
    }

    /// Judges the rows that are about to be queued and adds the transitions that follow to the last batch.
    pub(crate) fn judge(&self, batches: &mut [(Timestamp, Vec<Row>)]) {
        let Some(at) = batches.iter().map(|(ts, _)| *ts).max() else {
            return;
        };
        let transitions = self.lock().judge(batches, at);
        if let Some((_, rows)) = batches.last_mut() {
            rows.extend(transitions);
        }
    }

    /// Takes the evaluation of another judge and returns the transitions to be queued.
    pub(crate) fn settle(&self, evaluation: Evaluation, at: Timestamp) -> Vec<Row> {
        rows(self.lock().lifecycle.reconcile(evaluation, at))
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

    /// Continues what the database has open. Returns the transitions to be queued.
    pub(crate) fn restore(
        &self,
        open: Vec<OpenFinding>,
        recent: Vec<Recent>,
        at: Timestamp,
    ) -> Vec<Row> {
        let mut state = self.lock();
        state.is_restored = true;
        rows(state.lifecycle.restore(open, recent, at))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn judge(&mut self, batches: &[(Timestamp, Vec<Row>)], at: Timestamp) -> Vec<Row> {
        let new: Vec<&[Row]> = batches.iter().map(|(_, rows)| rows.as_slice()).collect();
        for rows in &new {
            self.memory.take(rows);
        }
        let mut transitions = self.run(|judges| &mut judges.thresholds, &new, at);
        transitions.extend(self.run(|judges| &mut judges.processes, &new, at));
        transitions.extend(self.run(|judges| &mut judges.delivery, &new, at));
        rows(transitions)
    }

    /// Runs one judge of the tick.
    fn run<J>(
        &mut self,
        judge: fn(&mut Judges) -> &mut J,
        rows: &[&[Row]],
        at: Timestamp,
    ) -> Vec<(Timestamp, FindingTransition)>
    where
        J: for<'a> Judge<Facts<'a> = TickFacts<'a>>,
    {
        let facts = TickFacts {
            memory: &mut self.memory,
            rows,
            intervals: self.intervals,
        };
        let evaluation = judge(&mut self.judges).evaluate(facts, &self.lifecycle, at);
        self.lifecycle.reconcile(evaluation, at)
    }
}

fn rows(transitions: Vec<(Timestamp, FindingTransition)>) -> Vec<Row> {
    let rows = transitions.into_iter();
    rows.map(|(ts, transition)| transition.into_row(ts))
        .collect()
}

fn intervals(config: &Config) -> Intervals {
    let micros = |secs: u32| i64::from(secs) * 1_000_000;
    Intervals {
        host: micros(config.intervals.system_secs),
        services: micros(config.intervals.app_secs),
    }
}
