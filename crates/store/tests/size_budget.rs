//! The sizes that are measured, the budget that hosts allow, and expiry while others use the tables.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{RETENTION, clock, database, number, start_with};
use schema::Timestamp;
use schema::micros::DAY;
use std::time::Duration;
use store::expiry::{self, Expired};
use store::sizes;
use tempfile::TempDir;
use testkit::Database;

/// Tables with a megabyte of every day from five days ago to today: raw samples, lines, hourly sums and events. And one
/// of what never expires by day.
const FILL: &str = "
    INSERT INTO collector.hosts (machine_id, hostname, first_seen) VALUES ('one', 'one', now() - interval '30 days');
    CREATE FUNCTION fill(parent text, columns text, shown text) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM collector.ensure_partition(parent, NULL);
        FOR ago IN 0..5 LOOP
            PERFORM collector.ensure_partition(parent, (now() AT TIME ZONE 'UTC')::date - ago);
            EXECUTE format('INSERT INTO collector.%I (host_id, %s) SELECT 1, %s FROM generate_series(1, 500) i, '
                           '(SELECT date_trunc(''day'', now(), ''UTC'') - %s * interval ''1 day'' AS at) a',
                           parent, columns, shown, ago);
        END LOOP;
    END $$;
    SELECT fill('system_metrics_raw', 'ts, boot_id', 'at, repeat(''x'', 1900)');
    SELECT fill('log_entries', 'ts, source, at, level, component, message, fingerprint', 'at, '''', i, '''', '''', repeat(''x'', 1800), ''''');
    SELECT fill('log_metrics_hourly', 'bucket, source, level, count', 'at, i || repeat(''x'', 1200), '''', 1');
    SELECT fill('security_events', 'ts, event_type, severity, source, count, first_ts', 'at, repeat(''x'', 1900), '''', '''', 1, at');
    INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, opened_at, seen_at)
    SELECT 1, 'r', i::text, '', '', '', '', '', repeat('x', 1900), '{}', now(), now() FROM generate_series(1, 500) i";

async fn filled() -> Database {
    let database = database().await;
    database.sql(FILL).await.unwrap();
    database
}

/// Makes the host ask for a budget.
async fn allow(database: &Database, max_bytes: i64) {
    database
        .sql(&format!(
            "INSERT INTO collector.retention (host_id, raw_days, hourly_days, long_days, log_days, event_days, max_bytes) \
             VALUES (1, 14, 90, 365, 7, 30, {max_bytes}) ON CONFLICT (host_id) DO UPDATE SET max_bytes = excluded.max_bytes"
        ))
        .await
        .unwrap();
}

/// Measures whatever the statistics of the server have.
async fn measure(database: &Database) {
    database
        .sql("SELECT collector.measure_store('0')")
        .await
        .unwrap();
}

/// Lets days go and removes what is expired.
async fn keep_within(database: &Database) -> Expired {
    let session = database.connect().await.unwrap();
    expiry::cut_to_budget(&session.client, clock).await.unwrap();
    let expired = expiry::run(&session.client, clock).await.unwrap();
    session.close(Duration::from_secs(2)).await;
    expired
}

/// How many days ago the partitions of a table are of, the oldest first.
async fn days(database: &Database, table: &str) -> Vec<i64> {
    let sql = format!(
        "SELECT (now() AT TIME ZONE 'UTC')::date - right(c.relname, 8)::date FROM pg_class c \
         JOIN pg_inherits i ON i.inhrelid = c.oid \
         WHERE i.inhparent = 'collector.{table}'::regclass AND c.relname ~ '_[0-9]{{8}}$' ORDER BY c.relname"
    );
    let rows = database.sql(&sql).await.unwrap();
    let day = |row: &Vec<Option<String>>| row[0].as_deref().unwrap().parse().unwrap();
    rows.iter().map(day).collect()
}

const TOTAL: &str =
    "SELECT sum(data_bytes + index_bytes + toast_bytes)::int8 FROM collector.store_sizes";

#[tokio::test]
async fn what_is_measured_is_the_size_on_disk_and_follows_changes() {
    let database = filled().await;
    // Its own size changes while it is measured.
    let difference = "SELECT (SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c
                              WHERE c.relnamespace = 'collector'::regnamespace AND c.relkind = 'r' AND c.relname <> 'store_sizes')::int8
                           - (SELECT sum(data_bytes + index_bytes + toast_bytes) FROM collector.store_sizes
                              WHERE relation <> 'store_sizes')::int8";
    let as_on_disk = async |what: &str| {
        // The server's statistics arrive when a session ends.
        for _ in 0..600 {
            measure(&database).await;
            if number(&database, difference).await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "{what}: {} bytes are not measured",
            number(&database, difference).await
        );
    };
    as_on_disk("filled").await;
    // The number of rows arrives with the statistics, the size before.
    let rows = "SELECT row_count FROM collector.store_sizes WHERE relation = 'security_events_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')";
    let mut tries = 0;
    while number(&database, rows).await != 500 {
        tries += 1;
        assert!(tries < 600, "{} rows", number(&database, rows).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
        measure(&database).await;
    }
    let before = number(&database, TOTAL).await;
    database
        .sql("INSERT INTO collector.system_metrics_raw (ts, host_id, boot_id) SELECT now(), 1, repeat('y', 1900) FROM generate_series(1, 2000)")
        .await
        .unwrap();
    as_on_disk("grown").await;
    assert!(number(&database, TOTAL).await > before + 3_500_000);
    database
        .sql("TRUNCATE collector.log_entries; DROP TABLE collector.security_events CASCADE")
        .await
        .unwrap();
    as_on_disk("truncated and dropped").await;
    let asked = "SELECT count(*) FROM collector.measure_store('1 hour') m WHERE m";
    assert_eq!(number(&database, asked).await, 0, "measured a moment ago");

    let session = database.connect().await.unwrap();
    let store = sizes::read(&session.client).await.unwrap();
    assert_eq!(store.bytes(), number(&database, TOTAL).await);
    assert_eq!(store.tables[0].name, "system_metrics_raw");
    assert!(
        store.tables[0]
            .bytes_per_day
            .is_some_and(|bytes| bytes > 700_000.0)
    );
    assert!(store.measured_at.is_some());
    let names: Vec<&str> = store.tables.iter().map(|table| &*table.name).collect();
    assert!(names.contains(&"findings") && !names.contains(&"security_events"));
    session.close(Duration::from_secs(2)).await;
}

#[tokio::test]
async fn the_oldest_raw_days_go_first_then_hours_and_nothing_else() {
    let database = filled().await;
    measure(&database).await;
    let total = number(&database, TOTAL).await;
    allow(&database, total).await;
    assert_eq!(
        keep_within(&database).await.partitions,
        0,
        "within the budget"
    );

    // One day of samples is not enough, so the lines of that day go, too.
    allow(&database, total - 1_200_000).await;
    assert_eq!(keep_within(&database).await.partitions, 2);
    for (table, kept) in [
        ("system_metrics_raw", 4),
        ("log_entries", 4),
        ("log_metrics_hourly", 5),
        ("security_events", 5),
    ] {
        let days = days(&database, table).await;
        assert_eq!(days, (0..=kept).rev().collect::<Vec<_>>(), "{table}");
    }
    let cut = "SELECT bytes FROM collector.retention_cuts WHERE grain = 'raw' \
               AND oldest_day = (now() AT TIME ZONE 'UTC')::date - 5 AND first_day = oldest_day + 1";
    assert!((1_200_000..3_000_000).contains(&number(&database, cut).await));
    assert_eq!(
        keep_within(&database).await.partitions,
        0,
        "that was enough"
    );

    // Raw days beyond yesterday are not enough: hours go as far as they must.
    let total = number(&database, TOTAL).await;
    let raw = "SELECT sum(data_bytes + index_bytes + toast_bytes)::int8 FROM collector.store_sizes \
               WHERE table_name IN ('system_metrics_raw', 'log_entries') AND day < (now() AT TIME ZONE 'UTC')::date - 1";
    let raw = number(&database, raw).await;
    allow(&database, total - raw - 1_000_000).await;
    assert_eq!(keep_within(&database).await.partitions, 6 + 2);
    assert_eq!(days(&database, "log_entries").await, [1, 0]);
    assert_eq!(days(&database, "log_metrics_hourly").await, [3, 2, 1, 0]);

    // Whatever it takes, the rest stays.
    allow(&database, 1).await;
    assert_eq!(keep_within(&database).await.partitions, 2);
    for (table, kept) in [
        ("system_metrics_raw", vec![1, 0]),
        ("log_entries", vec![1, 0]),
        ("log_metrics_hourly", vec![1, 0]),
        ("security_events", vec![5, 4, 3, 2, 1, 0]),
    ] {
        assert_eq!(days(&database, table).await, kept, "{table}");
    }
    let findings = "SELECT count(*) FROM collector.findings";
    assert_eq!(number(&database, findings).await, 500);
    let cuts = number(&database, "SELECT count(*) FROM collector.retention_cuts").await;
    assert_eq!(keep_within(&database).await, Expired::default());
    let again = number(&database, "SELECT count(*) FROM collector.retention_cuts").await;
    assert_eq!(cuts, again, "nothing is left to let go");
}

/// The collector's reader of the state finds what the database decided.
#[tokio::test]
async fn a_forecast_comes_before_the_cut_and_the_cut_is_reported() {
    let database = database().await;
    // Ten days of 10 MB, as measured.
    database
        .sql(
            "INSERT INTO collector.hosts (machine_id, hostname, first_seen) VALUES ('one', 'one', now() - interval '30 days'), ('two', 'two', now()); \
             INSERT INTO collector.store_sizes (relation, table_name, day, data_bytes, index_bytes, toast_bytes, row_count, state, measured_at) \
             SELECT 'system_metrics_raw_' || to_char(d, 'YYYYMMDD'), 'system_metrics_raw', d, 9000000, 1000000, 0, 8640, 0, now() \
             FROM generate_series(0, 10) n, LATERAL (SELECT (now() AT TIME ZONE 'UTC')::date - n AS d) days; \
             INSERT INTO collector.retention (host_id, raw_days, hourly_days, long_days, log_days, event_days) VALUES (2, 14, 90, 365, 7, 30)",
        )
        .await
        .unwrap();
    allow(&database, 125_000_000).await;
    let session = database.connect().await.unwrap();
    let store = sizes::read(&session.client).await.unwrap();
    assert_eq!(store.budget_bytes, Some(125_000_000));
    assert_eq!(store.keeper, Some(1), "the first host that is alive");
    let forecast = store.forecast().unwrap();
    assert_eq!((forecast.in_days, forecast.raw_days), (2, 11));
    assert!(store.kept.iter().all(|kept| kept.cut.is_none()));
    assert_eq!(store.tables[0].rows_per_day, Some(8640.0));

    allow(&database, 95_000_000).await;
    expiry::cut_to_budget(&session.client, clock).await.unwrap();
    let store = sizes::read(&session.client).await.unwrap();
    let cuts: Vec<_> = store
        .kept
        .iter()
        .filter_map(|kept| Some((kept.keep, kept.cut.as_ref()?)))
        .collect();
    assert_eq!(cuts.len(), 1);
    let (keep, cut) = &cuts[0];
    assert_eq!(
        (keep.as_str(), cut.bytes, cut.budget_bytes),
        ("raw", 20_000_000, 95_000_000)
    );
    assert!(cut.oldest_day < cut.last_day);
    assert_eq!(store.kept_bytes(), 90_000_000);

    // A host that is not heard of, or whose clock is wrong, does not report.
    database
        .sql("UPDATE collector.retention SET reported_at = now() - interval '4 hours' WHERE host_id = 1")
        .await
        .unwrap();
    let store = sizes::read(&session.client).await.unwrap();
    assert_eq!(store.keeper, Some(2), "its end hands it on");
    session.close(Duration::from_secs(2)).await;
}

#[tokio::test]
async fn the_greatest_budget_counts_and_a_host_without_one_has_no_say() {
    let database = database().await;
    database
        .sql("INSERT INTO collector.hosts (machine_id, hostname) SELECT 'm' || i, 'h' FROM generate_series(1, 3) i")
        .await
        .unwrap();
    for (case, asked, expected) in [
        ("none", "(1, NULL::int8, 0), (2, NULL, 0)", 0),
        ("one of two", "(1, NULL::int8, 0), (2, 70, 0)", 70),
        (
            "the greatest",
            "(1, 50::int8, 0), (2, 70, 0), (3, 60, 1)",
            70,
        ),
        ("not seen for a month", "(1, 50::int8, 0), (2, 70, 31)", 50),
    ] {
        database
            .sql(&format!(
                "DELETE FROM collector.retention; \
                 INSERT INTO collector.retention (host_id, raw_days, hourly_days, long_days, log_days, event_days, max_bytes, reported_at) \
                 SELECT h, 14, 90, 365, 7, 30, b, now() - ago * interval '1 day' FROM (VALUES {asked}) v (h, b, ago)"
            ))
            .await
            .unwrap();
        let budget = number(&database, "SELECT max_bytes FROM collector.size_budget").await;
        assert_eq!(budget, expected, "{case}");
    }
}

fn ahead() -> Timestamp {
    Timestamp(clock().as_micros() + 2 * DAY)
}

#[tokio::test]
async fn a_host_whose_clock_is_wrong_lets_nothing_go() {
    let database = filled().await;
    measure(&database).await;
    allow(&database, 1).await;
    let session = database.connect().await.unwrap();
    expiry::cut_to_budget(&session.client, ahead).await.unwrap();
    session.close(Duration::from_secs(2)).await;
    let cuts = "SELECT count(*) FROM collector.retention_cuts";
    assert_eq!(number(&database, cuts).await, 0);
}

/// A backup that reads the oldest day for hours: it goes on, samples and lines are stored, the dashboard reads, and the day
/// goes once it has ended.
#[tokio::test]
async fn a_reader_of_the_oldest_day_is_not_disturbed_and_disturbs_nobody() {
    let (database, dir) = (filled().await, TempDir::new().unwrap());
    database
        .sql(
            "SELECT collector.ensure_partition(t, (now() AT TIME ZONE 'UTC')::date - 20) \
             FROM unnest(ARRAY['system_metrics_raw', 'collector_runs_raw']) t",
        )
        .await
        .unwrap();
    let oldest = "SELECT 'system_metrics_raw_' || to_char((now() AT TIME ZONE 'UTC')::date - 20, 'YYYYMMDD')";
    let name = database.sql(oldest).await.unwrap()[0][0].clone().unwrap();
    let lock = format!("LOCK TABLE collector.{name} IN SHARE MODE");
    let reader = testkit::hold(&database.target(), &lock).await.unwrap();
    let running = start_with(dir.path(), database.target(), "m", RETENTION, clock);
    running
        .until("its retention is stored", async || {
            running.status.get().retention.is_some()
        })
        .await;
    let session = database.connect().await.unwrap();
    let deliver = async {
        for tick in 0..5 {
            running
                .queue
                .append(common::ts(tick), common::rows(tick, 2))
                .await
                .unwrap();
            running.drained().await;
        }
    };
    let read = async {
        for _ in 0..5 {
            number(
                &database,
                "SELECT count(*) FROM collector.system_metrics_raw",
            )
            .await;
        }
    };
    let (expired, (), ()) = tokio::join!(expiry::run(&session.client, clock), deliver, read);
    let expired = expired.unwrap();
    assert_eq!(
        expired.partitions, 1,
        "other tables are expired all the same"
    );
    let tables: Vec<&str> = expired.refused.iter().map(|(table, _)| *table).collect();
    assert_eq!(tables, ["system_metrics_raw"]);
    assert!(
        expired.refused[0].1.contains("lock timeout"),
        "{:?}",
        expired.refused
    );
    let stored = "SELECT count(*) FROM collector.system_metrics_raw WHERE forks_total BETWEEN 0 AND 4 AND ts > now() - interval '1 hour'";
    assert_eq!(number(&database, stored).await, 5);
    let lives = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = {} AND state = 'idle in transaction'",
        reader.pid
    );
    assert_eq!(number(&database, &lives).await, 1);

    reader.client.batch_execute("COMMIT").await.unwrap();
    let expired = expiry::run(&session.client, clock).await.unwrap();
    assert_eq!((expired.partitions, expired.refused), (1, Vec::new()));
    assert_eq!(days(&database, "system_metrics_raw").await[0], 5);
    reader.close(Duration::from_secs(2)).await;
    session.close(Duration::from_secs(2)).await;
    running.stop().await;
}

/// Several hosts expire at the same time: everything goes once, and none fails for what another one dropped.
#[tokio::test]
async fn hosts_that_expire_at_once_share_the_work() {
    let database = filled().await;
    allow(&database, 1 << 40).await;
    database
        .sql(
            "SELECT collector.ensure_partition('system_metrics_raw', (now() AT TIME ZONE 'UTC')::date - n) FROM generate_series(15, 60) n",
        )
        .await
        .unwrap();
    let run = async || {
        let session = database.connect().await.unwrap();
        let expired = expiry::run(&session.client, clock).await.unwrap();
        session.close(Duration::from_secs(2)).await;
        expired
    };
    let (one, two, three) = tokio::join!(run(), run(), run());
    let after = run().await;
    let all = [one, two, three, after];
    assert_eq!(
        all.iter().map(|expired| expired.partitions).sum::<usize>(),
        46
    );
    // One that waited too long for another tries again later.
    let refused = all.iter().flat_map(|expired| &expired.refused);
    assert!(
        refused
            .clone()
            .all(|(_, error)| error.contains("lock timeout")),
        "{all:?}"
    );
    assert_eq!(
        days(&database, "system_metrics_raw").await,
        [5, 4, 3, 2, 1, 0]
    );
}

/// A heartbeat is kept for a day, whatever raw samples are.
#[tokio::test]
async fn heartbeats_are_kept_for_a_day() {
    let database = filled().await;
    allow(&database, 0).await;
    database
        .sql("SELECT collector.ensure_partition('heartbeat', (now() AT TIME ZONE 'UTC')::date - n) FROM generate_series(0, 4) n")
        .await
        .unwrap();
    keep_within(&database).await;
    assert_eq!(days(&database, "heartbeat").await, [1, 0]);
}
