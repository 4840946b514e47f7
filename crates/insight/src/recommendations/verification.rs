//! What became of a recommendation a day after its cause had ended.
//!
//! The value at the beginning is compared with the mean of the hour a day after the end: "dead-row share fell from 41 % to
//! 2 %". Of a table the vacuum that ran meanwhile is named. What has no figure is only known to have come back or not.

use crate::normal;
use schema::micros::{DAY, HOUR, MINUTE};
use schema::{Metric, Timestamp, Unit};
use store::findings::verification::{Unverified, Vacuumed, unverified, vacuumed, verify};
use store::series::{self, Pick, RangeQuery, ReadError};
use tokio_postgres::Client;

/// After so long it is looked at: a day, of which the same hour of the day is compared, and the hour itself.
const AFTER: i64 = DAY + HOUR;
/// What ended longer ago is not looked at any more, as after an outage.
const WITHIN: i64 = 7 * DAY;
/// A table is sampled so often that this span has a slow tick.
const SLOW: i64 = 15 * MINUTE;
/// Rules whose cause a vacuum ends.
const OF_VACUUM: [&str; 3] = ["table.dead_pct", "vacuum_overdue", "check.autovacuum_queue"];

/// Looks at what ended a day ago, and stores what became of it. `interval` is the sampling interval of services,
/// microseconds. Returns the number of findings.
///
/// # Errors
/// The error that the server reported; what was stored before remains.
pub async fn run(
    client: &Client,
    host_id: i32,
    at: Timestamp,
    interval: i64,
) -> Result<usize, ReadError> {
    let before = |span: i64| Timestamp(at.as_micros() - span);
    let due = unverified(client, host_id, (before(WITHIN), before(AFTER))).await?;
    for one in &due {
        let later = match metric(one) {
            Some(metric) => read(client, host_id, metric, one, interval).await?,
            None => None,
        };
        let table = one.metric_key.as_deref().unwrap_or(&one.target);
        let vacuumed = match OF_VACUUM.contains(&one.rule.as_str()) {
            true => {
                let day = one.resolved_at.as_micros() + DAY;
                let range = (Timestamp(day - SLOW), Timestamp(day));
                vacuumed(client, host_id, range, table).await?
            }
            false => None,
        };
        let text = sentence(one, later, vacuumed);
        verify(client, host_id, one.id, &text, at).await?;
    }
    Ok(due.len())
}

/// Returns the metric whose values are compared. Of counted events and of states there is none.
fn metric(one: &Unverified) -> Option<&'static Metric> {
    let metric = schema::metric(one.metric.as_deref()?)?;
    let is_compared = metric.is_rolled_up() && !metric.counts_events && metric.unit != Unit::Bool;
    is_compared.then_some(metric)
}

/// Reads the mean of the hour a day after the end.
async fn read(
    client: &Client,
    host_id: i32,
    metric: &'static Metric,
    one: &Unverified,
    interval: i64,
) -> Result<Option<f64>, ReadError> {
    let from = (one.resolved_at.as_micros() + DAY).div_euclid(HOUR) * HOUR;
    let ask = RangeQuery {
        host_id,
        from: Timestamp(from),
        to: Timestamp(from + HOUR),
        give_from: Timestamp(from),
        step: HOUR,
        interval,
        limit: 1,
        key_prefix: None,
        last: false,
        picks: vec![Pick {
            metric,
            key: one.metric_key.clone(),
        }],
    };
    let answer = series::buckets(client, &ask).await;
    if let Some(fault) = answer.faults.into_iter().next() {
        return Err(fault.error);
    }
    let mut buckets = answer.series.iter().flat_map(|series| &series.buckets);
    Ok(buckets.next().map(|bucket| bucket.avg))
}

/// Returns what became of a finding: `Autovacuum ran; dead-row share fell from 41 % to 2 %`.
fn sentence(one: &Unverified, later: Option<f64>, vacuumed: Option<Vacuumed>) -> String {
    let figures = metric(one).zip(one.value).zip(later);
    let figures = figures.map(|((metric, value), later)| change(metric, value, later));
    let came_back = "It came back within a day";
    let text = match (figures, one.has_returned) {
        (Some(figures), false) => figures,
        (Some(figures), true) => format!("{came_back}; {}", words::within_sentence(&figures)),
        (None, true) => came_back.to_owned(),
        (None, false) => "It has not come back within a day".to_owned(),
    };
    match vacuumed.and_then(|vacuumed| ran(one, vacuumed)) {
        Some(ran) => format!("{ran}; {}", words::within_sentence(&text)),
        None => text,
    }
}

/// Returns which vacuum ran since the finding was opened, the newer one of two.
fn ran(one: &Unverified, vacuumed: Vacuumed) -> Option<&'static str> {
    let Vacuumed {
        by_hand,
        by_autovacuum,
    } = vacuumed;
    let newest = by_hand.max(by_autovacuum)?;
    let is_since = newest >= one.opened_at;
    is_since.then_some(match by_autovacuum == Some(newest) {
        true => "Autovacuum ran",
        false => "It was vacuumed by hand",
    })
}

fn change(metric: &Metric, value: f64, later: f64) -> String {
    let name = normal::name(metric);
    let shown = |value: f64| words::value(words::round(value), metric.unit);
    let (before, after) = (shown(value), shown(later));
    match later {
        _ if before == after => format!("{name} is {after}, as before"),
        later if later < value => format!("{name} fell from {before} to {after}"),
        _ => format!("{name} rose from {before} to {after}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(metric: Option<&str>, value: Option<f64>) -> Unverified {
        Unverified {
            id: 1,
            rule: metric.unwrap_or("check.unused_indexes").to_owned(),
            target: "main.shop.public.orders".to_owned(),
            metric: metric.map(str::to_owned),
            metric_key: metric.map(|_| "main.shop.public.orders".to_owned()),
            value,
            opened_at: Timestamp(10 * DAY),
            resolved_at: Timestamp(11 * DAY),
            has_returned: false,
        }
    }

    #[test]
    fn what_happened_is_named_with_its_figures() {
        let dead = ended(Some("table.dead_pct"), Some(41.2));
        let at = |days: i64| Some(Timestamp(days * DAY));
        let vacuumed = |by_hand, by_autovacuum| {
            Some(Vacuumed {
                by_hand,
                by_autovacuum,
            })
        };
        let returned = Unverified {
            has_returned: true,
            ..dead.clone()
        };
        let hits = ended(Some("db.cache_hit_pct"), Some(88.0));
        let index = ended(None, None);
        let index_returned = Unverified {
            has_returned: true,
            ..index.clone()
        };
        for (one, later, vacuum, expected) in [
            (
                &dead,
                Some(2.0),
                vacuumed(at(9), at(11)),
                "Autovacuum ran; dead-row share fell from 41.2 % to 2 %",
            ),
            (
                &dead,
                Some(2.0),
                vacuumed(at(11), at(9)),
                "It was vacuumed by hand; dead-row share fell from 41.2 % to 2 %",
            ),
            // The vacuum was before.
            (
                &dead,
                Some(2.0),
                vacuumed(at(9), None),
                "Dead-row share fell from 41.2 % to 2 %",
            ),
            (
                &dead,
                Some(41.2),
                None,
                "Dead-row share is 41.2 %, as before",
            ),
            (
                &dead,
                None,
                vacuumed(None, at(11)),
                "Autovacuum ran; it has not come back within a day",
            ),
            (
                &returned,
                Some(55.0),
                None,
                "It came back within a day; dead-row share rose from 41.2 % to 55 %",
            ),
            (
                &hits,
                Some(99.5),
                None,
                "Cache hit ratio rose from 88 % to 99.5 %",
            ),
            (&index, None, None, "It has not come back within a day"),
            (&index_returned, None, None, "It came back within a day"),
        ] {
            assert_eq!(sentence(one, later, vacuum), expected);
        }
    }

    #[test]
    fn counts_of_events_and_states_are_not_compared() {
        for id in [
            "db.deadlocks_per_sec",
            "db.archive_failing",
            "process_one.rss_bytes",
            "gone.metric",
        ] {
            let one = ended(Some(id), Some(1.0));
            assert_eq!(
                sentence(&one, Some(0.0), None),
                "It has not come back within a day",
                "{id}"
            );
        }
    }
}
