//! P25: roll-ups equal what the rows say: after late rows, a kill at any statement, and two runs at once.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::time::Duration;

use common::{Running, clock, database, number, start};
use schema::micros::{DAY, HOUR, SECOND};
use schema::tables::{NetworkSample, SystemSample};
use schema::{Row, Sample, Timestamp};
use store::rollup::{self, Outcome};
use store::series::{self, Answer, Pick, RangeQuery};
use tempfile::TempDir;
use testkit::{Database, Dice};
use tokio_postgres::Client;

/// Midnight of the day before yesterday: whole hours and a whole day that are over.
fn begin() -> i64 {
    (clock().as_micros().div_euclid(DAY) - 2) * DAY
}

async fn connect(database: &Database) -> pg::Session {
    let options = pg::SessionOptions::default();
    pg::connect(&database.target(), &options, "test")
        .await
        .unwrap()
}

async fn roll_up(database: &Database) -> Option<Outcome> {
    let session = connect(database).await;
    let outcome = rollup::run(&session.client, Duration::from_secs(600)).await;
    session.close(Duration::from_secs(1)).await;
    outcome.unwrap()
}

/// Rolls up once the session before has given its lock back.
async fn rolled_up(database: &Database) -> Outcome {
    loop {
        if let Some(outcome) = roll_up(database).await {
            return outcome;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn buckets(client: &Client, step: i64, from: i64, to: i64) -> Answer {
    let ids = [
        "system.load_1",
        "system.ctxt_per_sec",
        "network.rx_bytes_per_sec",
    ];
    let pick = |id| Pick {
        metric: schema::metric(id).unwrap(),
        key: None,
    };
    let ask = RangeQuery {
        host_id: 1,
        from: Timestamp(from),
        to: Timestamp(to),
        give_from: Timestamp(from),
        step,
        interval: 10 * SECOND,
        limit: 64,
        key_prefix: None,
        last: true,
        picks: ids.map(pick).to_vec(),
    };
    series::buckets(client, &ask).await
}

/// Asserts that hours and days are those that the rows make, which are read where nothing is rolled up.
async fn check(case: &str, database: &Database) {
    let session = connect(database).await;
    let client = &session.client;
    let (from, to) = (begin(), begin() + DAY + 7 * HOUR);
    let mut found = Vec::new();
    for step in [HOUR, 6 * HOUR, DAY] {
        found.push(buckets(client, step, from, to).await);
    }
    client
        .batch_execute("BEGIN; DELETE FROM collector.rollups")
        .await
        .unwrap();
    for (step, found) in [HOUR, 6 * HOUR, DAY].into_iter().zip(found) {
        let expected = buckets(client, step, from, to).await;
        assert!(
            found.faults.is_empty() && expected.faults.is_empty(),
            "{found:?}"
        );
        assert!(!expected.series.is_empty());
        assert_eq!(found.series.len(), expected.series.len(), "{case}");
        for (found, expected) in found.series.iter().zip(&expected.series) {
            let name = (expected.metric.id(), &expected.key);
            assert_eq!((found.metric.id(), &found.key), name, "{case}");
            let both = found.buckets.iter().zip(&expected.buckets);
            assert_eq!(
                found.buckets.len(),
                expected.buckets.len(),
                "{case} {name:?}"
            );
            for (a, b) in both {
                let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
                let is_same =
                    a.at == b.at && near(a.lo, b.lo) && near(a.hi, b.hi) && near(a.avg, b.avg);
                assert!(is_same, "{case} {name:?} {step}: {a:?} is not {b:?}");
            }
            assert_eq!(found.last, expected.last, "{case} {name:?}");
        }
    }
    client.batch_execute("ROLLBACK").await.unwrap();
}

/// The rows of a tick, with counters that begin again now and then.
fn rows(tick: i64, dice: &mut Dice) -> Vec<Row> {
    let ts = Timestamp(begin() + tick * 30 * SECOND);
    let counter = tick % 400 * 1000 + i64::try_from(dice.below(900)).unwrap();
    let system = SystemSample {
        load_1: (!dice.one_in(9)).then(|| dice.unit()),
        ctxt_total: Some(counter),
        ..SystemSample::default()
    };
    let interface = |name: &str| NetworkSample {
        interface: name.into(),
        rx_bytes_total: counter / 2,
        ..NetworkSample::default()
    };
    let mut rows = vec![system.into_row(ts), interface("a").into_row(ts)];
    if tick % 700 > 200 {
        rows.push(interface("b").into_row(ts));
    }
    rows
}

/// Queues ticks and waits until they are stored.
async fn store(running: &Running, ticks: impl IntoIterator<Item = i64>, dice: &mut Dice) {
    let ticks = ticks.into_iter().map(|tick| {
        let rows = rows(tick, dice);
        (rows[0].ts, rows)
    });
    running.queue.append_all(ticks.collect()).await.unwrap();
    running.drained().await;
}

/// Ticks of half a minute, over a day and six hours.
const TICKS: i64 = 30 * 120;

#[tokio::test]
async fn p25_rows_count_whenever_they_arrive() {
    let (database, dir, mut dice) = (database().await, TempDir::new().unwrap(), Dice::new(25));
    let running = start(dir.path(), database.target());
    let mut parts: Vec<i64> = (0..TICKS / 40).collect();
    for at in (1..parts.len()).rev() {
        parts.swap(at, dice.index(at + 1));
    }
    for (nth, chunk) in parts.chunks(18).enumerate() {
        let ticks = chunk.iter().flat_map(|part| part * 40..(part + 1) * 40);
        store(&running, ticks, &mut dice).await;
        check("before the roll-up", &database).await;
        if nth % 2 == 0 {
            rolled_up(&database).await;
            check("after the roll-up", &database).await;
        }
    }
    let outcome = rolled_up(&database).await;
    assert_eq!(outcome.left, 0);
    let hours = "select count(*) from collector.rollups where grain = 'hour'";
    assert_eq!(number(&database, hours).await, TICKS / 120);
    let days = "select count(*) from collector.rollups where grain = 'day' and version > 0";
    assert_eq!(number(&database, days).await, 2);
    check("all of it", &database).await;
    running.stop().await;
}

/// Rows of some hours, stored as the writer stores them.
async fn seeded(database: &Database, hours: i64) {
    let sql = format!(
        "insert into collector.hosts (machine_id, hostname) values ('m', 'h') on conflict do nothing; \
         select collector.ensure_partition('system_metrics_raw', null); \
         insert into collector.system_metrics_raw (ts, host_id, load_1, ctxt_total) \
         select 'epoch'::timestamptz + {} * interval '1 us' + n * interval '1 minute', 1, n % 7, n * n \
         from generate_series(0, {hours} * 60 - 1) n; \
         insert into collector.changed_hours (host_id, bucket) \
         select distinct host_id, date_bin('1 hour', ts, 'epoch'::timestamptz) from collector.system_metrics_raw",
        begin()
    );
    database.sql(&sql).await.unwrap();
}

#[tokio::test]
async fn p25_a_roll_up_that_is_killed_at_any_statement_changes_nothing() {
    let database = database().await;
    seeded(&database, 24).await;
    // The server ends the session at the given statement of those that store something.
    database
        .sql(
            "create table public.victim (n int8); create sequence public.stored; \
             create function public.die() returns trigger language plpgsql as $$ begin \
                 if nextval('public.stored') = (select n from public.victim) then \
                     perform pg_terminate_backend(pg_backend_pid()); end if; return null; end $$; \
             create trigger die after insert or delete on collector.metric_hours execute function public.die(); \
             create trigger die after insert on collector.metric_days execute function public.die(); \
             create trigger die after insert or update on collector.rollups execute function public.die(); \
             create trigger die after insert on collector.rollup_layouts execute function public.die(); \
             create trigger die after insert or delete on collector.statement_hours execute function public.die(); \
             create trigger die after insert or delete on collector.io_days execute function public.die(); \
             create trigger die after delete on collector.changed_hours execute function public.die()",
        )
        .await
        .unwrap();
    let mut statement = 1;
    loop {
        let arm = format!(
            "delete from public.victim; insert into public.victim values ({statement}); alter sequence public.stored restart"
        );
        database.sql(&arm).await.unwrap();
        let session = connect(&database).await;
        let outcome = rollup::run(&session.client, Duration::from_secs(600)).await;
        check(&format!("killed at statement {statement}"), &database).await;
        if outcome.is_ok() {
            break;
        }
        // Each statement of an hour; what was rolled up before the kill is kept, so later ones are of another hour.
        statement += if statement < 64 { 1 } else { 40 };
    }
    assert!(statement > 60, "only {statement} statements were reached");
    assert_eq!(
        number(&database, "select count(*) from collector.changed_hours").await,
        0
    );
    let day =
        "select count(*) from collector.rollups where grain = 'day' and version = 24 and has_sums";
    assert_eq!(number(&database, day).await, 1);
}

/// While a fleet is upgraded an earlier program takes hours again: it counts the version up, drops what it does not know, and knows no
/// other column of the note.
#[tokio::test]
async fn p25_what_an_earlier_program_rolls_up_is_read_from_samples_until_it_is_whole_again() {
    let database = database().await;
    seeded(&database, 30).await;
    assert_eq!(rolled_up(&database).await.hours, 30);
    let not_whole = "select count(*) from collector.rollups where grain = 'hour' and whole_version is distinct from version";
    let not_summed =
        "select count(*) from collector.rollups where summed_version is distinct from version";
    let of = async |count: &str| number(&database, count).await;
    assert_eq!((of(not_whole).await, of(not_summed).await), (0, 0));
    let hour = format!(
        "'epoch'::timestamptz + {} * interval '1 us'",
        begin() + 5 * HOUR
    );
    database
        .sql(&format!(
            "select collector.clear_rollup(1, 'hour', {hour}), collector.clear_slices(1, {hour}); \
             update collector.rollups set version = version + 1, has_slices = true, rolled_at = now() \
             where host_id = 1 and grain = 'hour' and bucket = {hour}; \
             select collector.clear_rollup(1, 'day', {day}); \
             update collector.rollups set version = version + 1, rolled_at = now() \
             where host_id = 1 and grain = 'day' and bucket = {day}",
            day = format_args!("'epoch'::timestamptz + {} * interval '1 us'", begin())
        ))
        .await
        .unwrap();
    assert_eq!((of(not_whole).await, of(not_summed).await), (1, 2));
    check("an earlier program has rolled it up", &database).await;
    let outcome = rolled_up(&database).await;
    assert!(outcome.hours >= 1 && outcome.left == 0, "{outcome:?}");
    assert_eq!((of(not_whole).await, of(not_summed).await), (0, 0));
    check("it is whole again", &database).await;
    assert_eq!(rolled_up(&database).await.hours, 0, "once");
}

/// This program, when it is the earlier one: what it rolls up is not whole, and it does not take it again itself.
#[tokio::test]
async fn p25_a_program_that_knows_less_than_the_schema_leaves_whole_hours_to_others() {
    let database = database().await;
    seeded(&database, 3).await;
    let wanted = store::migrations::wanted();
    database
        .sql(&format!(
            "insert into collector.schema_migrations (version, name, sha256, compatible_from) values (99, 'future', 'x', {wanted})"
        ))
        .await
        .unwrap();
    assert_eq!(rolled_up(&database).await.hours, 3);
    let whole = "select count(*) from collector.rollups where whole_version = version";
    assert_eq!(number(&database, whole).await, 0);
    check("by the earlier program", &database).await;
    assert_eq!(rolled_up(&database).await.hours, 0, "it takes them once");
    // The newer program.
    let newer = "delete from collector.schema_migrations where version = 99";
    database.sql(newer).await.unwrap();
    let outcome = rolled_up(&database).await;
    assert!(outcome.hours >= 1 && outcome.left == 0, "{outcome:?}");
    assert_eq!(number(&database, whole).await, 3);
    check("by the newer program", &database).await;
}

#[tokio::test]
async fn p25_one_transaction_at_a_time_rolls_up_and_its_end_hands_it_on() {
    let database = database().await;
    seeded(&database, 3).await;
    let first = connect(&database).await;
    // Without time it takes one hour.
    let outcome = rollup::run(&first.client, Duration::ZERO).await.unwrap();
    assert_eq!(outcome.map(|done| (done.hours, done.left)), Some((1, 2)));
    // Nothing of a run stays with its session.
    let held = "select count(*) from pg_locks l join pg_database d on d.oid = l.database \
        where l.locktype = 'advisory' and d.datname = current_database()";
    assert_eq!(number(&database, held).await, 0);
    let lock =
        "BEGIN; SELECT pg_advisory_xact_lock(('x' || encode('pqcrhist', 'hex'))::bit(64)::bigint)";
    first.client.batch_execute(lock).await.unwrap();
    assert_eq!(number(&database, held).await, 1);
    assert_eq!(roll_up(&database).await, None);
    first.client.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(roll_up(&database).await.unwrap().hours, 2);
    check("handed on", &database).await;
}

#[tokio::test]
async fn p25_rows_that_are_stored_during_a_roll_up_are_rolled_up_next() {
    let database = database().await;
    seeded(&database, 2).await;
    let late = |minute: i64| {
        format!(
            "insert into collector.system_metrics_raw (ts, host_id, load_1, ctxt_total) \
             values ('epoch'::timestamptz + {0} * interval '1 us', 1, 99, 5); \
             insert into collector.changed_hours (host_id, bucket) \
             values (1, date_bin('1 hour', 'epoch'::timestamptz + {0} * interval '1 us', 'epoch'::timestamptz))",
            begin() + minute * 60 * SECOND + SECOND
        )
    };
    // A transaction that began before the roll-up and ends after it.
    let writer = connect(&database).await;
    writer.client.batch_execute("BEGIN").await.unwrap();
    writer.client.batch_execute(&late(30)).await.unwrap();
    assert_eq!(rolled_up(&database).await.hours, 2);
    check("not stored yet", &database).await;
    writer.client.batch_execute("COMMIT").await.unwrap();
    check("stored after the roll-up", &database).await;
    assert_eq!(rolled_up(&database).await.hours, 1);
    check("rolled up again", &database).await;
    // A transaction that begins and ends while the roll-up waits between its samples and its end.
    database.sql(&late(45)).await.unwrap();
    writer
        .client
        .batch_execute("BEGIN; LOCK TABLE collector.rollups IN SHARE ROW EXCLUSIVE MODE")
        .await
        .unwrap();
    let waiting = async {
        let blocked = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%collector.rollups%'";
        while number(&database, blocked).await == 0 {
            tokio::task::yield_now().await;
        }
        database.sql(&late(50)).await.unwrap();
        writer.client.batch_execute("COMMIT").await.unwrap();
    };
    let (outcome, ()) = tokio::join!(roll_up(&database), waiting);
    // The hour, and once more on account of the row that came meanwhile.
    assert_eq!(outcome.unwrap().hours, 2);
    check("stored during the roll-up", &database).await;
    assert_eq!(
        number(&database, "select count(*) from collector.changed_hours").await,
        0
    );
}

#[tokio::test]
async fn hours_of_a_day_that_is_over_lie_in_the_order_of_their_keys() {
    let (database, dir, mut dice) = (database().await, TempDir::new().unwrap(), Dice::new(26));
    let running = start(dir.path(), database.target());
    store(&running, 0..TICKS, &mut dice).await;
    // The hours from tableoid and ctid are those of each partition in its physical order.
    let steps_back = "select count(*) from (select (layout, key, bucket) < lag((layout, key, bucket)) over \
                      (partition by tableoid order by ctid) as back from collector.metric_hours where bucket < $1) s where back";
    let day = format!("'epoch'::timestamptz + {} * interval '1 us'", begin() + DAY);
    let steps_back = steps_back.replace("$1", &day);
    let state = "select md5(string_agg(h::text, ',' order by layout, key, bucket))::text from collector.metric_hours h";
    let state = async || database.sql(state).await.unwrap()[0][0].clone();

    // While a reader holds the day, nothing waits for it.
    let reader = connect(&database).await;
    let ensure = format!(
        "select collector.ensure_partition('metric_hours', ({day} - n * interval '1 day')::date) from generate_series(0, 1) n"
    );
    database.sql(&ensure).await.unwrap();
    reader
        .client
        .batch_execute("BEGIN; SELECT count(*) FROM collector.metric_hours")
        .await
        .unwrap();
    let held = rolled_up(&database).await;
    assert_eq!((held.ordered, held.left), (0, 0), "a reader has it");
    assert!(number(&database, &steps_back).await > 0);
    let before = state().await;
    reader.client.batch_execute("COMMIT").await.unwrap();

    // The whole day; the other one is over, too, but for the first hour of today.
    let mut ordered = rolled_up(&database).await.ordered;
    // A vacuum may have it, which is not waited for.
    while number(&database, &steps_back).await > 0 {
        ordered += rolled_up(&database).await.ordered;
    }
    assert!((1..=2).contains(&ordered), "{ordered}");
    assert_eq!(state().await, before, "no row has changed");
    check("in order", &database).await;
    // Each day once.
    while rolled_up(&database).await.ordered > 0 {}

    // What changes later is stored as ever.
    store(&running, [7, 8, 9], &mut dice).await;
    assert!(rolled_up(&database).await.hours > 0);
    check("late rows", &database).await;
    running.stop().await;
}

/// What is kept of an hour, written out: a counter that begins again at the hour, and a level that is unknown at its end.
#[tokio::test]
async fn a_reset_on_the_seam_of_an_hour_counts_in_neither() {
    let database = database().await;
    let start = begin() + HOUR;
    let row = |secs: i64, load: &str, counter: i64| {
        format!(
            "('epoch'::timestamptz + {} * interval '1 us', 1, {load}, {counter})",
            start + secs * SECOND
        )
    };
    let rows = [
        row(-20, "1", 900),
        row(-10, "3", 1000),
        row(0, "5", 10),
        row(10, "8", 40),
        row(20, "2", 90),
        // Further away than six intervals.
        row(100, "NULL", 1090),
    ];
    let sql = format!(
        "insert into collector.hosts (machine_id, hostname) values ('m', 'h'); \
         select collector.ensure_partition('system_metrics_raw', null); \
         insert into collector.system_metrics_raw (ts, host_id, load_1, ctxt_total) values {}; \
         insert into collector.changed_hours (host_id, bucket) \
         select distinct host_id, date_bin('1 hour', ts, 'epoch'::timestamptz) from collector.system_metrics_raw",
        rows.join(",")
    );
    database.sql(&sql).await.unwrap();
    rolled_up(&database).await;
    for (metric, hour, expected) in [
        ("system.load_1", start - HOUR, "{1,3,2,2,3}"),
        ("system.ctxt_per_sec", start - HOUR, "{10,10,10,10,10}"),
        ("system.load_1", start, "{2,8,5,3,NULL}"),
        ("system.ctxt_per_sec", start, "{3,5,4,20,NULL}"),
    ] {
        let stored = format!(
            "select array[min, max, avg, weight, last]::text from collector.metrics_hourly \
             where metric = '{metric}' and bucket = 'epoch'::timestamptz + {hour} * interval '1 us'"
        );
        let found = database.sql(&stored).await.unwrap()[0][0].clone();
        assert_eq!(found.as_deref(), Some(expected), "{metric}");
    }
    let ticks = "select sum(ticks) from collector.rollups where grain = 'hour'";
    assert_eq!(number(&database, ticks).await, 6);
}
