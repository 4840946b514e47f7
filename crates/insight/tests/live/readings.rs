//! Every metric and key has the value that `store::series` reads.

use std::collections::{BTreeMap, BTreeSet};

use insight::live::{Intervals, Live};
use schema::{Every, METRICS, Metric, Row, SLOW_SECS, Series, Timestamp};
use store::series;
use testkit::{Database, Dice};
use tokio_postgres::Client;

use crate::is_near;
use crate::rows::{Pace, instants, rows, sources, store};

/// A metric and a key.
type Name = (String, Option<String>);

/// What [`Live`] reads: now, over the window, and when it was sampled.
type Values = BTreeMap<Name, (Option<f64>, Option<f64>, Option<Timestamp>)>;

/// Returns the window of a metric; of one that is not evaluated, any.
fn window(metric: &Metric) -> u32 {
    match metric.evaluated_over_secs {
        0 if metric.every() == Every::Slow => 4 * SLOW_SECS,
        0 => 300,
        secs => secs,
    }
}

/// Reads as the dashboard's server does, each metric over the given window or, without one, at the newest instant.
async fn stored(
    client: &Client,
    at: Timestamp,
    intervals: Intervals,
    is_over: bool,
) -> BTreeMap<Name, Option<f64>> {
    let mut found = BTreeMap::new();
    for (is_of_service, interval) in [(false, intervals.host), (true, intervals.services)] {
        let metrics = METRICS
            .iter()
            .filter(|metric| metric.domain.is_of_service() == is_of_service);
        let two = u32::try_from(2 * interval / 1_000_000).unwrap();
        let windows: Vec<(&'static Metric, u32)> = metrics
            .map(|metric| match (is_over, is_of_service) {
                (false, _) => (metric, 0),
                (true, false) => (metric, window(metric)),
                (true, true) => (metric, window(metric).max(two)),
            })
            .collect();
        let latest = series::latest_over(client, 1, &windows, at, interval)
            .await
            .unwrap();
        for one in latest {
            found.insert((one.metric.id(), one.key), one.value);
        }
    }
    found
}

fn values(live: &mut Live, at: Timestamp) -> Values {
    let mut found = Values::new();
    live.read(at, |metric, readings| {
        for reading in readings {
            let name = (metric.id(), reading.key.map(str::to_owned));
            let value = (reading.now, reading.over, reading.sampled_at);
            let before = found.insert(name, value);
            assert!(before.is_none(), "{reading:?} twice");
        }
    });
    found
}

/// Compares the values over the windows that end at `at`, and returns those of [`Live`].
async fn compare_windows(
    client: &Client,
    live: &mut Live,
    at: Timestamp,
    intervals: Intervals,
    faults: &mut Vec<String>,
) -> Values {
    let expected = stored(client, at, intervals, true).await;
    let found = values(live, at);
    let names: BTreeSet<&Name> = found.keys().chain(expected.keys()).collect();
    for name in names {
        let over = found.get(name).map(|value| value.1);
        let expected = expected.get(name).copied();
        let is_same = match (over, expected) {
            (Some(over), Some(expected)) => is_near(over, expected),
            _ => false,
        };
        if !is_same {
            faults.push(format!("{name:?} at {at:?}: {over:?}, stored {expected:?}"));
        }
    }
    found
}

/// Compares the newest values with those stored of their instants. A stored share has no value where its least whole is
/// not reached, so only a value is compared.
async fn compare_newest(
    client: &Client,
    found: &Values,
    intervals: Intervals,
    faults: &mut Vec<String>,
) {
    let sampled: BTreeSet<Timestamp> = found.values().filter_map(|value| value.2).collect();
    for at in sampled {
        let expected = stored(client, at, intervals, false).await;
        for (name, (now, _, sampled_at)) in found {
            if *sampled_at != Some(at) {
                continue;
            }
            let metric = schema::metric(&name.0).unwrap();
            let expected = expected.get(name).copied();
            let is_least = matches!(metric.series, Series::Share { least, .. } if least > 0.0)
                && expected == Some(None);
            if !is_least && !expected.is_some_and(|expected| is_near(*now, expected)) {
                faults.push(format!("{name:?} of {at:?}: {now:?}, stored {expected:?}"));
            }
        }
    }
}

/// Rows with when they come: some a tick late, after newer ones.
fn deliveries(dice: &mut Dice, rows: Vec<Row>, interval: i64) -> Vec<(i64, Row)> {
    let delivery = |row: Row| {
        let late = if dice.one_in(15) { interval * 3 / 2 } else { 0 };
        (row.ts.as_micros() + late, row)
    };
    let mut found: Vec<(i64, Row)> = rows.into_iter().map(delivery).collect();
    found.sort_by_key(|(at, _)| *at);
    found
}

/// Stores random rows of all tables, gives them to [`Live`], and compares the two at some of the ticks. Adds the metrics
/// that had a value to `known`.
async fn compare(seed: u64, pace: Pace, known: &mut BTreeSet<String>) {
    let database: Database = testkit::migrated().await.unwrap();
    let made = testkit::partitions("2026-09-20", "2026-09-21");
    database.sql(&made).await.unwrap();
    let session = database.connect().await.unwrap();
    let mut dice = Dice::new(seed);
    let ticks = instants(&mut dice, pace);
    let mut all = Vec::new();
    for table in sources() {
        let of_table = |metric: &&Metric| metric.series.table().name == table.name;
        let metric = METRICS.iter().find(of_table).unwrap();
        let rows = rows(
            &mut dice,
            table,
            &ticks,
            pace,
            metric.domain.is_of_service(),
        );
        store(&database, &rows).await;
        all.extend(rows);
    }
    let intervals = Intervals {
        host: pace.host,
        services: pace.host * i64::try_from(pace.services).unwrap(),
    };
    let windows = METRICS.iter().map(|metric| (metric, window(metric)));
    let mut live = Live::over(windows, intervals).unwrap();
    let mut evaluated = Live::new(intervals).unwrap();
    let mut faults = Vec::new();
    let mut instants_compared = 0;
    let mut waiting = deliveries(&mut dice, all, pace.host);
    for (nth, (_, at)) in ticks.iter().enumerate() {
        // Readings are compared when everything up to the tick has come, as the stored rows are there already.
        let is_compared = nth % (ticks.len() / 9) == 3 || nth == ticks.len() - 1;
        waiting.retain(|(delivery, row)| {
            let is_due = delivery <= at || (is_compared && row.ts.as_micros() <= *at);
            if is_due {
                live.ingest(row);
                evaluated.ingest(row);
            }
            !is_due
        });
        let at = Timestamp(*at);
        if !is_compared {
            live.read(at, |_, _| {});
            continue;
        }
        let found = compare_windows(&session.client, &mut live, at, intervals, &mut faults).await;
        instants_compared += 1;
        // Each newest instant takes as many statements as all windows.
        if instants_compared % 4 == 0 {
            compare_newest(&session.client, &found, intervals, &mut faults).await;
        }
        let both = found
            .iter()
            .filter(|(_, value)| value.0.is_some() && value.1.is_some());
        known.extend(both.map(|((id, _), _)| id.clone()));
        let of_evaluated = |name: &Name| schema::metric(&name.0).unwrap().evaluated_over_secs > 0;
        let expected: Values = found
            .into_iter()
            .filter(|(name, _)| of_evaluated(name))
            .collect();
        assert_eq!(values(&mut evaluated, at), expected);
    }
    faults.truncate(30);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Compares with rows of two seeds. Every metric has a value somewhere, so that each is compared.
async fn compare_all(seeds: [u64; 2], pace: Pace) {
    let mut known = BTreeSet::new();
    for seed in seeds {
        compare(seed, pace, &mut known).await;
    }
    let ids = METRICS.iter().map(Metric::id);
    let unknown: Vec<String> = ids.filter(|id| !known.contains(id)).collect();
    assert!(unknown.is_empty(), "without a value: {unknown:?}");
}

#[tokio::test]
async fn at_ten_seconds() {
    let pace = Pace {
        host: 10_000_000,
        services: 1,
        slow: 12,
        ticks: 200,
    };
    compare_all([1, 11], pace).await;
}

#[tokio::test]
async fn at_a_minute_with_slower_services() {
    let pace = Pace {
        host: 60_000_000,
        services: 2,
        slow: 5,
        ticks: 150,
    };
    compare_all([2, 13], pace).await;
}

#[tokio::test]
async fn when_samples_are_further_apart_than_windows() {
    let pace = Pace {
        host: 120_000_000,
        services: 3,
        slow: 3,
        ticks: 90,
    };
    compare_all([3, 13], pace).await;
}
