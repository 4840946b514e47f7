//! P25: sums equal what the rows say: over any range, after late rows, and when the rows are gone.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{clock, database, number};
use schema::Timestamp;
use schema::micros::{DAY, HOUR, MINUTE};
use store::rollup;
use store::series::Instant;
use store::sums::{self, Origin};
use testkit::{Database, Dice};
use tokio_postgres::types::{ToSql, Type};

/// A sample: its instant, its key, its values, of which the first are whole numbers.
#[derive(Clone, Debug)]
struct Row {
    ts: i64,
    table: &'static str,
    key: String,
    whole: i64,
    real: Option<f64>,
    /// Of I/O, the epoch of its counters.
    epoch: String,
}

/// What a key adds up to.
type Sum = (Option<i64>, Option<f64>, Option<i64>);

/// The statements that read what [`brute`] computes: key, whole number, fraction, last instant.
const READ: [(&str, &str); 3] = [
    (
        "statement",
        "SELECT role, sum(calls)::int8, sum(plan_ms), max(last_seen) FROM {sums statement} s WHERE queryid = 7 AND $1 = 1 GROUP BY role",
    ),
    (
        "endpoint",
        "SELECT target || ' ' || endpoint || ' ' || status, sum(responses)::int8, NULL::float8, max(last_counted) \
         FROM {sums endpoint} s GROUP BY target, endpoint, status",
    ),
    (
        "io",
        "SELECT context, sum(reads)::int8, sum(read_ms_total), NULL::timestamptz FROM {sums io} s GROUP BY context",
    ),
];

/// What a sample adds to its key: a whole number, a fraction.
type Step<'a> = (&'a Row, Option<i64>, Option<f64>);

/// Returns what each sample of a table adds.
fn steps<'a>(rows: &'a [Row], table: &str) -> Vec<Step<'a>> {
    let mut rows: Vec<&Row> = rows.iter().filter(|row| row.table == table).collect();
    rows.sort_by_key(|row| row.ts);
    let mut before: BTreeMap<(&str, &str), &Row> = BTreeMap::new();
    // The last two instants of each target.
    let mut seen: BTreeMap<&str, [i64; 2]> = BTreeMap::new();
    let mut found = Vec::new();
    for row in rows {
        let near = |ts: i64| row.ts - ts <= HOUR;
        let before = before.insert((&row.key, &row.epoch), row);
        let before = before.filter(|before| near(before.ts));
        let target = row.key.split(' ').next().unwrap();
        let seen = seen.entry(target).or_insert([i64::MIN / 2; 2]);
        if seen[1] != row.ts {
            *seen = [seen[1], row.ts];
        }
        let (whole, real) = match (table, before) {
            ("statement", _) => (Some(row.whole), row.real),
            ("io", before) => {
                let step = before.filter(|before| row.whole >= before.whole);
                let real = before.and_then(|before| Some(row.real? - before.real?));
                (
                    step.map(|before| row.whole - before.whole),
                    real.filter(|real| *real >= 0.0),
                )
            }
            (_, Some(before)) if row.whole >= before.whole => {
                (Some(row.whole - before.whole), None)
            }
            (_, Some(_)) => (Some(row.whole), None),
            (_, None) => (near(seen[0]).then_some(row.whole), None),
        };
        found.push((row, whole, real));
    }
    found
}

/// What the rows of `from <= ts < to` add up to, and those before them say of steps.
fn brute(steps: &[Step<'_>], table: &str, from: i64, to: i64) -> BTreeMap<String, Sum> {
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for (row, whole, real) in steps
        .iter()
        .filter(|(row, ..)| row.ts >= from && row.ts < to)
    {
        let sum = sums.entry(row.key.clone()).or_default();
        if let Some(whole) = whole {
            *sum.0.get_or_insert(0) += whole;
        }
        if let Some(real) = real {
            *sum.1.get_or_insert(0.0) += real;
        }
        let is_last = match table {
            "statement" => true,
            "endpoint" => *whole > Some(0),
            _ => false,
        };
        if is_last {
            sum.2 = sum.2.max(Some(row.ts));
        }
    }
    sums
}

async fn connect(database: &Database) -> pg::Session {
    let options = pg::SessionOptions::default();
    pg::connect(&database.target(), &options, "test")
        .await
        .unwrap()
}

/// Asserts that a range adds up to what the rows of `expected` do; returns from what that was read.
async fn check(
    case: &str,
    session: &pg::Session,
    rows: &[Row],
    asked: (i64, i64),
    expected: (i64, i64),
) -> Origin {
    let (from, to) = (Timestamp(asked.0), Timestamp(asked.1));
    let parts = sums::parts(&session.client, 1, 60_000_000, from, to)
        .await
        .unwrap();
    for (name, sql) in READ {
        let (sql, instants) = parts.expand(sql, 1);
        let instants: Vec<Instant> = instants.into_iter().map(Instant).collect();
        let mut params: Vec<(&(dyn ToSql + Sync), Type)> = vec![(&1_i32, Type::INT4)];
        params.extend(
            instants
                .iter()
                .map(|at| (at as &(dyn ToSql + Sync), Type::TIMESTAMPTZ)),
        );
        let found = session.client.query_typed(&sql, &params).await.unwrap();
        let mut found: BTreeMap<String, Sum> = found
            .iter()
            .map(|row| {
                let last: Option<Instant> = row.get(3);
                let last = last.map(|last| last.0.as_micros());
                (row.get(0), (row.get(1), row.get(2), last))
            })
            .collect();
        let mut expected = brute(&steps(rows, name), name, expected.0, expected.1);
        // Fractions are added in another order.
        for sum in found.values_mut().chain(expected.values_mut()) {
            sum.1 = sum.1.map(|real| (real * 1e6).round());
        }
        assert_eq!(found, expected, "{case}: {name} of {asked:?}");
    }
    parts.origin()
}

/// Samples of `minutes` from `begin` on: statements and I/O every 5 minutes, endpoints every 2. Counters begin again on the seam of an hour
/// and elsewhere, pairs come, go and return, and a target is away for longer than a step may take.
fn samples(begin: i64, minutes: i64, dice: &mut Dice) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut counters: BTreeMap<String, (i64, f64)> = BTreeMap::new();
    for minute in 0..minutes {
        let ts = begin + minute * MINUTE;
        let mut row = |table, key: &str, whole, real, epoch: String| {
            rows.push(Row {
                ts,
                table,
                key: key.to_owned(),
                whole,
                real,
                epoch,
            });
        };
        let amount = |dice: &mut Dice| i64::try_from(dice.below(50)).unwrap();
        if minute % 5 == 0 {
            for role in ["app", "batch"] {
                if !dice.one_in(4) {
                    let real = (!dice.one_in(3)).then(|| dice.unit());
                    row("statement", role, amount(dice), real, String::new());
                }
            }
            for context in ["normal", "vacuum"] {
                let epoch = format!("{}", minute / 400);
                let counter = counters.entry(format!("{context} {epoch}")).or_default();
                *counter = match minute % 660 {
                    0 => (1, 0.0),
                    _ => (counter.0 + amount(dice), counter.1 + dice.unit()),
                };
                row("io", context, counter.0, Some(counter.1), epoch);
            }
        }
        if minute % 2 == 0 {
            for (key, is_there) in [
                ("api /a 200", true),
                ("api /a 500", minute > 130),
                ("api /b 404", minute % 300 > 40),
                ("api /c 404", minute % 400 > 75),
                ("proxy / 200", minute % 500 < 410),
            ] {
                let counter = counters.entry(key.to_owned()).or_default();
                counter.0 += amount(dice);
                if minute % 240 == 0 || dice.one_in(200) {
                    counter.0 = amount(dice);
                }
                if is_there {
                    row("endpoint", key, counter.0, None, String::new());
                }
            }
        }
    }
    rows
}

/// Stores samples, and notes their hours as the writer does.
async fn store(database: &Database, rows: &[&Row]) {
    let at = |micros: i64| format!("'epoch'::timestamptz + {micros} * interval '1 us'");
    let values = |table: &str, value: &dyn Fn(&Row) -> String| {
        let of_table = rows.iter().filter(|row| row.table == table);
        let values: Vec<String> = of_table
            .map(|row| format!("({}, 1, {})", at(row.ts), value(row)))
            .collect();
        (!values.is_empty()).then(|| values.join(","))
    };
    let real = |row: &Row| {
        row.real
            .map_or("NULL".to_owned(), |real| format!("{real:?}"))
    };
    let inserts = [
        values("statement", &|row| {
            format!(
                "'main', 'app', '{}', 7, 16, true, 300, false, {}, 0, 0, 0, 0, {}, 0, 0, 0, 0, 0, 0, NULL, NULL, 0, 0, 0",
                row.key, row.whole, real(row)
            )
        })
        .map(|values| {
            format!(
                "insert into collector.statement_metrics_raw (ts, host_id, instance, database, role, queryid, major, toplevel, interval_secs, \
                 evicted, calls, rows, exec_ms, max_exec_ms, stddev_exec_ms, plan_ms, shared_blks_hit, shared_blks_read, \
                 shared_blks_dirtied, shared_blks_written, temp_blks_read, temp_blks_written, blk_read_ms, blk_write_ms, \
                 wal_records, wal_bytes, jit_ms) values {values}"
            )
        }),
        values("endpoint", &|row| {
            let key: Vec<&str> = row.key.split(' ').collect();
            format!("'{}', '{}', {}, {}", key[0], key[1], key[2], row.whole)
        })
        .map(|values| {
            format!("insert into collector.endpoint_metrics_raw (ts, host_id, target, endpoint, status, responses) values {values}")
        }),
        values("io", &|row| {
            format!(
                "'main', 'client backend', 'relation', '{}', '{}', {}, {}",
                row.key, row.epoch, row.whole, real(row)
            )
        })
        .map(|values| {
            format!(
                "insert into collector.io_metrics_raw (ts, host_id, instance, backend_type, object, context, epoch, reads, read_ms_total) \
                 values {values}"
            )
        }),
    ];
    let mut hours: Vec<i64> = rows
        .iter()
        .map(|row| row.ts.div_euclid(HOUR) * HOUR)
        .collect();
    hours.sort_unstable();
    hours.dedup();
    let notes: Vec<String> = hours
        .iter()
        .map(|hour| format!("(1, {})", at(*hour)))
        .collect();
    let mut text: Vec<String> = inserts.into_iter().flatten().collect();
    text.push(format!(
        "insert into collector.changed_hours (host_id, bucket) values {}",
        notes.join(",")
    ));
    database.sql(&text.join("; ")).await.unwrap();
}

/// A database with a host, whose rows lie in the default partitions.
async fn prepared() -> Database {
    let database = database().await;
    let text = "insert into collector.hosts (machine_id, hostname) values ('m', 'h'); \
        select collector.ensure_partition(t, null) from unnest(array['statement_metrics_raw', 'endpoint_metrics_raw', 'io_metrics_raw']) t";
    database.sql(text).await.unwrap();
    database
}

async fn roll_up(session: &pg::Session) {
    let outcome = rollup::run(&session.client, Duration::from_secs(600)).await;
    assert_eq!(outcome.unwrap().unwrap().left, 0);
}

/// Ranges with ends on and within hours, of minutes to all of it.
fn ranges(begin: i64, end: i64, dice: &mut Dice) -> Vec<(i64, i64)> {
    let mut ranges = vec![(begin, end), (begin + 3 * HOUR, begin + 4 * HOUR)];
    for nth in 0..12 {
        let mut instant = || {
            let span = u64::try_from(end - begin).unwrap();
            begin + i64::try_from(dice.below(span)).unwrap()
        };
        let (a, b) = (instant(), instant());
        let unit = if nth % 3 == 0 { HOUR } else { 1 };
        ranges.push((a.min(b) / unit * unit, a.max(b)));
    }
    ranges
}

#[tokio::test]
async fn p25_sums_are_those_of_the_rows() {
    let (database, mut dice) = (prepared().await, Dice::new(37));
    // Midnight of the day before yesterday, so that a day is over.
    let begin = (clock().as_micros().div_euclid(DAY) - 2) * DAY;
    let end = begin + 30 * HOUR;
    let rows = samples(begin, 30 * 60, &mut dice);
    let session = connect(&database).await;
    // Of every seventh hour some samples come late.
    let is_late = |row: &&Row| (row.ts - begin) / HOUR % 7 == 3 && (row.ts / MINUTE) % 4 != 1;
    let (late, early): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(is_late);
    store(&database, &early).await;
    let known: Vec<Row> = early.into_iter().cloned().collect();
    let ranges = ranges(begin, end, &mut dice);
    for range in &ranges {
        let origin = check("samples", &session, &known, *range, *range).await;
        assert_eq!(origin, Origin::Samples);
    }
    roll_up(&session).await;
    for range in &ranges {
        check("rolled up", &session, &known, *range, *range).await;
    }
    let origin = check("all", &session, &known, (begin, end), (begin, end)).await;
    assert_eq!(origin, Origin::Days);
    store(&database, &late).await;
    for range in &ranges {
        check("late rows", &session, &rows, *range, *range).await;
    }
    roll_up(&session).await;
    for range in &ranges {
        check("rolled up again", &session, &rows, *range, *range).await;
    }
    // The samples of the first day are gone: what begins or ends within an hour is whole hours.
    let day = begin + DAY;
    let gone = format!(
        "insert into collector.retention (host_id, raw_days, hourly_days, long_days, log_days, event_days, clock_ahead_secs, reported_at) \
         values (1, 1, 90, 365, 7, 30, 0, now()); \
         with t as (select 'epoch'::timestamptz + {day} * interval '1 us' as day) select t.day from t; \
         delete from collector.statement_metrics_raw where ts < 'epoch'::timestamptz + {day} * interval '1 us'; \
         delete from collector.endpoint_metrics_raw where ts < 'epoch'::timestamptz + {day} * interval '1 us'; \
         delete from collector.io_metrics_raw where ts < 'epoch'::timestamptz + {day} * interval '1 us'"
    );
    database.sql(&gone).await.unwrap();
    let floor = |at: i64, unit: i64| at.div_euclid(unit) * unit;
    for (from, to) in &ranges {
        let known = (
            if *from < day {
                floor(*from, HOUR)
            } else {
                *from
            },
            if *to <= day {
                floor(*to + HOUR - 1, HOUR)
            } else {
                *to
            },
        );
        // The first hour that has samples lacks the one before.
        if (day..day + HOUR).contains(from) || (day + 1..day + HOUR).contains(to) {
            continue;
        }
        check("samples gone", &session, &rows, (*from, *to), known).await;
    }
    // Its hours are gone, too: it is whole.
    let gone = format!(
        "update collector.retention set hourly_days = 1; \
         delete from collector.statement_hours where bucket < 'epoch'::timestamptz + {day} * interval '1 us'; \
         delete from collector.endpoint_hours where bucket < 'epoch'::timestamptz + {day} * interval '1 us'; \
         delete from collector.io_hours where bucket < 'epoch'::timestamptz + {day} * interval '1 us'"
    );
    database.sql(&gone).await.unwrap();
    for asked in [(begin + 5, end), (begin + 7 * HOUR, begin + 8 * HOUR)] {
        let known = (begin, asked.1.max(day));
        let origin = check("hours gone", &session, &rows, asked, known).await;
        assert_eq!(origin, Origin::Days);
    }
}

#[tokio::test]
async fn p25_months_are_those_of_their_days() {
    let (database, mut dice) = (prepared().await, Dice::new(3));
    let begin = (clock().as_micros().div_euclid(DAY) - 70) * DAY;
    let end = begin + 69 * DAY;
    // Two hours of each day.
    let all = (0..69).flat_map(|day| samples(begin + day * DAY + 9 * HOUR, 90, &mut dice));
    let rows: Vec<Row> = all.filter(|row| row.ts / MINUTE % 10 == 0).collect();
    store(&database, &rows.iter().collect::<Vec<_>>()).await;
    // As if their metrics were rolled up.
    let rolled_up = "insert into collector.rollups (host_id, grain, bucket, version, ticks) \
        select distinct host_id, 'hour', bucket, 1, 1 from collector.changed_hours; delete from collector.changed_hours";
    database.sql(rolled_up).await.unwrap();
    let session = connect(&database).await;
    roll_up(&session).await;
    let months = "select count(*) from collector.summed_months";
    assert!(number(&database, months).await >= 1);
    let count = "select count(*) from collector.statement_days where grain = 'month'";
    assert!(number(&database, count).await >= 2);
    let parts = sums::parts(
        &session.client,
        1,
        60_000_000,
        Timestamp(begin),
        Timestamp(end),
    );
    let parts = parts.await.unwrap();
    let (sql, _) = parts.expand("{sums io}", 1);
    assert!(
        sql.contains("grain = 'month'") && !sql.contains("_raw"),
        "{sql}"
    );
    let some = [(begin, end), (begin + 5 * DAY + HOUR, end - 3 * DAY)];
    for range in some {
        check("months", &session, &rows, range, range).await;
    }
    // A late row of a day of each month.
    let late: Vec<Row> = (0..60)
        .step_by(20)
        .flat_map(|day| samples(begin + day * DAY + 17 * HOUR, 30, &mut dice))
        .collect();
    store(&database, &late.iter().collect::<Vec<_>>()).await;
    let rows: Vec<Row> = rows.into_iter().chain(late).collect();
    for range in some {
        check("late rows", &session, &rows, range, range).await;
    }
    roll_up(&session).await;
    for range in some {
        check("rolled up again", &session, &rows, range, range).await;
    }
    let (sql, _) = sums::parts(
        &session.client,
        1,
        60_000_000,
        Timestamp(begin),
        Timestamp(end),
    )
    .await
    .unwrap()
    .expand("{sums io}", 1);
    assert!(sql.contains("grain = 'month'"), "{sql}");
}
