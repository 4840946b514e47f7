//! When a problem began, as far as that is measured.
//!
//! A finding is opened with the sample that reaches a threshold, at the end of a cycle of five minutes, or with the first line of
//! a spike; it was confirmed later, which does not matter here. So its beginning is known within an interval, and of two
//! findings one began first only where their intervals do not overlap.

use crate::lifecycle::Standing;
use crate::live::Intervals;
use crate::normal::CYCLE_SECS;
use schema::micros::{MINUTE, SECOND};
use schema::{SLOW_SECS, Timestamp};

/// The interval in which something began, microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Onset {
    pub(super) earliest: i64,
    pub(super) latest: i64,
}

impl Onset {
    /// Returns an instant that is known.
    #[cfg(test)]
    pub(super) const fn at(micros: i64) -> Self {
        Self {
            earliest: micros,
            latest: micros,
        }
    }

    /// Returns when a standing finding began.
    pub(super) fn of(standing: &Standing<'_>, intervals: Intervals) -> Self {
        let finding = standing.finding;
        let opened = standing.opened_at.as_micros();
        let onset = Self::opened(finding.rule, standing.opened_at, intervals);
        match finding.span {
            Some((_, last)) => Self {
                earliest: opened,
                latest: last.as_micros().clamp(opened, onset.latest.max(opened)),
            },
            None => onset,
        }
    }

    /// Returns when a finding of a rule began that was opened at an instant.
    pub(super) fn opened(rule: &str, opened: Timestamp, intervals: Intervals) -> Self {
        let opened = opened.as_micros();
        // They are opened with the first line, which may be one of the usual ones.
        if rule.starts_with("log_") {
            return Self {
                earliest: opened,
                latest: opened + 5 * MINUTE,
            };
        }
        Self {
            earliest: opened - delay(rule, intervals),
            latest: opened,
        }
    }

    /// Returns whether this began before another one, beyond doubt.
    pub(super) const fn is_before(self, other: Self) -> bool {
        self.latest <= other.earliest && self.earliest < other.latest
    }

    /// Returns the least time between the two.
    pub(super) fn distance(self, other: Self) -> i64 {
        let gap = self.earliest.max(other.earliest) - self.latest.min(other.latest);
        gap.max(0)
    }

    /// Returns the least and the greatest time from this beginning to a later one.
    pub(super) const fn until(self, other: Self) -> (i64, i64) {
        (other.earliest - self.latest, other.latest - self.earliest)
    }
}

/// Returns for how long a condition may hold at most before a finding of this rule is opened: the cycle, the window over which
/// it is averaged, or the time between two samples.
fn delay(rule: &str, intervals: Intervals) -> i64 {
    // What began towards the end of a cycle is not unusual in its mean, but in that of the next one.
    if rule.starts_with("unusual.") {
        return 2 * i64::from(CYCLE_SECS) * SECOND;
    }
    let Some(metric) = schema::metric(rule) else {
        let of_rule = rule.split_once('.').map_or(rule, |(kind, _)| kind);
        return match of_rule {
            "check" => i64::from(SLOW_SECS) * SECOND,
            // The shortest window over which objectives are judged.
            of_rule if of_rule.starts_with("slo_") => 5 * MINUTE,
            _ => intervals.of(true),
        };
    };
    let interval = intervals.of(metric.domain.is_of_service());
    let every = metric.every().micros(interval);
    // The window of counted events has them for as long as they are a problem, not until they are.
    if metric.is_windowed() && !metric.counts_events {
        every.max(i64::from(metric.evaluated_over_secs) * SECOND)
    } else {
        every
    }
}

/// Returns a span of time in words, between two bounds: `3 min`, `2 to 7 min`.
pub(super) fn between((least, most): (i64, i64)) -> String {
    #[expect(clippy::cast_precision_loss, reason = "spans are far below 2^53 µs")]
    let words = |micros: i64| words::duration(micros.max(0) as f64 / 1e6);
    let (low, high) = (words(least), words(most));
    if least <= 0 && most > 0 {
        return format!("up to {high}");
    }
    match (low == high, low.rsplit_once(' '), high.rsplit_once(' ')) {
        (true, ..) => high,
        (_, Some((number, unit)), Some((_, other))) if unit == other => {
            format!("{number} to {high}")
        }
        _ => format!("{low} to {high}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVALS: Intervals = Intervals {
        host: 10 * SECOND,
        services: 30 * SECOND,
    };

    #[test]
    fn the_delay_of_a_rule_is_that_of_what_it_is_measured_with() {
        for (rule, secs) in [
            ("unusual.system.cpu_busy_pct", 600),
            ("mount.used_pct", 10),
            ("api.error_pct", 300),
            ("system.oom_kills_per_sec", 10),
            ("db.longest_lock_wait_secs", 30),
            ("check.autovacuum_queue", 300),
            ("process_missing", 30),
        ] {
            assert_eq!(delay(rule, INTERVALS), secs * SECOND, "{rule}");
        }
    }

    #[test]
    fn only_what_does_not_overlap_has_an_order() {
        let onset = |earliest, latest| Onset { earliest, latest };
        assert!(onset(0, 10).is_before(onset(10, 20)));
        assert!(!onset(0, 11).is_before(onset(10, 20)));
        assert!(!onset(10, 20).is_before(onset(0, 10)));
        assert!(!onset(5, 5).is_before(onset(5, 5)));
        assert_eq!(onset(0, 10).distance(onset(30, 40)), 20);
        assert_eq!(onset(30, 40).distance(onset(0, 10)), 20);
        assert_eq!(onset(0, 10).distance(onset(5, 40)), 0);
    }

    #[test]
    fn spans_in_words() {
        assert_eq!(between((2 * MINUTE, 7 * MINUTE)), "2 to 7 min");
        assert_eq!(between((0, 5 * MINUTE)), "up to 5 min");
        assert_eq!(between((3 * MINUTE, 3 * MINUTE)), "3 min");
    }
}
