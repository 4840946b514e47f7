//! P25: sealing loses and doubles nothing, whenever it is killed and whenever rows arrive.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::time::Duration;

use common::{clock, database, number};
use schema::micros::{DAY, HOUR, SECOND};
use store::expiry;
use store::seal::{self, Outcome};
use testkit::Database;

/// Midnight three days ago: two whole days that are over.
fn begin() -> i64 {
    (clock().as_micros().div_euclid(DAY) - 3) * DAY
}

async fn connect(database: &Database) -> pg::Session {
    let options = pg::SessionOptions {
        lock_timeout: Duration::from_millis(500),
        ..pg::SessionOptions::default()
    };
    pg::connect(&database.target(), &options, "test")
        .await
        .unwrap()
}

async fn try_seal(database: &Database) -> Result<Outcome, seal::SealError> {
    let session = connect(database).await;
    let outcome = seal::run(&session.client, Duration::from_secs(600)).await;
    session.close(Duration::from_secs(1)).await;
    outcome
}

async fn seal(database: &Database) -> Outcome {
    try_seal(database).await.unwrap()
}

fn at(micros: i64) -> String {
    format!("'epoch'::timestamptz + {micros} * interval '1 us'")
}

/// Rows of three processes in an hour, of which one is not always there, and one comes later.
async fn insert(database: &Database, start: i64, ticks: std::ops::Range<i64>) {
    let rows = format!(
        "insert into collector.process_metrics_raw (ts, host_id, process_name, pid, start_ticks, cpu_pct, rss_bytes, vsz_bytes, \
             fd_count, thread_count, state, uptime_secs, read_bytes_total, parent_pid, watched) \
         select {} + n * interval '30 s', 1, 'p' || p, p, p, nullif(n * p % 7, 3) * 0.1, n * 4096, p * 8192, p, 1, 'S', 0, \
             nullif(n / 4 * p, 0), 1, false \
         from generate_series({}, {}) n, generate_series(1, 3) p \
         where not (p = 2 and n % 9 = 4) and not (p = 3 and n < 40)",
        at(start),
        ticks.start,
        ticks.end - 1
    );
    database.sql(&rows).await.unwrap();
}

async fn make_partitions(database: &Database, days: std::ops::Range<i64>) {
    for day in days {
        let made = format!(
            "select collector.ensure_partition(t, d) from unnest(array['process_samples', 'process_identities']) t, \
             unnest(array[null, (({}) at time zone 'UTC')::date]) d",
            at(begin() + day * DAY)
        );
        database.sql(&made).await.unwrap();
    }
}

/// Rows of two days, three hours of each, which are rolled up as far as sealing is concerned.
async fn seeded() -> Database {
    let database = database().await;
    let host = "insert into collector.hosts (machine_id, hostname) values ('m', 'h')";
    database.sql(host).await.unwrap();
    make_partitions(&database, 0..2).await;
    for start in hours() {
        insert(&database, start, 0..120).await;
        let note = format!(
            "insert into collector.rollups values (1, 'hour', {}, 1, 120)",
            at(start)
        );
        database.sql(&note).await.unwrap();
    }
    database
}

fn hours() -> impl Iterator<Item = i64> {
    [0, 1, 23, 24, 40, 47]
        .into_iter()
        .map(|hour| begin() + hour * HOUR)
}

/// Every column of every row.
async fn all(database: &Database) -> Vec<String> {
    let columns = "ts, host_id, process_name, pid, start_ticks, cpu_pct, rss_bytes, vsz_bytes, fd_count, fd_limit, thread_count, \
        state, uptime_secs, read_bytes_total, write_bytes_total, parent_pid, unit, uid, watched, process_count";
    let sql = format!(
        "set timezone = 'UTC'; select row({columns})::text from collector.process_metrics_raw order by 1"
    );
    let rows = database.sql(&sql).await.unwrap();
    rows.into_iter()
        .filter_map(|row| row.into_iter().next().flatten())
        .collect()
}

const LEFT: &str = "select count(*) from collector.process_samples";
const SEALED: &str = "select count(*) from collector.process_samples_unsealed";
const BESIDE: &str = "select count(*) from pg_class where relname like '%sealing_2%'";

/// Lets the server end the session at each statement of those that store, make or drop something, until a run gets through.
/// Returns how many runs there were.
async fn kill_at_each(database: &Database, before: &[String]) -> i64 {
    let traps = "create table public.victim (n int8); create sequence public.stored; \
         create function public.is_over() returns boolean language sql as \
             'select nextval(''public.stored'') = (select n from public.victim)'; \
         create function public.die() returns trigger language plpgsql as $$ begin \
             if public.is_over() then perform pg_terminate_backend(pg_backend_pid()); end if; return null; end $$; \
         create function public.die_too() returns event_trigger language plpgsql as $$ begin \
             if public.is_over() then perform pg_terminate_backend(pg_backend_pid()); end if; end $$; \
         create trigger die after insert or delete on collector.sealed_instants execute function public.die(); \
         create trigger die after insert or delete on collector.sealing_hours execute function public.die(); \
         create trigger die after insert or update on collector.sealed_days execute function public.die(); \
         create trigger die after delete on collector.store_sizes execute function public.die(); \
         insert into public.victim values (0); \
         create event trigger made on ddl_command_end when tag in ('CREATE TABLE', 'ALTER TABLE') execute function public.die_too(); \
         create event trigger dropped on sql_drop when tag in ('DROP TABLE') execute function public.die_too()";
    database.sql(traps).await.unwrap();
    let mut statement = 1;
    loop {
        let arm = format!(
            "update public.victim set n = {statement}; alter sequence public.stored restart"
        );
        database.sql(&arm).await.unwrap();
        let outcome = try_seal(database).await;
        assert_eq!(all(database).await, before, "killed at {statement}");
        if outcome.is_ok() {
            return statement;
        }
        statement += 1;
    }
}

#[tokio::test]
async fn p25_sealing_that_is_killed_at_any_statement_changes_nothing() {
    let database = seeded().await;
    let before = all(&database).await;
    assert_eq!(before.len(), 6 * 307);
    let runs = kill_at_each(&database, &before).await;
    assert!(runs > 8, "only {runs} runs");
    assert_eq!(number(&database, LEFT).await, 0);
    assert_eq!(number(&database, BESIDE).await, 0);
    let days =
        "select count(*) from collector.sealed_days where bytes_after > 0 and sample_count = 921";
    assert_eq!(number(&database, days).await, 2);
    let noted = "select count(*) from collector.sealing_hours";
    assert_eq!(number(&database, noted).await, 0);
    let instants = "select count(*) from collector.sealed_instants";
    assert_eq!(number(&database, instants).await, 6);
}

/// The same where hours are sealed already, so that each statement that completes a day is reached: of a first part, and of
/// rows that are added to it.
#[tokio::test]
async fn p25_a_day_that_is_completed_is_killed_at_any_statement() {
    let database = seeded().await;
    let seal_hours = "select count(collector.seal_hour('process_samples', host_id, hour)) \
        from (select distinct host_id, date_bin('1 hour', ts, 'epoch') as hour from collector.process_samples) h";
    number(&database, seal_hours).await;
    let before = all(&database).await;
    let runs = kill_at_each(&database, &before).await;
    assert!(runs > 6, "only {runs} runs");
    assert_eq!(number(&database, LEFT).await, 0);
    let rest = "drop event trigger made; drop event trigger dropped; drop trigger die on collector.sealed_instants; \
        drop trigger die on collector.sealing_hours; drop trigger die on collector.sealed_days; \
        drop trigger die on collector.store_sizes; drop function die, die_too, is_over; drop sequence stored; drop table victim; \
        update collector.sealed_days set sealed_at = sealed_at - interval '2 hours'";
    database.sql(rest).await.unwrap();
    make_partitions(&database, 0..1).await;
    insert(&database, begin() + HOUR + 10 * SECOND, 0..50).await;
    number(&database, seal_hours).await;
    let before = all(&database).await;
    let runs = kill_at_each(&database, &before).await;
    assert!(runs > 5, "only {runs} runs");
    assert_eq!(number(&database, LEFT).await, 0);
    assert_eq!(number(&database, BESIDE).await, 0);
}

#[tokio::test]
async fn p25_rows_that_are_stored_while_a_day_is_sealed_are_sealed_too() {
    let database = seeded().await;
    // A transaction that began before the day is completed, and ends after that was tried.
    let writer = connect(&database).await;
    let late = format!(
        "BEGIN; insert into collector.process_metrics_raw \
             (ts, host_id, process_name, pid, start_ticks, rss_bytes, vsz_bytes, thread_count, state, uptime_secs, parent_pid, watched) \
         values ({}, 1, 'late', 9, 9, 1, 1, 1, 'S', 0, 1, false)",
        at(begin() + HOUR + 5 * SECOND)
    );
    writer.client.batch_execute(&late).await.unwrap();
    let outcome = seal(&database).await;
    // Dropping a partition takes a lock of its table, too.
    assert_eq!((outcome.hours, outcome.days, outcome.left), (6, 0, 2));
    writer.client.batch_execute("COMMIT").await.unwrap();
    let before = all(&database).await;
    assert!(before.iter().any(|row| row.contains("late")));
    let outcome = seal(&database).await;
    assert_eq!((outcome.hours, outcome.days, outcome.left), (1, 2, 0));
    assert_eq!(all(&database).await, before);
    assert_eq!(number(&database, LEFT).await, 0);
    assert_eq!(
        number(&database, SEALED).await,
        i64::try_from(before.len()).unwrap()
    );
}

#[tokio::test]
async fn p25_rows_that_arrive_for_a_sealed_day_are_read_and_sealed() {
    let database = seeded().await;
    seal(&database).await;
    // A queue that was drained late: a part of a sealed hour, and an hour of which nothing was there.
    make_partitions(&database, 0..1).await;
    insert(&database, begin() + HOUR + 10 * SECOND, 0..50).await;
    insert(&database, begin() + 5 * HOUR, 0..120).await;
    let before = all(&database).await;
    assert_eq!(before.len(), 7 * 307 + 50 + 44 + 10);
    // Not every few minutes.
    assert_eq!(seal(&database).await, Outcome::default());
    let earlier = "update collector.sealed_days set sealed_at = sealed_at - interval '2 hours'";
    database.sql(earlier).await.unwrap();
    let mut outcome = seal(&database).await;
    // A day whose lock somebody has, as a vacuum, is not waited for.
    while outcome.left > 0 {
        let next = seal(&database).await;
        outcome.hours += next.hours;
        (outcome.days, outcome.left) = (outcome.days + next.days, next.left);
    }
    assert_eq!((outcome.hours, outcome.days), (2, 1));
    assert_eq!(all(&database).await, before);
    assert_eq!(number(&database, LEFT).await, 0);
    let parts = "select max(seal_part) from collector.process_samples_sealed";
    assert_eq!(number(&database, parts).await, 2);
    let samples = "select sum(sample_count)::int8 from collector.sealed_days";
    assert_eq!(
        number(&database, samples).await,
        i64::try_from(before.len()).unwrap()
    );
}

#[tokio::test]
async fn an_hour_that_is_rolled_up_again_is_sealed_again() {
    let database = seeded().await;
    // Today is not over, and its hours are sealed already.
    let today = clock().as_micros().div_euclid(DAY) * DAY;
    make_partitions(&database, 3..4).await;
    insert(&database, today, 0..30).await;
    let note = |version: i64| {
        format!(
            "insert into collector.rollups values (1, 'hour', {}, {version}, 30) \
             on conflict (host_id, grain, bucket) do update set version = excluded.version",
            at(today)
        )
    };
    database.sql(&note(1)).await.unwrap();
    let outcome = seal(&database).await;
    assert_eq!((outcome.hours, outcome.days), (7, 2));
    assert_eq!(number(&database, LEFT).await, 30 + 27);
    assert_eq!(seal(&database).await, Outcome::default());
    insert(&database, today, 30..60).await;
    database.sql(&note(2)).await.unwrap();
    assert_eq!(seal(&database).await.hours, 1);
    let beside = format!(
        "select sum(seal_samples)::int8 from collector.process_samples_sealing_{}",
        database
            .sql("select to_char(now() at time zone 'UTC', 'YYYYMMDD')")
            .await
            .unwrap()[0][0]
            .clone()
            .unwrap()
    );
    assert_eq!(
        number(&database, &beside).await,
        number(&database, LEFT).await
    );
}

#[tokio::test]
async fn sealed_days_expire_and_what_expires_is_not_sealed() {
    let database = seeded().await;
    let first = format!(
        "select count(*) from collector.seal_hour('process_samples', 1, {})",
        at(begin())
    );
    number(&database, &first).await;
    // The first day expires while it is being sealed, the second one afterwards.
    let retention = |days: i64| {
        format!(
            "insert into collector.retention (host_id, raw_days, hourly_days, long_days, log_days, event_days) \
             values (1, {days}, 90, 365, 7, 30) on conflict (host_id) do update set raw_days = {days}"
        )
    };
    database.sql(&retention(2)).await.unwrap();
    let session = connect(&database).await;
    let expired = expiry::run(&session.client, clock).await.unwrap();
    assert!(expired.refused.is_empty(), "{:?}", expired.refused);
    // The first day is cleared.
    let outcome = seal(&database).await;
    assert_eq!((outcome.hours, outcome.days, outcome.left), (3, 2, 0));
    assert_eq!(number(&database, BESIDE).await, 0);
    assert_eq!(number(&database, SEALED).await, 3 * 307);
    database.sql(&retention(1)).await.unwrap();
    let expired = expiry::run(&session.client, clock).await.unwrap();
    assert!(expired.refused.is_empty(), "{:?}", expired.refused);
    assert_eq!(all(&database).await, Vec::<String>::new());
    for table in ["sealed_instants", "sealed_days", "sealing_hours"] {
        let left = format!("select count(*) from collector.{table}");
        assert_eq!(number(&database, &left).await, 0, "{table}");
    }
}

/// Two at once, as when a collector is taken for dead: every row is sealed once, and what one was refused the next run does.
#[tokio::test]
async fn two_that_seal_at_once_seal_nothing_twice() {
    let database = seeded().await;
    let before = all(&database).await;
    let (one, other) = tokio::join!(try_seal(&database), try_seal(&database));
    let done = one.unwrap().days + other.unwrap().days;
    let rest = seal(&database).await;
    // A day that the other one has completed meanwhile is complete for both.
    assert!((2..=4).contains(&(done + rest.days)), "{done} {rest:?}");
    assert_eq!(rest.left, 0);
    assert_eq!(all(&database).await, before);
}
