//! Shares and amounts are what the same rows give when computed in Rust.

use std::collections::{BTreeMap, BTreeSet};

use super::seed::{insert, ticks, time};
use super::*;
use testkit::Dice;

/// One sample of a database: commits as the part, all transactions as the whole.
#[derive(Clone, Debug)]
struct Sample {
    at: Timestamp,
    database: &'static str,
    epoch: &'static str,
    rollbacks: Option<i64>,
    commits: Option<i64>,
}

/// Counters of two databases that grow, stand still, disappear, fall without a new epoch, and begin
/// anew with one: higher than they were, so that only the epoch shows it.
fn samples(dice: &mut Dice, ticks: &[Timestamp]) -> Vec<Sample> {
    let mut found = Vec::new();
    for database in ["app", "other"] {
        let (mut rollbacks, mut commits) = (0i64, 0i64);
        for (nth, at) in ticks.iter().enumerate() {
            let step = |dice: &mut Dice, most| i64::try_from(dice.below(most)).unwrap();
            if dice.below(6) > 0 {
                rollbacks += step(dice, 40);
                commits += step(dice, 200);
            }
            if dice.below(80) == 0 {
                rollbacks = step(dice, 5);
            }
            let epoch = if nth < ticks.len() / 2 { "e1" } else { "e2" };
            if nth == ticks.len() / 2 {
                commits += 1_000_000;
            }
            if dice.below(12) == 0 {
                continue;
            }
            found.push(Sample {
                at: *at,
                database,
                epoch,
                rollbacks: (dice.below(30) > 0).then_some(rollbacks),
                commits: Some(commits),
            });
        }
    }
    found.sort_by_key(|one| one.at);
    found
}

/// Steps of part and whole by instant and key, those of one key added up.
type Steps = BTreeMap<(Timestamp, String), (f64, f64)>;

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn steps(samples: &[Sample], key: impl Fn(&Sample) -> String) -> Steps {
    let mut before: BTreeMap<(&str, &str), &Sample> = BTreeMap::new();
    let mut found = Steps::new();
    for one in samples {
        let Some(known) = before.insert((one.database, one.epoch), one) else {
            continue;
        };
        let of = |one: &Sample| Some((one.rollbacks?, one.commits? + one.rollbacks?));
        let (Some(from), Some(to)) = (of(known), of(one)) else {
            continue;
        };
        let micros = one.at.as_micros() - known.at.as_micros();
        if to.0 < from.0 || to.1 < from.1 || micros > MAX_STEP_INTERVALS * INTERVAL {
            continue;
        }
        let slot = found.entry((one.at, key(one))).or_default();
        slot.0 += (to.0 - from.0) as f64;
        slot.1 += (to.1 - from.1) as f64;
    }
    found
}

/// Computes the least, greatest and mean share of a bucket in percent, `None` without a transaction.
fn reduce(steps: &Steps, key: &str, from: i64, to: i64) -> Option<(f64, f64, f64)> {
    let mine = steps
        .iter()
        .filter(|((at, known), _)| known == key && at.as_micros() >= from && at.as_micros() < to);
    let (mut lo, mut hi, mut part, mut whole) = (f64::MAX, f64::MIN, 0.0, 0.0);
    for (_, (p, w)) in mine {
        (part, whole) = (part + p, whole + w);
        if *w > 0.0 {
            (lo, hi) = (lo.min(100.0 * p / w), hi.max(100.0 * p / w));
        }
    }
    (whole > 0.0).then(|| (lo, hi, 100.0 * part / whole))
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

async fn stored(database: &Database, samples: &[Sample]) {
    let columns = "ts, host_id, instance, database, epoch, xact_commit, xact_rollback";
    let text = |value: Option<i64>| value.map_or("NULL".to_owned(), |value| value.to_string());
    let line = |one: &Sample| {
        let (commits, rollbacks) = (text(one.commits), text(one.rollbacks));
        let (at, database, epoch) = (time(one.at), one.database, one.epoch);
        format!("({at}, 1, 'store', '{database}', '{epoch}', {commits}, {rollbacks})")
    };
    let lines = samples.iter().map(line).collect();
    insert(database, "database_metrics_raw", columns, lines).await;
}

#[tokio::test]
async fn shares_are_steps_over_steps_by_key_and_folded() {
    let database = database().await;
    let made = &testkit::partitions("2026-09-20", "2026-09-21");
    database.sql(made).await.unwrap();
    let session = session(&database).await;
    let mut dice = Dice::new(5);
    let ticks = ticks(&mut dice);
    let samples = samples(&mut dice, &ticks);
    stored(&database, &samples).await;
    let by_database = steps(&samples, |one| format!("store.{}", one.database));
    let by_server = steps(&samples, |_| "store".to_owned());
    let ids = ["database.rollback_pct", "db.rollback_pct"];
    for (from, to, step) in [
        (0.0, 10_000.0, 500),
        (3_000.0, 7_000.0, 20),
        (90.0, 100.0, 10),
    ] {
        let step = step * SECOND;
        let from = Timestamp(at(from).as_micros().div_euclid(step) * step);
        let ask = RangeQuery {
            host_id: 1,
            from,
            to: at(to),
            give_from: from,
            key_prefix: None,
            last: true,
            step,
            interval: INTERVAL,
            limit: 64,
            picks: ids
                .iter()
                .map(|id| Pick {
                    metric: metric(id),
                    key: None,
                })
                .collect(),
        };
        let answer = buckets(&session.client, &ask).await;
        assert!(answer.faults.is_empty(), "{:?}", answer.faults);
        for (id, steps) in [(ids[0], &by_database), (ids[1], &by_server)] {
            let keys: BTreeSet<&String> = steps.keys().map(|(_, key)| key).collect();
            for key in keys {
                let found = answer
                    .series
                    .iter()
                    .find(|one| one.metric.id() == id && one.key.as_ref() == Some(key));
                let found = found.map_or(&[][..], |one| &one.buckets);
                let mut given = found.iter();
                let mut start = ask.from.as_micros();
                while start < ask.to.as_micros() {
                    let end = (start + ask.step).min(ask.to.as_micros());
                    if let Some((lo, hi, avg)) = reduce(steps, key, start, end) {
                        let bucket = given.next().unwrap_or_else(|| panic!("{id} {key} {start}"));
                        let same = bucket.at.as_micros() == start
                            && near(bucket.lo, lo.min(avg))
                            && near(bucket.hi, hi.max(avg))
                            && near(bucket.avg, avg);
                        assert!(same, "{id} {key}: {bucket:?} is not {lo} {hi} {avg}");
                    }
                    start = end;
                }
                assert_eq!(given.next(), None, "{id} {key}");
            }
        }
    }
    // The latest value of a window, here ten minutes; and no step leads across the new epoch.
    for tick in ticks.iter().skip(70).step_by(89) {
        let picks = [(metric(ids[0]), 600)];
        let found = latest_over(&session.client, 1, &picks, *tick, INTERVAL).await;
        let found = found.unwrap();
        for key in ["store.app", "store.other"] {
            let one = found.iter().find(|one| one.key.as_deref() == Some(key));
            let value = one.and_then(|one| one.value);
            let end = tick.as_micros() + 1;
            let expected = reduce(&by_database, key, end - 600 * SECOND, end);
            let expected = expected.map(|(_, _, mean)| mean);
            assert!(
                near(value.unwrap_or(-1.0), expected.unwrap_or(-1.0)),
                "{key}: {value:?} is not {expected:?}"
            );
        }
    }
    let most = |steps: &Steps| steps.values().map(|(_, whole)| *whole).fold(0.0, f64::max);
    assert!(
        most(&by_database) < 1_000_000.0,
        "a step across the epoch counts"
    );
}

#[tokio::test]
async fn an_evaluated_share_rests_on_enough() {
    let database = database().await;
    let made = &testkit::partitions("2026-09-20", "2026-09-20");
    database.sql(made).await.unwrap();
    let session = session(&database).await;
    let errors = metric("api.error_pct");
    for (requests, expected) in [(99, None), (100, Some(10.0)), (1000, Some(1.0))] {
        let text = format!(
            "TRUNCATE collector.api_metrics_raw;
             INSERT INTO collector.api_metrics_raw (ts, host_id, target, total_requests, failed_requests)
             VALUES ({}, 1, 'shop', 5, 0), ({}, 1, 'shop', 5 + {requests}, 10)",
            time(at(0.0)),
            time(at(10.0))
        );
        database.sql(&text).await.unwrap();
        let found = latest(&session.client, 1, &[errors], at(10.0), INTERVAL)
            .await
            .unwrap();
        assert_eq!(found[0].value, expected, "{requests}");
    }
}

#[tokio::test]
async fn an_absent_amount_is_zero() {
    let database = database().await;
    let made = &testkit::partitions("2026-09-20", "2026-09-21");
    database.sql(made).await.unwrap();
    let session = session(&database).await;
    // Slow ticks; statement 1 runs in each, 2 in every fourth, by two roles.
    let columns = "ts, host_id, instance, database, role, queryid, major, toplevel, interval_secs, evicted, calls, rows, \
        exec_ms, max_exec_ms, stddev_exec_ms, shared_blks_hit, shared_blks_read, shared_blks_dirtied, shared_blks_written, \
        temp_blks_read, temp_blks_written, wal_records, wal_bytes, jit_ms";
    let mut lines = Vec::new();
    for nth in 0..24u32 {
        let ts = time(at(f64::from(nth) * 300.0));
        let mut row = |role: &str, id: u32, calls: u32, ms: u32| {
            lines.push(format!(
                "({ts}, 1, 'store', 'app', '{role}', {id}, 15, true, 300, false, {calls}, 0, {ms}, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)"
            ));
        };
        row("web", 1, 10, 600);
        if nth % 4 == 0 {
            row("web", 2, 30, 900);
            row("batch", 2, 10, 300);
        }
    }
    insert(&database, "statement_metrics_raw", columns, lines).await;
    let pick = |id: &str, key: Option<&str>| Pick {
        metric: metric(id),
        key: key.map(str::to_owned),
    };
    let ask = |picks: Vec<Pick>| RangeQuery {
        host_id: 1,
        from: at(0.0),
        to: at(7200.0),
        give_from: at(0.0),
        key_prefix: None,
        last: true,
        step: 1200 * SECOND,
        interval: INTERVAL,
        limit: 8,
        picks,
    };
    let time = "statement.exec_ms_per_sec";
    // Whether all keys are asked for, or one alone.
    for key in [None, Some("store.app.2")] {
        let picks = vec![pick(time, key), pick("statement.mean_ms", key)];
        let answer = buckets(&session.client, &ask(picks)).await;
        assert!(answer.faults.is_empty(), "{:?}", answer.faults);
        let of = |id: &str| {
            let mut all = answer.series.iter();
            let found =
                all.find(|one| one.metric.id() == id && one.key.as_deref() == Some("store.app.2"));
            found.unwrap().buckets.clone()
        };
        let times = of(time);
        assert_eq!(times.len(), 6);
        for bucket in &times {
            // 1200 ms within one of four ticks of 300 s.
            let found = (bucket.lo, bucket.hi, bucket.avg);
            assert_eq!(found, (0.0, 4.0, 1.0), "{key:?}");
        }
        for bucket in of("statement.mean_ms") {
            assert_eq!(
                (bucket.lo, bucket.hi, bucket.avg),
                (30.0, 30.0, 30.0),
                "{key:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_sampled_slowly_is_found_minutes_later() {
    let database = database().await;
    let made = &testkit::partitions("2026-09-20", "2026-09-20");
    database.sql(made).await.unwrap();
    let session = session(&database).await;
    let mut lines = Vec::new();
    for nth in 0..61u32 {
        let size = if nth % 30 == 0 {
            (1000 + nth).to_string()
        } else {
            "NULL".to_owned()
        };
        let ts = time(at(f64::from(nth) * 10.0));
        lines.push(format!("({ts}, 1, 'store', 'app', 'e', {size}, {nth})"));
    }
    let columns = "ts, host_id, instance, database, epoch, size_bytes, numbackends";
    insert(&database, "database_metrics_raw", columns, lines).await;
    let size = metric("database.size_bytes");
    for (secs, expected) in [
        (0.0, Some(1000.0)),
        (290.0, Some(1000.0)),
        (300.0, Some(1030.0)),
        (599.0, Some(1030.0)),
    ] {
        let found = latest(&session.client, 1, &[size], at(secs), INTERVAL)
            .await
            .unwrap();
        assert_eq!(found.first().and_then(|one| one.value), expected, "{secs}");
    }
    let ask = RangeQuery {
        host_id: 1,
        from: at(0.0),
        to: at(590.0),
        give_from: at(0.0),
        key_prefix: None,
        last: true,
        step: 10 * SECOND,
        interval: INTERVAL,
        limit: 8,
        picks: ["database.size_bytes", "database.backends"]
            .iter()
            .map(|id| Pick {
                metric: metric(id),
                key: None,
            })
            .collect(),
    };
    let answer = buckets(&session.client, &ask).await;
    let last: Vec<Option<f64>> = answer.series.iter().map(|one| one.last).collect();
    assert_eq!(last, [Some(1030.0), Some(58.0)]);
    assert_eq!(answer.series[0].buckets.len(), 2);
}
