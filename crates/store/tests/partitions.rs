//! Partitions are made for the days that rows need, near today, and nothing waits for one.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{base, clock, database, number, rows, start, ts};
use schema::logs::{Fingerprint, HourCount, PatternCount};
use schema::tables::{LogEntry, SystemSample};
use schema::{LogLevel, Row, Sample, Timestamp};
use std::collections::BTreeSet;
use store::logs::{Batch, LogError, LogLink};
use testkit::Database;

const DAY: i64 = 86_400_000_000;
const HOUR: i64 = 3_600_000_000;

async fn link(database: &Database) -> LogLink {
    database
        .sql("INSERT INTO collector.hosts (machine_id, hostname) VALUES ('machine-1', 'one') ON CONFLICT DO NOTHING")
        .await
        .unwrap();
    let options = pg::SessionOptions::default();
    LogLink::open(&database.target(), &options, "machine-1", clock())
        .await
        .unwrap()
}

/// One line at each of these instants, with its sums.
fn lines(instants: &[i64]) -> Batch {
    let rows: Vec<Row> = instants
        .iter()
        .map(|at| {
            LogEntry {
                source: "app".to_owned(),
                level: LogLevel::Info,
                message: "it works".to_owned(),
                fingerprint: "0123456789abcdef".to_owned(),
                ..LogEntry::default()
            }
            .into_row(Timestamp(*at))
        })
        .collect();
    let hours = || {
        let hours = instants.iter().map(|at| at.div_euclid(HOUR) * HOUR);
        let hours: BTreeSet<i64> = hours.collect();
        hours.into_iter().map(Timestamp)
    };
    Batch {
        counts: hours()
            .map(|hour| HourCount {
                hour,
                source: "app".into(),
                level: LogLevel::Info,
                count: 1,
            })
            .collect(),
        patterns: hours()
            .map(|hour| PatternCount {
                hour,
                fingerprint: Fingerprint::from_hash(0x0123_4567_89ab_cdef),
                source: "app".into(),
                level: LogLevel::Info,
                count: 1,
                first: hour,
                last: hour,
                template: "it works".to_owned(),
                sample: "it works".to_owned(),
                topic: None,
            })
            .collect(),
        ..Batch::of(&rows)
    }
}

async fn store(link: &mut LogLink, batch: &Batch) -> Result<(), LogError> {
    link.prepare(batch, clock()).await?;
    link.store(batch, false).await.map(drop)
}

async fn count(database: &Database, what: &str) -> i64 {
    number(database, &format!("select count(*) from {what}")).await
}

/// How many partitions there are of tables of these names, default ones left out.
async fn days_of(database: &Database, pattern: &str) -> i64 {
    let what = format!(
        "pg_class where relispartition and relkind = 'r' and relname ~ '^{pattern}_[0-9]{{8}}$'"
    );
    count(database, &what).await
}

#[tokio::test]
async fn lines_of_any_date_are_stored_and_only_days_near_today_have_partitions() {
    let year = 365 * DAY;
    let cases: [(&str, Vec<i64>, i64); 5] = [
        (
            "one line a day for a month",
            (0..31).map(|day| base() - day * DAY).collect(),
            8,
        ),
        ("years ahead", vec![base() + 7 * year, base()], 1),
        (
            "no year in the line",
            vec![base() - 11 * 30 * DAY, base()],
            1,
        ),
        ("the epoch and before", vec![0, -70 * year, base()], 1),
        (
            "a clock two weeks ahead",
            (0..14).map(|day| base() + day * DAY).collect(),
            3,
        ),
    ];
    for (case, instants, days) in cases {
        let database = database().await;
        let mut link = link(&database).await;
        store(&mut link, &lines(&instants)).await.unwrap();
        let stored = count(&database, "collector.log_entries").await;
        assert_eq!(stored, instants.len() as i64, "{case}");
        for table in [
            "log_entries",
            "log_metrics_hourly",
            "log_fingerprint_hourly",
        ] {
            assert_eq!(days_of(&database, table).await, days, "{case}: {table}");
        }
        let all = days_of(&database, "[a-z_]+").await;
        assert_eq!(all, 3 * days, "{case}: no table that has no rows has one");
    }
}

/// A disk that takes its time, in the form of a server that does: what is made stays made.
#[tokio::test]
async fn a_partition_that_cannot_be_made_holds_up_nothing_and_its_rows_move_when_it_can() {
    let database = database().await;
    let mut slow = link(&database).await;
    // Two defaults exist; adding a partition to the third waits for this lock.
    store(&mut slow, &lines(&[base() - 400 * DAY]))
        .await
        .unwrap();
    let lock = "LOCK TABLE collector.log_entries IN SHARE UPDATE EXCLUSIVE MODE";
    let locker = testkit::hold(&database.target(), lock).await.unwrap();
    store(&mut slow, &lines(&[base(), base() + 1]))
        .await
        .unwrap();
    assert_eq!(days_of(&database, "log_entries").await, 0);
    assert_eq!(count(&database, "collector.log_entries_other").await, 3);
    locker.client.batch_execute("COMMIT").await.unwrap();
    slow.forget_partitions();
    store(&mut slow, &lines(&[base() + 2])).await.unwrap();
    assert_eq!(days_of(&database, "log_entries").await, 1);
    let strays = count(&database, "collector.log_entries_other").await;
    assert_eq!(strays, 1, "the line of last year stays there");
    assert_eq!(count(&database, "collector.log_entries").await, 4);
}

/// Rows of a day that was far ahead lie in the default partition; when the day comes, they do not keep
/// it from having a partition. Sums, which have a key, move too.
#[tokio::test]
async fn rows_that_came_before_their_day_do_not_block_its_partition() {
    let database = database().await;
    let mut link = link(&database).await;
    store(&mut link, &lines(&[base() + 20 * DAY]))
        .await
        .unwrap();
    for table in [
        "log_entries",
        "log_metrics_hourly",
        "log_fingerprint_hourly",
    ] {
        let make = format!(
            "select collector.ensure_partition('{table}', (now() at time zone 'UTC')::date + 20)"
        );
        assert_eq!(
            database.sql(&make).await.unwrap()[0][0].as_deref(),
            Some("t")
        );
        assert_eq!(
            database.sql(&make).await.unwrap()[0][0].as_deref(),
            Some("f")
        );
        let strays = count(&database, &format!("collector.{table}_other")).await;
        assert_eq!((strays, days_of(&database, table).await), (0, 1), "{table}");
        assert_eq!(
            count(&database, &format!("collector.{table}")).await,
            1,
            "{table}"
        );
    }
    // The sums go on where they were.
    store(&mut link, &lines(&[base() + 20 * DAY]))
        .await
        .unwrap();
    let sum = "select sum(count)::int8 from collector.log_metrics_hourly";
    assert_eq!(number(&database, sum).await, 2);
}

#[tokio::test]
async fn more_rows_than_can_be_moved_stay_where_they_are() {
    let database = database().await;
    let mut link = link(&database).await;
    store(&mut link, &lines(&[base() + 20 * DAY]))
        .await
        .unwrap();
    let made = database
        .sql(
            "insert into collector.log_entries (ts, host_id, source, at, level, component, message, fingerprint) \
             select now() + interval '20 days', 1, 'app', n, 'info', '', '', '' from generate_series(1, 50001) n; \
             select collector.ensure_partition('log_entries', (now() at time zone 'UTC')::date + 20), \
                    collector.ensure_partition('log_entries', (now() at time zone 'UTC')::date + 21)",
        )
        .await
        .unwrap();
    let made: Vec<_> = made[0].iter().map(Option::as_deref).collect();
    assert_eq!(made, [Some("f"), Some("t")], "the next day is not affected");
    assert_eq!(count(&database, "collector.log_entries").await, 50_002);
}

/// Making a partition locks neither readers nor writers of the table out, nor waits for them.
#[tokio::test]
async fn a_partition_is_made_beside_readers_and_writers() {
    let database = database().await;
    let mut link = link(&database).await;
    store(&mut link, &lines(&[base()])).await.unwrap();
    let insert = format!(
        "INSERT INTO collector.log_entries SELECT * FROM collector.log_entries \
         WHERE ts >= to_timestamp({}) AND ts < to_timestamp({})",
        base() / 1_000_000,
        base() / 1_000_000 + 1
    );
    let busy = testkit::hold(&database.target(), &insert).await.unwrap();
    let lines = lines(&[base() - DAY]);
    link.prepare(&lines, clock()).await.unwrap();
    assert_eq!(days_of(&database, "log_entries").await, 2);
    busy.client.batch_execute("ROLLBACK").await.unwrap();
}

/// Partitions are dropped by hand: the rows are valid and are not dead-lettered, for samples and lines.
#[tokio::test]
async fn dropped_partitions_come_back() {
    let (database, dir) = (database().await, tempfile::TempDir::new().unwrap());
    let running = start(dir.path(), database.target());
    running.queue.append(ts(0), rows(0, 40)).await.unwrap();
    running.drained().await;
    let mut link = link(&database).await;
    store(&mut link, &lines(&[base()])).await.unwrap();
    let drop_all = "do $$ declare child text; begin \
         for child in select relname from pg_class where relispartition and relkind = 'r' \
             and relnamespace = 'collector'::regnamespace loop \
             execute format('drop table collector.%I', child); end loop; end $$";
    database.sql(drop_all).await.unwrap();
    running.queue.append(ts(1), rows(1, 40)).await.unwrap();
    running.drained().await;
    assert_eq!(count(&database, "collector.process_metrics_raw").await, 40);
    assert_eq!(count(&database, "collector.system_metrics_raw").await, 1);
    assert_eq!(count(&database, "collector.dead_letter").await, 0);
    let refused = store(&mut link, &lines(&[base() + 1])).await.unwrap_err();
    assert!(matches!(refused, LogError::Homeless(_)), "{refused}");
    let mut link = self::link(&database).await;
    store(&mut link, &lines(&[base() + 1])).await.unwrap();
    assert_eq!(count(&database, "collector.log_entries").await, 1);
    assert_eq!(count(&database, "collector.dead_letter").await, 0);
    running.stop().await;
}

#[tokio::test]
async fn a_table_in_use_has_the_partitions_of_the_next_days() {
    let (database, dir) = (database().await, tempfile::TempDir::new().unwrap());
    let running = start(dir.path(), database.target());
    running.queue.append(ts(0), rows(0, 5)).await.unwrap();
    running
        .until("the days ahead have partitions", async || {
            let used = [
                "system_metrics_raw",
                "process_samples",
                "process_identities",
                "heartbeat",
            ];
            let mut all = true;
            for table in used {
                all &= days_of(&database, table).await == 3;
            }
            all
        })
        .await;
    assert_eq!(days_of(&database, "mount_metrics_raw").await, 0);
    running.stop().await;
}

/// A sample of an absurd date finds a home.
#[tokio::test]
async fn a_clock_gone_astray_makes_no_partitions() {
    let (database, dir) = (database().await, tempfile::TempDir::new().unwrap());
    let running = start(dir.path(), database.target());
    for years in [-30_i64, 30] {
        let at = Timestamp(base() + years * 365 * DAY);
        let row = SystemSample::default().into_row(at);
        running.queue.append(at, vec![row]).await.unwrap();
    }
    running.drained().await;
    assert_eq!(
        count(&database, "collector.system_metrics_raw_other").await,
        2
    );
    assert_eq!(days_of(&database, "system_metrics_raw").await, 0);
    running.stop().await;
}
