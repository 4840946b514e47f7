//! All judges of the tick, with the memory that they share.

use crate::delivery::DeliveryJudge;
use crate::judge::{Judge, TickFacts};
use crate::lifecycle::Lifecycle;
use crate::live::Intervals;
use crate::memory::Memory;
use crate::processes::ProcessJudge;
use crate::storing::StoringJudge;
use crate::thresholds::Thresholds;
use schema::expr::ExprError;
use schema::tables::FindingTransition;
use schema::{Row, Timestamp};

/// Judges rows as they are collected.
#[derive(Debug)]
pub struct TickJudges {
    memory: Memory,
    intervals: Intervals,
    thresholds: Thresholds,
    processes: ProcessJudge,
    delivery: DeliveryJudge,
    storing: StoringJudge,
}

impl TickJudges {
    /// Begins without rows.
    ///
    /// # Errors
    /// When an expression of the catalogue cannot be evaluated in memory; a test shows that all can.
    pub fn new(intervals: Intervals) -> Result<Self, ExprError> {
        Ok(Self {
            memory: Memory::new(intervals)?,
            intervals,
            thresholds: Thresholds::default(),
            processes: ProcessJudge::default(),
            delivery: DeliveryJudge::default(),
            storing: StoringJudge,
        })
    }

    /// Follows a change of what is watched, and how often.
    pub fn reconfigure(&mut self, intervals: Intervals) {
        self.intervals = intervals;
        self.memory.set_intervals(intervals);
        self.memory.forget_services();
        self.processes.forget();
    }

    /// Takes batches of rows, evaluates every judge up to `at` and returns the transitions that follow.
    #[must_use]
    pub fn judge(
        &mut self,
        batches: &[&[Row]],
        findings: &mut Lifecycle,
        at: Timestamp,
    ) -> Vec<(Timestamp, FindingTransition)> {
        for rows in batches {
            self.memory.take(rows);
        }
        let mut transitions = Vec::new();
        let evaluation = self.thresholds.evaluate(
            facts(&mut self.memory, batches, self.intervals),
            findings,
            at,
        );
        transitions.extend(findings.reconcile(evaluation, at));
        let evaluation = self.processes.evaluate(
            facts(&mut self.memory, batches, self.intervals),
            findings,
            at,
        );
        transitions.extend(findings.reconcile(evaluation, at));
        let evaluation = self.delivery.evaluate(
            facts(&mut self.memory, batches, self.intervals),
            findings,
            at,
        );
        transitions.extend(findings.reconcile(evaluation, at));
        let evaluation = self.storing.evaluate(
            facts(&mut self.memory, batches, self.intervals),
            findings,
            at,
        );
        transitions.extend(findings.reconcile(evaluation, at));
        transitions
    }
}

fn facts<'a>(memory: &'a mut Memory, rows: &'a [&'a [Row]], intervals: Intervals) -> TickFacts<'a> {
    TickFacts {
        memory,
        rows,
        intervals,
    }
}
