//! Which hours a transaction of the writer has to note.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use schema::micros::HOUR;
use schema::{METRICS, Timestamp};

use crate::series::pieces::hour_of;

/// Returns whether rows of this table are rolled up.
pub(crate) fn is_source(table: &str) -> bool {
    static SOURCES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
        let rolled_up = METRICS.iter().filter(|metric| metric.is_rolled_up());
        rolled_up
            .map(|metric| metric.series.table().instants())
            .collect()
    });
    SOURCES.contains(table)
}

/// Returns the hours that a transaction notes, which stores rows of these `instants`: those that ended before. `before` and
/// `after` are the newest rows of the writer before and after it, `now` is the server's clock.
///
/// The hour of `after` is noted once a newer row is stored: then it is that of `before`.
pub(crate) fn hours_to_note(
    instants: impl Iterator<Item = Timestamp>,
    before: Option<Timestamp>,
    after: Option<Timestamp>,
    now: Timestamp,
) -> BTreeSet<Timestamp> {
    let newest = before.max(after);
    let begun = newest.map_or(i64::MIN, |newest| hour_of(newest.as_micros()));
    let mut hours = BTreeSet::new();
    let mut last = None;
    let left = before.filter(|_| after > before);
    for instant in left.into_iter().chain(instants) {
        let hour = hour_of(instant.as_micros());
        let is_over = hour < begun || hour + HOUR <= now.as_micros();
        if last.replace(hour) != Some(hour) && is_over {
            hours.insert(Timestamp(hour));
        }
    }
    hours
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 500_000 * HOUR;

    fn at(hour: i64, minute: i64) -> Timestamp {
        Timestamp(START + hour * HOUR + minute * 60_000_000)
    }

    #[test]
    fn hours_that_are_over_are_noted() {
        for (case, rows, before, now, expected) in [
            ("a tick", vec![at(3, 10)], Some(at(3, 9)), at(3, 10), vec![]),
            (
                "the first tick of an hour",
                vec![at(4, 0)],
                Some(at(3, 59)),
                at(4, 0),
                vec![3],
            ),
            (
                "the first tick of all",
                vec![at(3, 10)],
                None,
                at(3, 10),
                vec![],
            ),
            (
                "a straggler",
                vec![at(3, 59)],
                Some(at(4, 0)),
                at(4, 0),
                vec![3],
            ),
            (
                "a late row of this hour",
                vec![at(4, 0)],
                Some(at(4, 5)),
                at(4, 5),
                vec![],
            ),
            (
                "a queue after an outage",
                vec![at(1, 30), at(1, 59), at(2, 0), at(3, 0)],
                Some(at(1, 20)),
                at(9, 0),
                vec![1, 2, 3],
            ),
            (
                "the same, its last rows",
                vec![at(8, 59)],
                Some(at(8, 58)),
                at(9, 0),
                vec![8],
            ),
            (
                "a clock that is ahead",
                vec![at(9, 0)],
                Some(at(8, 59)),
                at(3, 0),
                vec![8],
            ),
            (
                "a clock that was ahead",
                vec![at(3, 10)],
                Some(at(99, 0)),
                at(3, 10),
                vec![3],
            ),
            (
                "a silent host",
                vec![at(7, 0)],
                Some(at(2, 0)),
                at(7, 0),
                vec![2],
            ),
        ] {
            let after = rows.iter().copied().max();
            let found = hours_to_note(rows.into_iter(), before, after, now);
            let expected = expected.into_iter().map(|hour| at(hour, 0)).collect();
            assert_eq!(found, expected, "{case}");
        }
    }

    #[test]
    fn sources_are_the_tables_of_metrics() {
        for (table, expected) in [
            ("process_samples", true),
            ("system_metrics_raw", true),
            ("heartbeat", false),
            ("log_entries", false),
        ] {
            assert_eq!(is_source(table), expected, "{table}");
        }
    }
}
