//! Rows of `slo_tracking`.

use super::definition::Counts;
use super::{SloFacts, Standing};
use schema::micros::MINUTE;
use schema::tables::SloTracking;
use schema::{Row, Sample, Timestamp};
use std::collections::BTreeMap;

/// How often a row is stored while nothing changes: the reference's cycle.
const EVERY: i64 = 5 * MINUTE;

/// Decides which runs are stored.
#[derive(Debug, Default)]
pub struct Tracking {
    /// The period of the last rows.
    stored: Option<i64>,
    /// Whether each objective and key was met then.
    met: BTreeMap<String, Option<bool>>,
}

impl Tracking {
    /// Returns whether all rows of a run are stored.
    #[must_use]
    pub fn is_due(&self, at: Timestamp) -> bool {
        self.stored != Some(period(at))
    }

    /// Returns the rows of a run: of all objectives every five minutes, and of those that are missed or met again.
    pub fn rows(&mut self, facts: &SloFacts, at: Timestamp) -> Vec<Row> {
        let is_due = self.is_due(at);
        self.stored = Some(period(at));
        let mut rows = Vec::new();
        for one in &facts.standings {
            let before = self.met.insert(one.target(), one.is_met());
            if is_due || before != Some(one.is_met()) {
                rows.push(row(one).into_row(at));
            }
        }
        rows
    }
}

fn period(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(EVERY)
}

fn row(one: &Standing) -> SloTracking {
    let slo = &one.slo;
    let share = one.month.tally.bad_share();
    let actual = match slo.counts {
        Counts::Events => share.map(|bad| 100.0 * if slo.is_floor { 1.0 - bad } else { bad }),
        Counts::Minutes => one.mean,
    };
    SloTracking {
        slo_name: slo.name.clone(),
        metric_key: one.key.clone(),
        domain: slo.metric.domain.as_str().to_owned(),
        counted: slo.counts.as_str().to_owned(),
        target: slo.target,
        actual,
        target_pct: slo.target_pct,
        good_pct: share.map(|bad| 100.0 * (1.0 - bad)),
        met: one.is_met(),
        budget_consumed: one.consumed().map(|share| 100.0 * share),
        violations: whole(one.month.tally.bad),
        total_periods: whole(one.month.tally.total),
        covered_minutes: one.month.tally.judged,
        burn_1h: one.hour.tally.burn_rate(slo.tolerated),
        burn_6h: one.six_hours.tally.burn_rate(slo.tolerated),
        burn_3d: one.three_days.tally.burn_rate(slo.tolerated),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn whole(count: f64) -> i64 {
    count.round() as i64
}
