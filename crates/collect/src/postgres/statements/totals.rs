//! Totals of an entry of `pg_stat_statements`, and what lies between two looks at them.

use tokio_postgres::Row;

/// Counters of an entry that are counts.
pub(super) const COUNTS: usize = 10;
/// Counters of an entry that are times.
pub(super) const TIMES: usize = 5;

/// Totals of an entry. A time that is not measured is NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Totals {
    pub(super) since: f64,
    pub(super) counts: [i64; COUNTS],
    pub(super) times: [f64; TIMES],
}

impl Totals {
    pub(super) fn read(row: &Row) -> Result<Self, tokio_postgres::Error> {
        const NAMES: [&str; COUNTS] = [
            "calls",
            "rows",
            "shared_blks_hit",
            "shared_blks_read",
            "shared_blks_dirtied",
            "shared_blks_written",
            "temp_blks_read",
            "temp_blks_written",
            "wal_records",
            "wal_bytes",
        ];
        const TIME_NAMES: [&str; TIMES] = [
            "exec_ms",
            "jit_ms",
            "plan_ms",
            "blk_read_ms",
            "blk_write_ms",
        ];
        let mut totals = Self {
            since: row.try_get("since")?,
            ..Self::default()
        };
        for (count, name) in totals.counts.iter_mut().zip(NAMES) {
            *count = row.try_get(name)?;
        }
        for (time, name) in totals.times.iter_mut().zip(TIME_NAMES) {
            *time = row.try_get::<_, Option<f64>>(name)?.unwrap_or(f64::NAN);
        }
        Ok(totals)
    }

    /// Returns whether these are later totals of the same entry.
    #[expect(
        clippy::float_cmp,
        reason = "an instant as the server wrote it, not computed"
    )]
    pub(super) fn continues(&self, old: &Self) -> bool {
        let grown = |(new, old): (&i64, &i64)| new >= old;
        self.since == old.since && self.counts.iter().zip(&old.counts).all(grown)
    }

    pub(super) fn minus(&self, old: &Self) -> Self {
        let mut step = *self;
        for (count, old) in step.counts.iter_mut().zip(old.counts) {
            *count -= old;
        }
        for (time, old) in step.times.iter_mut().zip(old.times) {
            // A sum of floats may end a hair below its own last value; NaN stays NaN.
            *time = if time.is_nan() || old.is_nan() {
                f64::NAN
            } else {
                (*time - old).max(0.0)
            };
        }
        step
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn totals(since: f64, calls: i64, exec_ms: f64) -> Totals {
        let mut totals = Totals {
            since,
            ..Totals::default()
        };
        totals.counts[0] = calls;
        totals.times[0] = exec_ms;
        totals
    }

    #[test]
    fn a_time_that_was_not_measured_has_no_difference() {
        let mut old = totals(0.0, 1, 2.0);
        old.times[2] = f64::NAN;
        let step = totals(0.0, 2, 5.0).minus(&old);
        assert_eq!(step.times[0], 3.0);
        assert!(step.times[2].is_nan());
    }
}
