//! The reader gives what the same rows give when computed in Rust.

use std::collections::BTreeMap;

use schema::Better;

use super::seed::{Row, interfaces, processes, rows, systems, ticks};
use super::*;
use testkit::Dice;

/// Values by instant and key, each with its weight: of a counter the seconds of the step.
type Values = BTreeMap<(Timestamp, String), (f64, f64)>;

/// Computes levels, those of one key added up per instant.
fn levels(rows: &[Row]) -> Values {
    let mut values = Values::new();
    for row in rows {
        if let Some(level) = row.level {
            let value = values.entry((row.at, row.key.clone())).or_default();
            *value = (value.0 + level, 1.0);
        }
    }
    values
}

/// Rates of the steps of each identity, added up per key. They weigh by the longest step that is not across a gap.
fn rates(rows: &[Row]) -> Values {
    let mut before: BTreeMap<(&str, &str), (Timestamp, Option<i64>)> = BTreeMap::new();
    let mut longest: BTreeMap<(Timestamp, String), f64> = BTreeMap::new();
    let mut values = Values::new();
    for row in rows {
        let known = before.insert((&row.key, &row.identity), (row.at, row.counter));
        let Some((earlier, from)) = known else {
            continue;
        };
        let micros = row.at.as_micros() - earlier.as_micros();
        if micros > MAX_STEP_INTERVALS * INTERVAL {
            continue;
        }
        let place = (row.at, row.key.clone());
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let secs = micros as f64 / 1e6;
        let weight = longest.entry(place.clone()).or_default();
        *weight = weight.max(secs);
        let (Some(from), Some(to)) = (from, row.counter) else {
            continue;
        };
        if to >= from {
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let step = (to - from) as f64;
            values.entry(place).or_default().0 += step / secs;
        }
    }
    for (place, value) in &mut values {
        value.1 = longest[place];
    }
    values
}

fn reduce(values: &Values, ask: &RangeQuery) -> BTreeMap<String, Vec<Bucket>> {
    let mut sums: BTreeMap<(String, i64), (f64, f64, f64, f64)> = BTreeMap::new();
    for ((at, key), (value, weight)) in values {
        if *at < ask.from || *at >= ask.to {
            continue;
        }
        let start = at.as_micros().div_euclid(ask.step) * ask.step;
        let sum = sums.entry((key.clone(), start)).or_insert((
            f64::INFINITY,
            f64::NEG_INFINITY,
            0.0,
            0.0,
        ));
        *sum = (
            sum.0.min(*value),
            sum.1.max(*value),
            sum.2 + value * weight,
            sum.3 + weight,
        );
    }
    let mut buckets: BTreeMap<String, Vec<Bucket>> = BTreeMap::new();
    for ((key, start), (lo, hi, sum, n)) in sums {
        buckets.entry(key).or_default().push(Bucket {
            at: Timestamp(start),
            lo,
            hi,
            avg: sum / n,
        });
    }
    buckets
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

/// Compares an answer with the same computed from `values`; `limit` keys by highest value.
fn check(what: &str, found: &[FoundSeries], values: &Values, ask: &RangeQuery) {
    let mut expected: Vec<(String, Vec<Bucket>)> = reduce(values, ask).into_iter().collect();
    let highest = |buckets: &[Bucket]| buckets.iter().map(|one| one.hi).fold(f64::MIN, f64::max);
    expected.sort_by(|a, b| highest(&b.1).total_cmp(&highest(&a.1)).then(a.0.cmp(&b.0)));
    expected.truncate(usize::try_from(ask.limit).unwrap());
    let keys = |key: &Option<String>| key.clone().unwrap_or_default();
    let found_keys: Vec<String> = found.iter().map(|one| keys(&one.key)).collect();
    let expected_keys: Vec<String> = expected.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(found_keys, expected_keys, "{what}");
    for (one, (key, buckets)) in found.iter().zip(&expected) {
        let given: Vec<&Bucket> = buckets
            .iter()
            .filter(|bucket| bucket.at >= ask.give_from)
            .collect();
        assert_eq!(one.buckets.len(), given.len(), "{what} {key}");
        for (a, b) in one.buckets.iter().zip(given) {
            let same = a.at == b.at && near(a.lo, b.lo) && near(a.hi, b.hi) && near(a.avg, b.avg);
            assert!(same, "{what} {key}: {a:?} is not {b:?}");
        }
    }
}

/// Ranges that begin and end anywhere, in buckets narrow and wide.
fn asks(dice: &mut Dice, metrics: &[&str]) -> Vec<RangeQuery> {
    let spans: [(f64, f64, i64, i64); 5] = [
        (0.0, 10_000.0, 10, 8),
        (600.0, 4_200.0, 20, 2),
        (3_900.0, 4_700.0, 50, 1),
        (5_000.0, 5_010.0, 10, 64),
        (9_000.0, 12_000.0, 500, 3),
    ];
    spans
        .into_iter()
        .map(|(from, to, step, limit)| {
            let step = step * SECOND;
            let from = at(from).as_micros().div_euclid(step) * step;
            let buckets = (at(to).as_micros() - from) / step;
            let skipped = dice.below(u64::try_from(buckets).unwrap().max(1));
            RangeQuery {
                host_id: 1,
                from: Timestamp(from),
                to: at(to),
                give_from: Timestamp(from + i64::try_from(skipped).unwrap() * step),
                key_prefix: None,
                last: true,
                step,
                interval: INTERVAL,
                limit,
                picks: metrics
                    .iter()
                    .map(|id| Pick {
                        metric: metric(id),
                        key: None,
                    })
                    .collect(),
            }
        })
        .collect()
}

/// Compares what is folded here with what the server computes, of all keys.
pub(super) async fn check_folded(client: &tokio_postgres::Client, ask: &RangeQuery) {
    let ask = RangeQuery {
        limit: ALL,
        last: false,
        ..ask.clone()
    };
    let series = |answer: Answer| {
        assert!(answer.faults.is_empty(), "{:?}", answer.faults);
        let with_buckets = answer.series.into_iter();
        let mut all: Vec<FoundSeries> =
            with_buckets.filter(|one| !one.buckets.is_empty()).collect();
        all.sort_by_key(|one| (one.metric.id(), one.key.clone()));
        all
    };
    let folded = series(of_few_samples(client, &ask).await);
    let computed = series(buckets(client, &ask).await);
    assert_eq!(folded.len(), computed.len());
    for (one, other) in folded.iter().zip(&computed) {
        let what = (one.metric.id(), &one.key);
        assert_eq!(what, (other.metric.id(), &other.key));
        assert_eq!(one.buckets.len(), other.buckets.len(), "{what:?}");
        for (a, b) in one.buckets.iter().zip(&other.buckets) {
            let same = a.at == b.at && near(a.lo, b.lo) && near(a.hi, b.hi) && near(a.avg, b.avg);
            assert!(same, "{what:?}: {a:?} is not {b:?}");
        }
    }
}

fn of(answer: &Answer, id: &str) -> Vec<FoundSeries> {
    assert!(answer.faults.is_empty(), "{:?}", answer.faults);
    let found = answer.series.iter().filter(|found| found.metric.id() == id);
    found.cloned().collect::<Vec<FoundSeries>>()
}

async fn prepared() -> (Database, pg::Session) {
    let database = database().await;
    let made = &testkit::partitions("2026-09-20", "2026-09-21");
    database.sql(made).await.unwrap();
    let session = session(&database).await;
    (database, session)
}

#[tokio::test]
async fn counters_by_key_with_resets_and_gaps() {
    let (database, session) = prepared().await;
    let mut dice = Dice::new(1);
    let ticks = ticks(&mut dice);
    let keys = [("eth0", ""), ("eth1", ""), ("lo", "")];
    let mut rows = rows(&mut dice, &ticks, &keys);
    // Of interfaces no counter is ever missing.
    rows.iter_mut()
        .for_each(|row| row.counter = Some(row.counter.unwrap_or_default()));
    interfaces(&database, &rows).await;
    let values = rates(&rows);
    for ask in asks(
        &mut dice,
        &["network.rx_bytes_per_sec", "network.errors_per_sec"],
    ) {
        let answer = buckets(&session.client, &ask).await;
        check_folded(&session.client, &ask).await;
        check(
            "rx",
            &of(&answer, "network.rx_bytes_per_sec"),
            &values,
            &ask,
        );
        check(
            "errors",
            &of(&answer, "network.errors_per_sec"),
            &values,
            &ask,
        );
    }
    assert!(values.values().all(|(rate, _)| *rate >= 0.0));
}

#[tokio::test]
async fn levels_and_counters_of_processes_by_name() {
    let (database, session) = prepared().await;
    let mut dice = Dice::new(2);
    let ticks = ticks(&mut dice);
    let keys = [
        ("api", "10.1"),
        ("api", "11.1"),
        ("api", "11.2"),
        ("db", "20.1"),
        ("db", "21.1"),
        ("sh", "30.5"),
    ];
    let rows = rows(&mut dice, &ticks, &keys);
    processes(&database, &rows).await;
    let (cpu, read) = (levels(&rows), rates(&rows));
    let ids = ["process.cpu_pct", "process.read_bytes_per_sec"];
    for ask in asks(&mut dice, &ids) {
        let answer = buckets(&session.client, &ask).await;
        check_folded(&session.client, &ask).await;
        check("cpu", &of(&answer, ids[0]), &cpu, &ask);
        check("read", &of(&answer, ids[1]), &read, &ask);
    }
    // One process: chosen by its key, and there even when it has no value.
    let alone: Vec<Row> = rows
        .iter()
        .filter(|row| row.identity == "11.2")
        .map(|row| Row {
            key: "11.2".to_owned(),
            ..row.clone()
        })
        .collect();
    for mut ask in asks(&mut dice, &[]) {
        ask.limit = 64;
        for (key, expected) in [("11.2", levels(&alone)), ("11.x", Values::new())] {
            ask.picks = vec![Pick {
                metric: metric("process_one.cpu_pct"),
                key: Some(key.to_owned()),
            }];
            let answer = buckets(&session.client, &ask).await;
            check_folded(&session.client, &ask).await;
            let mut found = of(&answer, "process_one.cpu_pct");
            assert_eq!(found.len(), 1);
            if reduce(&expected, &ask).is_empty() {
                assert!(found.remove(0).buckets.is_empty());
            }
            check(key, &found, &expected, &ask);
        }
    }
}

#[tokio::test]
async fn the_host_and_its_cores() {
    let (database, session) = prepared().await;
    let mut dice = Dice::new(3);
    let ticks = ticks(&mut dice);
    let rows = rows(&mut dice, &ticks, &[("", "")]);
    systems(&database, &rows).await;
    let mut cores = Values::new();
    for row in rows.iter().filter(|row| row.level.is_some()) {
        for (core, busy) in &row.cores {
            cores.insert((row.at, core.to_string()), (100.0 - (100.0 - busy), 1.0));
        }
    }
    let (load, ctxt) = (levels(&rows), rates(&rows));
    let ids = [
        "system.load_1",
        "system.ctxt_per_sec",
        "system.core_busy_pct",
    ];
    for ask in asks(&mut dice, &ids) {
        let answer = buckets(&session.client, &ask).await;
        check_folded(&session.client, &ask).await;
        for (id, values) in [(ids[0], &load), (ids[1], &ctxt), (ids[2], &cores)] {
            let found = of(&answer, id);
            if reduce(values, &ask).is_empty() && id != ids[2] {
                assert_eq!(found.len(), 1, "{id}");
                continue;
            }
            check(id, &found, values, &ask);
            if found.is_empty() {
                continue;
            }
            let last = rows
                .iter()
                .rfind(|row| row.at >= ask.from && row.at < ask.to);
            let last = last.and_then(|row| {
                let key = found[0].key.clone().unwrap_or_default();
                values.get(&(row.at, key)).map(|(value, _)| *value)
            });
            assert_eq!(found[0].last.is_some(), last.is_some(), "{id}");
            assert!(
                near(found[0].last.unwrap_or(0.0), last.unwrap_or(0.0)),
                "{id}"
            );
        }
        let expected = expected_gaps(&ticks, &ask);
        let found = gaps(&session.client, 1, ask.from, ask.to, INTERVAL, ask.step)
            .await
            .unwrap();
        assert_eq!(found, expected, "{ask:?}");
    }
    let newest = newest(&session.client, at(10_000.0)).await.unwrap();
    assert!(newest.is_empty(), "no row of hosts was seeded: {newest:?}");
}

fn expected_gaps(ticks: &[Timestamp], ask: &RangeQuery) -> Vec<(Timestamp, Timestamp)> {
    let mut instants = vec![Timestamp(ask.from.as_micros() - INTERVAL * 3 / 2)];
    instants.extend(
        ticks
            .iter()
            .filter(|tick| **tick >= instants[0] && **tick < ask.to)
            .copied()
            .collect::<Vec<_>>(),
    );
    instants.push(ask.to);
    instants
        .windows(2)
        .filter(|pair| pair[1].as_micros() - pair[0].as_micros() > INTERVAL * 3 / 2)
        .map(|pair| (pair[0].max(ask.from), pair[1].min(ask.to)))
        .filter(|(from, to)| from < to)
        .collect()
}

#[tokio::test]
async fn the_latest_value_is_that_of_the_window() {
    let (database, session) = prepared().await;
    let mut dice = Dice::new(4);
    let ticks = ticks(&mut dice);
    let mut seeded = rows(&mut dice, &ticks, &[("eth0", ""), ("eth1", "")]);
    seeded
        .iter_mut()
        .for_each(|row| row.counter = Some(row.counter.unwrap_or_default()));
    interfaces(&database, &seeded).await;
    let errors = metric("network.errors_per_sec");
    let window = i64::from(errors.evaluated_over_secs) * SECOND;
    for tick in ticks.iter().skip(40).step_by(97) {
        let found = latest(&session.client, 1, &[errors], *tick, INTERVAL)
            .await
            .unwrap();
        for key in ["eth0", "eth1"] {
            let mine: Vec<&Row> = seeded.iter().filter(|row| row.key == key).collect();
            let (mut steps, mut time) = (0.0, 0.0);
            for pair in mine.windows(2) {
                let within =
                    pair[1].at <= *tick && pair[1].at.as_micros() > tick.as_micros() - window;
                let micros = pair[1].at.as_micros() - pair[0].at.as_micros();
                let step = pair[1].counter.unwrap() - pair[0].counter.unwrap();
                if within && step >= 0 && micros <= MAX_STEP_INTERVALS * INTERVAL {
                    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                    let (step, secs) = (step as f64, micros as f64 / 1e6);
                    steps += step;
                    time += secs;
                }
            }
            let one = found.iter().find(|one| one.key.as_deref() == Some(key));
            let value = one.and_then(|one| one.value);
            let expected = (time > 0.0).then(|| steps / time);
            assert!(
                near(value.unwrap_or(-1.0), expected.unwrap_or(-1.0)),
                "{tick:?} {key}: {value:?} {expected:?}"
            );
        }
    }
    assert_eq!(errors.better, Better::Lower);
}
