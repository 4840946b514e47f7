//! Service level objectives: whether they are met over 30 days, and whether their budget is spent too fast.
//!
//! An objective is a row of `slo_definitions` ([`Slo`]): a metric of the catalogue, a target, and the share that has to
//! be good. Where the metric is a ratio of events, and both figures say the same, its events are counted; else each minute is
//! judged by the mean of the metric in it. Minutes without data are neither good nor bad.
//!
//! [`SloJudge::fetch`] reads two hours of samples at most; all that is older are hours that were counted once, from roll-ups
//! (`slo_hours`). So a run costs the same whatever is stored, and after a restart it tells what it told before.
//!
//! What it reports ([`RULES`]): a budget that burns in both windows of a pair ([`PAIRS`]), an objective that is missed, and, where there
//! are too few events for either, that most of them were bad; each bad event of an objective that tolerates none; data that
//! are absent; and rows that cannot be judged.

mod counting;
mod definition;
mod facts;
mod findings;
mod tracking;

pub use definition::{Counts, Fault, Slo};
pub use facts::{SloFacts, Standing};
pub use tracking::Tracking;

use crate::judge::Judge;
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::live::Intervals;
use crate::rule::{Life, NoData, Rule};
use schema::finding::Kind;
use schema::micros::MINUTE;
use schema::{Severity, Timestamp};
use stats::burn::{self, Window};
use store::series::ReadError;
use tokio_postgres::Client;

/// So long after a start nothing is judged: a few samples have to be there first.
pub const GRACE: i64 = 2 * MINUTE;

const fn rule(id: &'static str, kind: Kind, title: &'static str, life: Life) -> Rule {
    Rule {
        id,
        kind,
        // Each finding has the domain of its metric.
        domain: "collector",
        title,
        life,
        because: &["target.up", "db.up"],
    }
}

/// A budget is spent too fast.
pub const BURN: Rule = rule(
    "slo_burn",
    Kind::Alert,
    "The error budget of an objective is spent too fast",
    Life::sampled(0),
);
/// An objective is missed.
pub const VIOLATION: Rule = rule(
    "slo_violation",
    Kind::Insight,
    "An objective is missed: its error budget is spent",
    Life::sampled(0),
);
/// There are few events, and most of them are bad.
pub const TRICKLE: Rule = rule(
    "slo_trickle",
    Kind::Alert,
    "Half of the few events of an objective are bad",
    Life::sampled(0),
);
/// A bad event of an objective that tolerates none.
pub const EVENT: Rule = rule(
    "slo_event",
    Kind::Alert,
    "An objective that tolerates nothing was violated",
    Life::counted(3600),
);
/// An objective has no data although there is an answer.
pub const ABSENT: Rule = rule(
    "slo_absent",
    Kind::Alert,
    "An objective has no data",
    Life::sampled(0).no_data(NoData::Clear),
);
/// A row that cannot be judged.
pub const DEFINITION: Rule = Rule {
    because: &[],
    ..rule(
        "slo_definition",
        Kind::Recommendation,
        "An objective cannot be judged as it is defined",
        Life::sampled(0).no_data(NoData::Clear),
    )
};

/// The rules of this judge.
pub const RULES: &[Rule] = &[BURN, VIOLATION, TRICKLE, EVENT, ABSENT, DEFINITION];

/// A pair of windows and the burn rate at which both are reported.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The burn rate: 14.4 spends a fiftieth of a budget of 30 days in an hour, 6 a twentieth in six hours, 1 a tenth in three
    /// days (Google, The Site Reliability Workbook, chapter 5).
    pub factor: f64,
    /// How severe it is.
    pub severity: Severity,
    /// The long window, in words.
    pub long: &'static str,
    /// The short window, in words.
    pub short: &'static str,
    windows: fn(&Standing) -> (&Window, &Window),
}

/// The pairs, the most severe first.
pub const PAIRS: [Pair; 3] = [
    Pair {
        factor: 14.4,
        severity: Severity::Critical,
        long: "hour",
        short: "5 minutes",
        windows: |one| (&one.hour, &one.five),
    },
    Pair {
        factor: 6.0,
        severity: Severity::Critical,
        long: "6 hours",
        short: "30 minutes",
        windows: |one| (&one.six_hours, &one.half_hour),
    },
    Pair {
        factor: 1.0,
        severity: Severity::Warn,
        long: "3 days",
        short: "6 hours",
        windows: |one| (&one.three_days, &one.six_hours),
    },
];

impl Pair {
    /// Returns whether an objective burns in both windows.
    #[must_use]
    pub fn burns(&self, standing: &Standing) -> bool {
        let (long, short) = (self.windows)(standing);
        burn::burns(standing.slo.tolerated, self.factor, long, short)
    }

    /// Returns the long and the short window of an objective.
    #[must_use]
    pub fn windows<'a>(&self, standing: &'a Standing) -> (&'a Window, &'a Window) {
        (self.windows)(standing)
    }
}

impl Standing {
    /// Returns the name of its findings: the key and the objective, so that what explains findings about the key does so here.
    #[must_use]
    pub fn target(&self) -> String {
        if self.key.is_empty() {
            self.slo.name.clone()
        } else {
            format!("{}.{}", self.key, self.slo.name)
        }
    }

    /// Returns the share of the budget of the window that is spent, 1 being all; `None` without events or budget.
    #[must_use]
    pub fn consumed(&self) -> Option<f64> {
        self.month.tally.burn_rate(self.slo.tolerated)
    }

    /// Returns whether the objective is met; `None` where nothing was counted.
    #[must_use]
    pub fn is_met(&self) -> Option<bool> {
        let share = self.month.tally.bad_share()?;
        Some(share <= self.slo.tolerated + 1e-12)
    }

    /// Returns whether the newest minutes have data.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.five.tally.covers_half(self.five.minutes)
    }
}

/// Judges the objectives of one host.
#[derive(Debug)]
pub struct SloJudge {
    intervals: Intervals,
    started: Timestamp,
}

impl SloJudge {
    /// Begins at `started`.
    #[must_use]
    pub const fn new(intervals: Intervals, started: Timestamp) -> Self {
        Self { intervals, started }
    }

    /// Follows a change of the sampling intervals.
    pub fn reconfigure(&mut self, intervals: Intervals) {
        self.intervals = intervals;
    }

    /// Returns whether enough time has passed since the start.
    #[must_use]
    pub const fn is_settled(&self, at: Timestamp) -> bool {
        at.as_micros() - self.started.as_micros() >= GRACE
    }

    /// Reads how objectives stand at `at`, and stores what their closed hours counted.
    ///
    /// # Errors
    /// What the server reported.
    pub async fn fetch(
        &self,
        client: &Client,
        host_id: i32,
        at: Timestamp,
    ) -> Result<SloFacts, ReadError> {
        facts::fetch(client, host_id, self.intervals, at).await
    }
}

impl Judge for SloJudge {
    type Facts<'a> = &'a SloFacts;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        RULES.iter()
    }

    fn evaluate(&mut self, facts: &SloFacts, open: &Lifecycle, at: Timestamp) -> Evaluation {
        if !self.is_settled(at) {
            return Evaluation::default();
        }
        findings::evaluate(facts, open)
    }
}
