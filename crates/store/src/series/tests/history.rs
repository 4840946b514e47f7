//! Buckets of hours and days are those of the samples, for every metric, before and after a roll-up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use schema::micros::{DAY, HOUR};
use schema::{METRICS, PgType, Role, TableDef};
use testkit::Dice;

use super::super::buckets::answer;
use super::seed::time;
use super::*;
use crate::rollup::{self, Outcome};

/// Two hours before 26 Oct 2025 (UTC), which has 25 hours in Berlin.
pub(super) const BEGIN: i64 = 1_761_429_600 * SECOND;
/// Ticks over a day and a half, five minutes apart.
const TICKS: i64 = 430;
const STEP: i64 = 300 * SECOND;
const KEYS: usize = 3;

/// Returns the tables of metrics.
pub(super) fn sources() -> Vec<&'static TableDef> {
    let mut tables: Vec<&'static TableDef> = Vec::new();
    for metric in METRICS {
        let table = metric.series.table();
        if !tables.iter().any(|known| known.name == table.name) {
            tables.push(table);
        }
    }
    tables
}

/// The state of one subject of a table.
struct Subject {
    counters: Vec<i64>,
    epoch: u64,
}

/// Returns a row of a subject as SQL.
fn row(
    table: &TableDef,
    nth: usize,
    subject: &mut Subject,
    at: Timestamp,
    dice: &mut Dice,
) -> String {
    let mut cells = vec![time(at), "1".to_owned()];
    if dice.one_in(60) {
        subject.epoch += 1;
        subject.counters.iter_mut().for_each(|one| *one = 0);
    }
    let begins_again = dice.one_in(50);
    let keys = table
        .columns
        .iter()
        .filter(|column| column.role == Role::Key);
    let keys: Vec<&str> = keys.map(|column| column.name).collect();
    for (column, counter) in table.columns.iter().zip(&mut subject.counters) {
        *counter += i64::try_from(dice.below(5_000)).unwrap();
        if begins_again {
            *counter = i64::try_from(dice.below(50)).unwrap();
        }
        if column.nullable && dice.one_in(20) {
            cells.push("NULL".to_owned());
            continue;
        }
        let number = match column.role {
            Role::Counter => *counter,
            _ => i64::try_from(dice.below(3_000)).unwrap(),
        };
        // Several subjects have the first part of a key in common.
        let key = match keys.first() == Some(&column.name) && keys.len() > 1 {
            true => nth % 2,
            false => nth,
        };
        cells.push(match (column.pg, column.role) {
            // The time that a row of amounts covers.
            _ if column.name == "interval_secs" => "300".to_owned(),
            (PgType::Text, Role::Key) => format!("'{} {key}'", column.name),
            (PgType::Int4 | PgType::Int8, Role::Key) => key.to_string(),
            (PgType::Text, _) if column.name == "epoch" => format!("'{}'", subject.epoch),
            (PgType::Text, _) => "'x'".to_owned(),
            (PgType::Bool, _) => (number % 2 == 0).to_string(),
            (PgType::Jsonb, _) if column.name == "cpu_cores" => {
                let idle = number % 101;
                format!(
                    "'[{{\"core\":0,\"user\":1,\"idle\":{idle}}},{{\"core\":1,\"user\":1,\"idle\":50}}]'"
                )
            }
            (PgType::Jsonb, _) => "'{}'".to_owned(),
            (PgType::Timestamptz, _) => time(Timestamp(at.as_micros() - number * SECOND)),
            (PgType::Int4 | PgType::Int8, _) => number.to_string(),
            (PgType::Float8, _) => format!("{number}.25"),
        });
    }
    format!("({})", cells.join(","))
}

/// Stores random rows of every table at these ticks, with resets and missing figures.
pub(super) async fn seed(database: &Database, dice: &mut Dice, ticks: &[Timestamp]) {
    for table in sources() {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let has_key = table.columns.iter().any(|column| column.role == Role::Key);
        let subject = |_| Subject {
            counters: vec![0; names.len()],
            epoch: 0,
        };
        let mut subjects: Vec<Subject> = (0..if has_key { KEYS } else { 1 }).map(subject).collect();
        let mut values = Vec::new();
        for at in ticks {
            for (nth, subject) in subjects.iter_mut().enumerate() {
                // The first is always there, as the busiest statement is.
                if nth == 0 || !dice.one_in(6) {
                    values.push(row(table, nth, subject, *at, dice));
                }
            }
        }
        let columns = format!("ts, host_id, {}", names.join(", "));
        super::seed::insert(database, table.name, &columns, values).await;
    }
}

pub(super) fn ticks(dice: &mut Dice) -> Vec<Timestamp> {
    let ticks = (0..TICKS).filter(|tick| !(200..260).contains(tick) && !dice.one_in(20));
    ticks.map(|tick| Timestamp(BEGIN + tick * STEP)).collect()
}

/// Notes the hours of these ticks as the writer does.
pub(super) async fn note(database: &Database, ticks: &[Timestamp]) {
    let hours: BTreeSet<i64> = ticks.iter().map(|tick| tick.as_micros() / HOUR).collect();
    for hour in hours {
        let at = time(Timestamp(hour * HOUR));
        let sql = format!("insert into collector.changed_hours (host_id, bucket) values (1, {at})");
        database.sql(&sql).await.unwrap();
    }
}

/// Queries of all metrics over whole hours and days.
pub(super) fn asks() -> Vec<RangeQuery> {
    let start = BEGIN.div_euclid(DAY) * DAY;
    let spans = [
        (HOUR, BEGIN, BEGIN + 36 * HOUR),
        (HOUR, BEGIN + 5 * HOUR, BEGIN + 12 * HOUR),
        (3 * HOUR, start + 21 * HOUR, start + 54 * HOUR),
        (DAY, start, start + 3 * DAY),
        (DAY, start + DAY, start + 2 * DAY),
        // Buckets of slices, which begin and end within hours.
        (
            600 * SECOND,
            BEGIN + 5 * HOUR + 1200 * SECOND,
            BEGIN + 9 * HOUR + 617 * SECOND,
        ),
        (1000 * SECOND, BEGIN + 400 * SECOND, BEGIN + 34 * HOUR),
    ];
    let picks: Vec<Pick> = METRICS
        .iter()
        .filter(|metric| metric.is_rolled_up())
        .map(|metric| Pick { metric, key: None })
        .collect();
    let ask = |(step, from, to)| RangeQuery {
        host_id: 1,
        from: Timestamp(from),
        to: Timestamp(to),
        give_from: Timestamp(from),
        step,
        interval: STEP,
        limit: 64,
        key_prefix: None,
        last: true,
        picks: picks.clone(),
    };
    spans.into_iter().map(ask).collect()
}

/// The series of an answer by metric and key.
fn by_name(answer: &Answer) -> BTreeMap<(String, Option<String>), &FoundSeries> {
    assert!(answer.faults.is_empty(), "{:?}", answer.faults);
    let named = answer.series.iter();
    named
        .map(|found| ((found.metric.id(), found.key.clone()), found))
        .collect()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

/// Compares an answer with that of the samples.
pub(super) fn compare(case: &str, ask: &RangeQuery, found: &Answer, expected: &Answer) {
    let (found, expected) = (by_name(found), by_name(expected));
    let names = |of: &BTreeMap<_, _>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expected), "{case}");
    for (name, expected) in expected {
        let found = found[&name];
        let place = format!("{case}: {name:?} in buckets of {} h", ask.step / HOUR);
        let at = |of: &FoundSeries| of.buckets.iter().map(|one| one.at).collect::<Vec<_>>();
        assert_eq!(at(found), at(expected), "{place}");
        for (a, b) in found.buckets.iter().zip(&expected.buckets) {
            let is_same = near(a.lo, b.lo) && near(a.hi, b.hi) && near(a.avg, b.avg);
            assert!(is_same, "{place}: {a:?} is not {b:?}");
        }
        let last = (found.last, expected.last);
        let is_same = match last {
            (Some(a), Some(b)) => near(a, b),
            (a, b) => a == b,
        };
        assert!(is_same, "{place}: last {last:?}");
    }
}

async fn check(case: &str, client: &tokio_postgres::Client) {
    compare_peaks(case, client).await;
    let numbered = asks().into_iter().enumerate();
    for (_, ask) in numbered.filter(|(nth, ask)| nth % 2 == 0 || !is_of_hours(ask.step)) {
        let expected = answer(client, &ask, None).await;
        let found = buckets(client, &ask).await;
        compare(case, &ask, &found, &expected);
        let keys = expected.series.iter().filter(|one| one.key.is_some());
        // Some of the keys: what is absent of these depends on the others.
        let picks = keys.step_by(2).map(|one| Pick {
            metric: one.metric,
            key: one.key.clone(),
        });
        let chosen = RangeQuery {
            picks: picks.collect(),
            ..ask
        };
        let expected = answer(client, &chosen, None).await;
        let found = buckets(client, &chosen).await;
        compare(&format!("{case}, chosen keys"), &chosen, &found, &expected);
    }
    // One key, which may have no row at the newest instant: what its hour ended with is not its last value then.
    for ask in asks().into_iter().take(2) {
        let metric = schema::metric("network.rx_bytes_per_sec").unwrap();
        let of_metric = |key| RangeQuery {
            picks: vec![Pick { metric, key }],
            ..ask.clone()
        };
        for found in answer(client, &of_metric(None), None).await.series {
            let one = of_metric(found.key);
            let expected = answer(client, &one, None).await;
            compare(
                &format!("{case}, one key"),
                &one,
                &buckets(client, &one).await,
                &expected,
            );
        }
    }
    // What is folded here is what the server computes.
    for ask in &asks() {
        super::brute::check_folded(client, ask).await;
    }
    // With the last values, of ranges that end with what is not rolled up while the second half is not.
    let start = BEGIN.div_euclid(DAY) * DAY;
    let end = BEGIN + 19 * HOUR + 1234 * SECOND;
    for (step, from) in [
        (HOUR, end - 1234 * SECOND - 4 * HOUR),
        (3 * HOUR, start + 21 * HOUR),
        (DAY, start),
    ] {
        let ask = RangeQuery {
            from: Timestamp(from),
            give_from: Timestamp(from),
            to: Timestamp(end),
            step,
            limit: ALL,
            ..asks().remove(0)
        };
        let (found, expected) = (
            of_few_samples(client, &ask).await,
            answer(client, &ask, None).await,
        );
        compare(&format!("{case}, folded"), &ask, &found, &expected);
    }
    // All keys, unranked, are those of a limit beyond them.
    for ask in asks().into_iter().take(1) {
        let expected = answer(client, &ask, None).await;
        let all = RangeQuery { limit: ALL, ..ask };
        compare(case, &all, &buckets(client, &all).await, &expected);
    }
}

/// The highest keys of a range are those of its samples, whatever they are found in.
async fn compare_peaks(case: &str, client: &tokio_postgres::Client) {
    let (from, to) = (
        BEGIN + 4 * HOUR + 1200 * SECOND,
        BEGIN + 11 * HOUR + 617 * SECOND,
    );
    let ask = RangeQuery {
        step: 400 * SECOND,
        from: Timestamp(from),
        to: Timestamp(to),
        give_from: Timestamp(from),
        last: false,
        ..asks().remove(0)
    };
    let keyed = ask.picks.iter().filter(|pick| pick.metric.key.is_some());
    let ask = RangeQuery {
        picks: keyed.cloned().collect(),
        ..ask.clone()
    };
    let mut found = BTreeMap::new();
    for peak in peaks(client, &ask).await.unwrap() {
        found.insert((peak.metric.id(), peak.key), peak.high);
    }
    let mut expected = BTreeMap::new();
    for series in answer(client, &ask, None).await.series {
        let high = series.buckets.iter().map(|one| one.hi).reduce(f64::max);
        if let Some(high) = high {
            expected.insert((series.metric.id(), series.key.unwrap()), high);
        }
    }
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>(),
        "{case}"
    );
    for (name, high) in expected {
        assert!(
            near(found[&name], high),
            "{case}: {name:?}: {} is not {high}",
            found[&name]
        );
    }
}

pub(super) async fn roll_up(client: &tokio_postgres::Client) -> Outcome {
    let outcome = rollup::run(client, Duration::from_secs(600)).await;
    outcome.unwrap().expect("nobody else rolls up")
}

/// Stores a host that samples every five minutes.
pub(super) async fn host(database: &Database) {
    let begin = "insert into collector.hosts (machine_id, hostname) values ('m', 'h'); \
        insert into collector.agent_runs (host_id, run_id, writer, pid, version, started_at, settings) \
        values (1, gen_random_uuid(), gen_random_uuid(), 1, '', now(), \
                '{\"intervals.system_secs\": [\"300\"], \"intervals.app_secs\": [\"300\"]}')";
    database.sql(begin).await.unwrap();
}

#[tokio::test]
async fn buckets_of_hours_are_those_of_the_samples_of_every_metric() {
    let (database, mut dice) = (database().await, Dice::new(7));
    host(&database).await;
    let made = testkit::partitions("2025-10-25", "2025-10-27");
    database.sql(&made).await.unwrap();
    let ticks = ticks(&mut dice);
    let (late, timely): (Vec<Timestamp>, Vec<Timestamp>) = ticks
        .iter()
        .partition(|tick| tick.as_micros() / STEP % 40 == 7);
    let (first, second) = timely.split_at(timely.len() / 2);
    seed(&database, &mut dice, first).await;
    let target = database.target();
    let session = pg::connect(&target, &pg::SessionOptions::default(), "roll-up").await;
    let session = session.unwrap();
    let client = &session.client;
    // Hours are those of UTC, whatever the session says.
    let berlin = client.batch_execute("SET TimeZone = 'Europe/Berlin'").await;
    berlin.unwrap();

    check("nothing is rolled up", client).await;
    note(&database, first).await;
    let outcome = roll_up(client).await;
    assert!(outcome.hours > 10 && outcome.left == 0, "{outcome:?}");
    check("the first half is rolled up", client).await;
    seed(&database, &mut dice, second).await;
    note(&database, second).await;
    check("the second half is stored", client).await;
    let outcome = roll_up(client).await;
    assert!(outcome.days > 0, "{outcome:?}");
    check("all of it is rolled up", client).await;

    seed(&database, &mut dice, &late).await;
    note(&database, &late).await;
    check("late rows are not rolled up", client).await;
    roll_up(client).await;
    check("late rows are rolled up", client).await;
    let again = roll_up(client).await;
    assert_eq!((again.hours, again.days, again.left), (0, 0, 0));

    let mut expected = Vec::new();
    for ask in asks().into_iter().filter(|ask| is_of_hours(ask.step)) {
        expected.push((answer(client, &ask, None).await, ask));
    }
    let mut gone = String::new();
    for table in sources() {
        gone.push_str(&format!("truncate collector.{};", table.instants()));
    }
    gone.push_str("insert into collector.retention values (1, 1, 36500, 36500, 1, 1)");
    database.sql(&gone).await.unwrap();
    for (expected, ask) in expected {
        let found = buckets(client, &ask).await;
        compare("samples are gone", &ask, &found, &expected);
    }
}
