//! Lines of logs are stored once, with their positions and their sums, or not at all.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{base, database, number};
use schema::logs::{Fingerprint, HourCount, PatternAlias, PatternCount, StreamPosition};
use schema::tables::LogEntry;
use schema::{LogLevel, Row, Sample, Timestamp};
use store::host::OpenError;
use store::logs::{Batch, LogError, LogLink, Position, Stored};
use testkit::Database;

const HOUR: i64 = 3_600_000_000;

async fn link(database: &Database) -> LogLink {
    let options = pg::SessionOptions::default();
    LogLink::open(&database.target(), &options, "machine-1", common::clock())
        .await
        .unwrap()
}

async fn store(link: &mut LogLink, batch: &Batch, by_halves: bool) -> Result<Stored, LogError> {
    link.prepare(batch, common::clock()).await?;
    link.store(batch, by_halves).await
}

async fn registered() -> Database {
    let database = database().await;
    let (target, options) = (database.target(), pg::SessionOptions::default());
    let session = pg::connect(&target, &options, "test").await.unwrap();
    let insert = "INSERT INTO collector.hosts (machine_id, hostname) VALUES ('machine-1', 'one')";
    session.client.batch_execute(insert).await.unwrap();
    database
}

/// The pattern of every line.
fn member() -> Fingerprint {
    Fingerprint::from_hash(0x0123_4567_89ab_cdef)
}

fn line(number: i64, message: &str) -> Row {
    LogEntry {
        source: "auth".to_owned(),
        at: number,
        level: LogLevel::Info,
        message: message.to_owned(),
        fingerprint: "0123456789abcdef".to_owned(),
        ..LogEntry::default()
    }
    .into_row(Timestamp(base() + number * 1_000_000))
}

fn position(version: i64, offset: i64) -> Position {
    Position {
        at: StreamPosition {
            source: "auth".into(),
            stream: "/var/log/auth.log".into(),
            position: format!(r#"{{"offset": {offset}}}"#),
        },
        version,
    }
}

/// Lines `numbers` of the stream, whose position was moved `version` times.
fn batch(version: i64, numbers: std::ops::Range<i64>) -> Batch {
    let rows: Vec<Row> = numbers
        .clone()
        .map(|number| line(number, &format!("line {number}")))
        .collect();
    let count = numbers.end - numbers.start;
    Batch {
        positions: vec![position(version, numbers.end)],
        counts: vec![HourCount {
            hour: Timestamp(base() / HOUR * HOUR),
            source: "auth".into(),
            level: LogLevel::Info,
            count,
        }],
        patterns: vec![PatternCount {
            hour: Timestamp(base() / HOUR * HOUR),
            fingerprint: member(),
            source: "auth".into(),
            level: LogLevel::Info,
            count,
            first: Timestamp(base() + numbers.start * 1_000_000),
            last: Timestamp(base() + (numbers.end - 1) * 1_000_000),
            template: "line <*>".to_owned(),
            sample: format!("line {}", numbers.start),
            topic: None,
        }],
        ..Batch::of(&rows)
    }
}

async fn lines(database: &Database) -> i64 {
    number(database, "select count(*) from collector.log_entries").await
}

#[tokio::test]
async fn lines_positions_and_sums_go_together() {
    let database = registered().await;
    let mut link = link(&database).await;
    assert_eq!(link.positions().await.unwrap(), []);
    assert_eq!(
        store(&mut link, &batch(0, 0..10), false)
            .await
            .unwrap()
            .rows,
        10
    );
    assert_eq!(
        store(&mut link, &batch(1, 10..25), false)
            .await
            .unwrap()
            .rows,
        15
    );
    assert_eq!(lines(&database).await, 25);
    let [known] = &link.positions().await.unwrap()[..] else {
        panic!("one position")
    };
    assert_eq!(
        (known.version, known.at.position.as_str()),
        (2, r#"{"offset": 25}"#)
    );
    for sum in [
        "select sum(count)::int8 from collector.log_metrics_hourly",
        "select sum(count)::int8 from collector.log_fingerprint_hourly",
        "select occurrences from collector.log_patterns",
    ] {
        assert_eq!(number(&database, sum).await, 25, "{sum}");
    }
    let [pattern] = &link.patterns(10).await.unwrap()[..] else {
        panic!("one pattern")
    };
    assert_eq!(
        (pattern.template.as_str(), &pattern.alias_of),
        ("line <*>", &None)
    );
    // In the partition of their day.
    let elsewhere = "select count(*) from collector.log_entries_other";
    assert_eq!(number(&database, elsewhere).await, 0);
}

#[tokio::test]
async fn who_comes_second_stores_nothing() {
    let database = registered().await;
    let (mut one, mut two) = (link(&database).await, link(&database).await);
    store(&mut one, &batch(0, 0..10), false).await.unwrap();
    for late in [batch(0, 0..10), batch(0, 0..5), batch(2, 10..20)] {
        let refused = store(&mut two, &late, false).await.unwrap_err();
        assert!(matches!(refused, LogError::Fenced), "{refused}");
        two = link(&database).await;
    }
    assert_eq!(lines(&database).await, 10);
    assert_eq!(
        number(
            &database,
            "select sum(count)::int8 from collector.log_metrics_hourly"
        )
        .await,
        10
    );
    store(&mut two, &batch(1, 10..20), false).await.unwrap();
    assert_eq!(lines(&database).await, 20);
}

#[tokio::test]
async fn one_bad_line_costs_itself_alone() {
    let database = registered().await;
    let mut bad = batch(0, 0..0);
    // Half a megabyte goes in several pieces, and the server refuses the first of them.
    let fine = "fine ".repeat(800);
    let rows: Vec<Row> = (0..128)
        .map(|number| match number {
            // Not UTF-8 once it is on the wire: the server reports 22021.
            3 => line(number, "\0"),
            _ => line(number, &fine),
        })
        .collect();
    let mut encoded = Batch::of(&rows);
    // A cell replaces NUL, so it is put back where only the server can find it.
    let group = encoded.groups.remove(0);
    let mut tuples = group.tuples.to_vec();
    let mark = "\u{2400}".as_bytes();
    let at = tuples.windows(3).position(|three| three == mark).unwrap();
    tuples[at..at + 3].copy_from_slice(b"\0\0\0");
    bad.groups = vec![store::tuple::Group {
        tuples: tuples.into(),
        ..group
    }];
    let refused = store(&mut link(&database).await, &bad, false)
        .await
        .unwrap_err();
    assert!(matches!(refused, LogError::Poison(_)), "{refused}");
    let stored = store(&mut link(&database).await, &bad, true).await.unwrap();
    assert_eq!((stored.rows, stored.dead_letters), (127, 1));
    assert_eq!(lines(&database).await, 127);
    let aside = "select count(*) from collector.dead_letter where table_name = 'log_entries'";
    assert_eq!(number(&database, aside).await, 1);
}

#[tokio::test]
async fn patterns_are_merged_closed_and_forgotten() {
    let database = registered().await;
    let mut link = link(&database).await;
    let family = Fingerprint::from_hash(0xfedc_ba98_7654_3210);
    // A family has a row, but no line of its own.
    let mut first = batch(0, 0..10);
    first.patterns.push(PatternCount {
        fingerprint: family,
        count: 0,
        ..first.patterns[0].clone()
    });
    store(&mut link, &first, false).await.unwrap();
    let merge = Batch {
        merged: vec![PatternAlias {
            source: "auth".into(),
            old: member(),
            into: family,
        }],
        ..batch(1, 10..11)
    };
    store(&mut link, &merge, false).await.unwrap();
    let known = link.patterns(10).await.unwrap();
    assert_eq!(known[0].alias_of, Some(family));
    let open = "select count(*) from collector.log_patterns where resolved_at is null";
    link.settle(Timestamp(base()), Timestamp(base() - HOUR))
        .await
        .unwrap();
    assert_eq!(number(&database, open).await, 2, "seen just now");
    link.settle(Timestamp(base() + HOUR), Timestamp(base() - HOUR))
        .await
        .unwrap();
    assert_eq!(number(&database, open).await, 0);
    store(&mut link, &batch(2, 11..12), false).await.unwrap();
    assert_eq!(
        number(&database, open).await,
        2,
        "it goes on, and its family"
    );
    let unlike = "select count(distinct last_seen) from collector.log_patterns";
    assert_eq!(number(&database, unlike).await, 1);
    link.settle(Timestamp(base() + HOUR), Timestamp(base() + HOUR))
        .await
        .unwrap();
    let left = "select count(*) from collector.log_patterns";
    assert_eq!(number(&database, left).await, 0);
}

#[tokio::test]
async fn a_host_that_nobody_registered_waits() {
    let database = database().await;
    let options = pg::SessionOptions::default();
    let refused = LogLink::open(&database.target(), &options, "machine-1", common::clock()).await;
    assert!(matches!(refused, Err(OpenError::NoHost)));
}
