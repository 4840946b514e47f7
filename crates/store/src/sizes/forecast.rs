//! Whether the budget will be reached before the configured retention is.

use super::{Store, TableSize};
use crate::partitions::day_of;
use schema::Keep;

/// How far ahead it looks, days: the longest default retention, and a little.
const HORIZON: i64 = 400;
/// What the budget takes first.
const RAW: [Keep; 3] = [Keep::Raw, Keep::Brief, Keep::Lines];

/// The budget will be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// In so many days, at least one.
    pub in_days: i64,
    /// What the configured retention would need.
    pub needed_bytes: f64,
    /// For so many days raw samples will be kept then.
    pub raw_days: i64,
    /// For how many days they are to be kept.
    pub asked_days: i64,
}

impl Store {
    /// Returns when the budget will be reached at the present growth; `None` where the retention comes first, and while
    /// there is neither a budget nor a complete day to tell the growth from.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    pub fn forecast(&self) -> Option<Forecast> {
        let budget = self.budget_bytes? as f64;
        if self.complete_days < 1 {
            return None;
        }
        let today = day_of(self.at);
        let total = |ahead: i64| -> f64 {
            let tables = self.tables.iter();
            tables.map(|table| table.bytes_in(ahead, today)).sum()
        };
        let in_days = (1..=HORIZON).find(|ahead| total(*ahead) > budget)?;
        let asked_days = self.kept(Some(Keep::Raw))?.days;
        let fits = |days: &i64| {
            let with = |table: &TableSize| match table.keep {
                Some(keep) if RAW.contains(&keep) => {
                    table.bytes_with(table.kept_days.unwrap_or(*days).min(*days))
                }
                _ => table.needed_bytes.unwrap_or_else(|| table.bytes() as f64),
            };
            self.tables.iter().map(with).sum::<f64>() <= budget
        };
        // Today and yesterday are always kept.
        let raw_days = (1..asked_days).rev().find(fits).unwrap_or(1);
        Some(Forecast {
            in_days,
            needed_bytes: self.needed_bytes()?,
            raw_days,
            asked_days,
        })
    }
}

impl TableSize {
    /// Returns what it will take in so many days.
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    fn bytes_in(&self, ahead: i64, today: i64) -> f64 {
        let (Some(per_day), Some(kept_days)) = (self.bytes_per_day, self.kept_days) else {
            return self.bytes() as f64;
        };
        let first = today + ahead - kept_days;
        let of_day = |(day, bytes): &(i64, i64)| match *day {
            day if day < first => 0.0,
            // Once it is complete.
            day if day == today && ahead > 0 => (*bytes as f64).max(per_day),
            _ => *bytes as f64,
        };
        let there: f64 = self.by_day.iter().map(of_day).sum();
        self.lasting_bytes() as f64 + there + per_day * ahead.min(kept_days + 1) as f64
    }
}
