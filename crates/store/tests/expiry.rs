//! Expiry belongs to the store: what goes follows from the server's clock and from all that hosts ask for.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{RETENTION, Running, clock, database, number, rows, start_with};
use schema::Timestamp;
use std::time::Duration;
use store::expiry::{self, Expired, Retention};
use store::writer::Clock;
use tempfile::TempDir;
use testkit::Database;

const DAY: i64 = 86_400_000_000;

/// A sample of every day from 20 days ago to today, of a host that is not here.
async fn samples(database: &Database) {
    database
        .sql(
            "insert into collector.hosts (machine_id, hostname) values ('elsewhere', 'other'); \
             select collector.ensure_partition('system_metrics_raw', null); \
             select collector.ensure_partition('system_metrics_raw', (now() at time zone 'UTC')::date - n) from generate_series(0, 20) n; \
             insert into collector.system_metrics_raw (ts, host_id) \
             select now() - n * interval '1 day', 1 from generate_series(0, 20) n",
        )
        .await
        .unwrap();
}

async fn days(database: &Database) -> i64 {
    number(
        database,
        "select count(distinct ts::date) from collector.system_metrics_raw where host_id = 1",
    )
    .await
}

/// Removes what is expired, once the database has the retention of this host.
async fn expire_for(database: &Database, running: &Running, clock: Clock) -> Expired {
    running
        .until("its retention is stored", async || {
            running.status.get().retention.is_some()
        })
        .await;
    expire(database, clock).await
}

async fn expire(database: &Database, clock: Clock) -> Expired {
    let session = session(database).await;
    let expired = expiry::run(&session.client, clock).await.unwrap();
    session.close(Duration::from_secs(2)).await;
    expired
}

/// Opens a session as that of the collector.
async fn session(database: &Database) -> pg::Session {
    let options = pg::SessionOptions::default();
    pg::connect(&database.target(), &options, "test")
        .await
        .unwrap()
}

fn ahead() -> Timestamp {
    Timestamp(clock().as_micros() + 40 * DAY)
}

fn behind() -> Timestamp {
    Timestamp(clock().as_micros() - 90 * 1_000_000)
}

fn years_ahead() -> Timestamp {
    Timestamp(clock().as_micros() + 3_652 * DAY)
}

fn years_behind() -> Timestamp {
    Timestamp(clock().as_micros() - 3_652 * DAY)
}

fn a_little_ahead() -> Timestamp {
    Timestamp(clock().as_micros() + 20 * 1_000_000)
}

async fn ask(database: &Database, days: i64, seen_days_ago: i64) {
    database
        .sql(&format!(
            "insert into collector.retention (host_id, raw_days, hourly_days, long_days, log_days, event_days, reported_at) \
             values (1, {days}, 90, 365, 7, 30, now() - {seen_days_ago} * interval '1 day')"
        ))
        .await
        .unwrap();
}

/// Expired days are dropped, and what lies in the default partition goes once it was there for a day.
#[tokio::test]
async fn expired_partitions_are_dropped() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let day = |back: i64| {
        format!(
            "(timestamptz 'epoch' + {} * interval '1 microsecond')",
            clock().as_micros() - back * 86_400_000_000
        )
    };
    database
        .sql(&format!(
            "select collector.ensure_partition(t, d::date) \
             from unnest(array['system_metrics_raw', 'data_gaps']) t, generate_series({}, {}, interval '1 day') d; \
             select collector.ensure_partition('system_metrics_raw', null); \
             insert into collector.system_metrics_raw (ts, host_id) values ({}, 1), ({}, 1), ({}, 1); \
             insert into collector.stray_days (table_name, day, noticed_at) \
             values ('system_metrics_raw', {}::date, now() - interval '25 hours')",
            day(20), day(10), day(20), day(12), day(40), day(40)
        ))
        .await
        .unwrap();
    assert_eq!(
        number(
            &database,
            "select count(*) from collector.system_metrics_raw_other"
        )
        .await,
        1
    );
    let running = start_with(dir.path(), database.target(), "m", RETENTION, clock);
    let expired = expire_for(&database, &running, clock).await;
    assert_eq!(expired.partitions, 6, "{expired:?}");
    assert_eq!(expired.rows, 1, "that without a partition");
    let left = "select count(*) from collector.system_metrics_raw";
    assert_eq!(number(&database, left).await, 1, "old days are gone");
    let kept =
        "select count(*) from pg_class where relname ~ '^data_gaps_[0-9]{8}$' and relkind = 'r'";
    assert_eq!(
        number(&database, kept).await,
        11,
        "gaps are kept as long as daily figures"
    );
    running.stop().await;
}

#[tokio::test]
async fn the_longest_retention_that_any_host_asks_for_counts() {
    for (case, theirs, seen_days_ago, ours, kept) in [
        ("ours alone", None, 0, 14, 15),
        ("theirs is longer", Some(18), 0, 1, 19),
        ("ours is longer", Some(2), 0, 14, 15),
        ("they were seen four weeks ago", Some(18), 29, 1, 19),
        ("they were not seen for a month", Some(18), 31, 10, 11),
    ] {
        let (database, dir) = (database().await, TempDir::new().unwrap());
        samples(&database).await;
        if let Some(theirs) = theirs {
            ask(&database, theirs, seen_days_ago).await;
        }
        let retention = Retention {
            raw_days: ours,
            ..RETENTION
        };
        let running = start_with(dir.path(), database.target(), "m", retention, clock);
        expire_for(&database, &running, clock).await;
        assert_eq!(days(&database).await, kept, "{case}");
        running.stop().await;
    }
}

#[tokio::test]
async fn a_host_whose_clock_is_wrong_expires_nothing_and_is_reported() {
    for (case, clock, is_wrong) in [
        ("ahead", ahead as fn() -> Timestamp, true),
        ("behind", behind, true),
        ("ten years ahead", years_ahead, true),
        ("ten years behind", years_behind, true),
        ("a little ahead", a_little_ahead, false),
    ] {
        let (database, dir) = (database().await, TempDir::new().unwrap());
        samples(&database).await;
        let running = start_with(dir.path(), database.target(), "m", RETENTION, clock);
        let wrong = "select count(*) from collector.retention where clock_wrong_since is not null";
        running
            .until("the clock is reported", async || {
                number(&database, "select count(*) from collector.retention").await == 1
            })
            .await;
        assert_eq!(
            number(&database, wrong).await,
            i64::from(is_wrong),
            "{case}"
        );
        // Samples dated by its clock are stored all the same.
        let at = clock();
        let mut own = rows(0, 3);
        for row in &mut own {
            row.ts = at;
        }
        running.queue.append(at, own).await.unwrap();
        running.drained().await;
        let kept = "select count(*) from collector.system_metrics_raw where host_id = 2";
        assert_eq!(number(&database, kept).await, 1, "{case}");
        // A day that is far away has no partition of its own.
        let stray = "select count(*) from collector.system_metrics_raw_other";
        let is_far = (at.as_micros() - common::clock().as_micros()).abs() > 9 * DAY;
        assert_eq!(number(&database, stray).await, i64::from(is_far), "{case}");
        // A sign of life is by the clock of the store.
        let alive = "select count(*) from collector.heartbeat where host_id = 2 and ts between now() - interval '1 hour' and now()";
        running
            .until("it is alive", async || number(&database, alive).await > 0)
            .await;
        let expired = expire_for(&database, &running, clock).await;
        if is_wrong {
            assert_eq!(expired, Expired::default(), "{case}");
            assert_eq!(days(&database).await, 21, "{case}: nothing was dropped");
            // Whatever it asks of the server itself.
            let asked = format!(
                "select count(*) from collector.expire_partition('system_metrics_raw', 'raw', {})",
                clock().as_micros()
            );
            assert_eq!(number(&database, &asked).await, 0);
        } else {
            assert_eq!(days(&database).await, 15, "{case}");
        }
        running.stop().await;
    }
}

/// Two collectors in one database, one of them 40 days ahead with a retention of a day: the other's
/// history stays, and is expired by the other.
#[tokio::test]
async fn one_host_cannot_drop_the_history_of_another() {
    let (database, dir, other) = (
        database().await,
        TempDir::new().unwrap(),
        TempDir::new().unwrap(),
    );
    samples(&database).await;
    let short = Retention {
        raw_days: 1,
        ..RETENTION
    };
    let wrong = start_with(dir.path(), database.target(), "wrong", short, ahead);
    wrong.queue.append(ahead(), rows(0, 3)).await.unwrap();
    wrong.drained().await;
    let right = start_with(other.path(), database.target(), "right", RETENTION, clock);
    right.queue.append(clock(), rows(0, 3)).await.unwrap();
    expire_for(&database, &wrong, ahead).await;
    expire_for(&database, &right, clock).await;
    assert_eq!(days(&database).await, 15);
    let future = "select count(*) from pg_class where relispartition and relkind = 'r' \
                  and relname ~ '_[0-9]{8}$' and right(relname, 8) > to_char(now() + interval '3 days', 'YYYYMMDD')";
    assert_eq!(
        number(&database, future).await,
        0,
        "its days have no partitions"
    );
    wrong.stop().await;
    right.stop().await;
}

/// A change of what is to be kept reaches the store without a restart.
#[tokio::test]
async fn what_a_host_asks_for_follows_its_settings() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let running = start_with(dir.path(), database.target(), "m", RETENTION, clock);
    let asked = "select coalesce(max(raw_days), 0) from collector.retention";
    running
        .until("it asks", async || number(&database, asked).await == 14)
        .await;
    running
        .options
        .send_modify(|options| options.retention.raw_days = 21);
    running
        .until("it asks for more", async || {
            number(&database, asked).await == 21
        })
        .await;
    running.stop().await;
}

/// Rows of the default partition expire by their date, and those of days to come by when they were
/// noticed; one that is kept does not keep the others.
#[tokio::test]
async fn rows_without_a_partition_expire() {
    let database = database().await;
    ask_for(&database).await;
    let expire = |block: i64| {
        format!(
            "select expired, next_block from collector.expire_strays('system_metrics_raw', 'raw', {}, {block})",
            clock().as_micros()
        )
    };
    let left = "select count(*) from collector.system_metrics_raw_other";
    database
        .sql(
            "select collector.ensure_partition('system_metrics_raw', null); \
             insert into collector.system_metrics_raw (ts, host_id) \
             select now() - interval '40 days', 1 from generate_series(1, 1000); \
             insert into collector.system_metrics_raw (ts, host_id) values \
             (now() - interval '10 days', 1), (now() + interval '7 years', 1), ('infinity', 1)",
        )
        .await
        .unwrap();
    database.sql(&expire(0)).await.unwrap();
    assert_eq!(number(&database, left).await, 1003, "just arrived");
    database
        .sql("update collector.stray_days set noticed_at = now() - interval '25 hours'")
        .await
        .unwrap();
    database.sql(&expire(0)).await.unwrap();
    assert_eq!(
        number(&database, left).await,
        3,
        "the old ones go after a day"
    );
    database
        .sql("update collector.stray_days set noticed_at = now() - interval '13 days'")
        .await
        .unwrap();
    database.sql(&expire(0)).await.unwrap();
    assert_eq!(number(&database, left).await, 3, "not yet kept for 14 days");
    database
        .sql("update collector.stray_days set noticed_at = now() - interval '15 days'")
        .await
        .unwrap();
    database.sql(&expire(0)).await.unwrap();
    assert_eq!(
        number(&database, left).await,
        0,
        "kept for as long as any row"
    );
    let size = "select pg_relation_size('collector.system_metrics_raw_other')";
    assert_eq!(
        number(&database, size).await,
        0,
        "truncated when nothing is left"
    );
}

/// However much there is, no transaction deletes more than some megabytes.
#[tokio::test]
async fn many_rows_without_a_partition_go_in_pieces() {
    let database = database().await;
    ask_for(&database).await;
    database
        .sql(
            "select collector.ensure_partition('system_metrics_raw', null); \
             insert into collector.system_metrics_raw (ts, host_id, boot_id) \
             select now() - interval '40 days', 1, repeat('x', 1900) from generate_series(1, 5000); \
             insert into collector.system_metrics_raw (ts, host_id) values (now() - interval '10 days', 1); \
             insert into collector.stray_days (table_name, day, noticed_at) \
             values ('system_metrics_raw', (now() at time zone 'UTC')::date - 40, now() - interval '25 hours')",
        )
        .await
        .unwrap();
    let (_, steps) = expire_strays(&database).await;
    assert!(steps > 1, "10 MB in one step");
    let left = "select count(*) from collector.system_metrics_raw_other";
    assert_eq!(number(&database, left).await, 1);
}

async fn ask_for(database: &Database) {
    database
        .sql("insert into collector.hosts (machine_id, hostname) values ('one', 'one')")
        .await
        .unwrap();
    ask(database, 14, 0).await;
}

/// Goes through the default partition of the samples; how many rows went, and in how many steps.
async fn expire_strays(database: &Database) -> (i64, u32) {
    let (mut block, mut expired, mut steps) = (Some("0".to_owned()), 0, 0);
    while let Some(from) = block {
        let step = format!(
            "select expired, next_block from collector.expire_strays('system_metrics_raw', 'raw', {}, {from})",
            clock().as_micros()
        );
        let row = database.sql(&step).await.unwrap()[0].clone();
        expired += row[0].as_deref().unwrap().parse::<i64>().unwrap();
        block = row[1].clone();
        steps += 1;
    }
    (expired, steps)
}

/// A day of more rows than are moved into a partition of its own expires as any other, in steps; one that
/// stops in between and is taken up by another caller ends the same.
#[tokio::test]
async fn a_day_that_is_too_large_for_a_partition_expires() {
    let database = database().await;
    ask_for(&database).await;
    database
        .sql(
            "select collector.ensure_partition('system_metrics_raw', null); \
             insert into collector.system_metrics_raw (ts, host_id, boot_id) \
             select now() - interval '5 days', 1, repeat('x', 700) from generate_series(1, 50001); \
             insert into collector.system_metrics_raw (ts, host_id) values (now() - interval '1 day', 1)",
        )
        .await
        .unwrap();
    let made = "select collector.ensure_partition('system_metrics_raw', (now() at time zone 'UTC')::date - 5)";
    assert_eq!(
        database.sql(made).await.unwrap()[0][0].as_deref(),
        Some("f")
    );
    let (expired, steps) = expire_strays(&database).await;
    assert_eq!(expired, 0, "kept for 14 days");
    assert!(steps > 4, "{steps} steps for 40 MB");
    let noticed = "select count(*) from collector.stray_days";
    assert_eq!(number(&database, noticed).await, 2);
    let (_, steps) = expire_strays(&database).await;
    assert_eq!(steps, 1, "nothing is due: not read again");

    database
        .sql(
            "update collector.retention set raw_days = 3; \
             update collector.stray_days set noticed_at = now() - interval '2 days'",
        )
        .await
        .unwrap();
    let first = format!(
        "select expired from collector.expire_strays('system_metrics_raw', 'raw', {}, 0)",
        clock().as_micros()
    );
    let first: i64 = number(&database, &first).await;
    assert!(0 < first && first < 50_001, "{first} in one step");
    let (rest, _) = expire_strays(&database).await;
    assert_eq!(first + rest, 50_001);
    let left = "select count(*) from collector.system_metrics_raw_other";
    assert_eq!(number(&database, left).await, 1);
    assert_eq!(
        number(&database, noticed).await,
        1,
        "a day without rows is forgotten"
    );
}

/// Refused rows and runs of the collector expire by what any host asks for; the last run of a host, and one
/// that is not known to have ended, stay.
#[tokio::test]
async fn refused_rows_and_runs_expire() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    ask_for(&database).await;
    database
        .sql(
            "insert into collector.hosts (machine_id, hostname) values ('two', 'two'); \
             insert into collector.dead_letter (ts, host_id, table_name, row, tuple, columns, sqlstate, error, noticed_at) \
             select now(), 1 + n % 2, 't', '', '', '{}', '', '', now() - interval '31 days' from generate_series(1, 2500) n; \
             insert into collector.dead_letter (ts, host_id, table_name, row, tuple, columns, sqlstate, error, noticed_at) \
             values (now() - interval '1 year', 1, 't', '', '', '{}', '', '', now() - interval '29 days'); \
             insert into collector.agent_runs (host_id, run_id, writer, pid, version, started_at, ended_at) \
             select h, gen_random_uuid(), gen_random_uuid(), 1, '', at, at + interval '1 hour' from generate_series(1, 2) h, \
             (values (now() - interval '400 days'), (now() - interval '380 days')) v(at); \
             insert into collector.agent_runs (host_id, run_id, writer, pid, version, started_at) \
             values (1, gen_random_uuid(), gen_random_uuid(), 1, '', now() - interval '390 days'); \
             insert into collector.agent_runs (host_id, run_id, writer, pid, version, started_at, ended_at) \
             values (1, gen_random_uuid(), gen_random_uuid(), 1, '', now() - interval '1 day', now())",
        )
        .await
        .unwrap();
    let step = |table: &str, keep: &str, clock: i64| {
        format!("select collector.expire_rows('{table}', '{keep}', {clock})")
    };
    let wrong = step("dead_letter", "events", clock().as_micros() + 2 * DAY);
    assert_eq!(number(&database, &wrong).await, 0, "a clock that is wrong");
    let right = step("dead_letter", "events", clock().as_micros());
    assert_eq!(number(&database, &right).await, 1000, "in steps");

    let running = start_with(dir.path(), database.target(), "m", RETENTION, clock);
    expire_for(&database, &running, clock).await;
    let dead = "select count(*) from collector.dead_letter";
    assert_eq!(number(&database, dead).await, 1);
    let runs =
        |host: i32| format!("select count(*) from collector.agent_runs where host_id = {host}");
    // The one that never ended, and that of yesterday.
    assert_eq!(number(&database, &runs(1)).await, 2);
    assert_eq!(number(&database, &runs(2)).await, 1, "the last of its host");
    running.stop().await;
}

/// Empty partitions of days that are far ahead, made by an earlier version, go; used ones stay.
#[tokio::test]
async fn empty_partitions_of_days_to_come_are_dropped() {
    let database = database().await;
    ask_for(&database).await;
    database
        .sql(
            "select collector.ensure_partition('system_metrics_raw', d) \
             from (values (date '2133-03-03'), (date '2133-03-04'), ((now() at time zone 'UTC')::date + 2)) v(d); \
             insert into collector.system_metrics_raw (ts, host_id) values ('2133-03-04 12:00+00', 1)",
        )
        .await
        .unwrap();
    let drop = format!(
        "select partition from collector.expire_partition('system_metrics_raw', 'raw', {})",
        clock().as_micros()
    );
    let dropped = database.sql(&drop).await.unwrap()[0][0].clone();
    assert_eq!(dropped.as_deref(), Some("system_metrics_raw_21330303"));
    assert!(database.sql(&drop).await.unwrap().is_empty());
}

/// Hosts of an earlier version ask for what their last run asked for.
#[tokio::test]
async fn a_migration_takes_over_what_hosts_asked_for() {
    let database = testkit::database("bare", async |_| Ok::<(), String>(()))
        .await
        .unwrap();
    let session = pg::connect(&database.target(), &pg::SessionOptions::default(), "test")
        .await
        .unwrap();
    session
        .client
        .batch_execute("CREATE SCHEMA collector")
        .await
        .unwrap();
    for migration in &store::migrations::MIGRATIONS[..4] {
        session.client.batch_execute(migration.sql).await.unwrap();
    }
    session
        .client
        .batch_execute(
            "INSERT INTO collector.hosts (machine_id, hostname) VALUES ('one', 'one'), ('two', 'two'); \
             INSERT INTO collector.agent_runs (host_id, run_id, writer, pid, version, started_at, settings) VALUES \
             (1, gen_random_uuid(), gen_random_uuid(), 1, '', now() - interval '1 day', '{\"retention.raw_days\": [\"3\", \"file\"]}'), \
             (1, gen_random_uuid(), gen_random_uuid(), 1, '', now(), '{\"retention.raw_days\": [\"60\", \"file\"]}')",
        )
        .await
        .unwrap();
    session
        .client
        .batch_execute(store::migrations::MIGRATIONS[4].sql)
        .await
        .unwrap();
    for (host, days) in [(1, 60), (2, 14)] {
        let asked = format!(
            "select raw_days from collector.retention where host_id = {host} and reported_at > now() - interval '1 day'"
        );
        assert_eq!(number(&database, &asked).await, days);
    }
    session.close(Duration::from_secs(2)).await;
}

/// Views go after 180 days and visits after 395; their sums stay for 760, and questions read them.
#[tokio::test]
async fn sums_of_visits_stay_when_their_rows_go() {
    let database = database().await;
    let day = |ago: i64| format!("((now() AT TIME ZONE 'UTC')::date - {ago})");
    let visit = |ago: i64| {
        let ts = format!(
            "({}::timestamp AT TIME ZONE 'UTC' + interval '10 hours')",
            day(ago)
        );
        format!(
            "SELECT collector.web_analytics_partitions({}); \
             INSERT INTO collector.web_analytics_page_views_raw (ts, session_ts, session_id, visitor_id, view_id, page_id, site_id, engaged_ms, nth, status, scroll_pct, suspect, synthetic) \
             SELECT {ts}, {ts}, 1, 1, {ago}, collector.word_id('page', '/'), 1, 0, 1, 200, 0, false, false; \
             INSERT INTO collector.web_analytics_sessions_raw (ts, session_id, last_seen, visitor_id, site_id, engaged_ms, views, events, interactive, suspect, consented, synthetic, channel) \
             SELECT {ts}, 1, {ts}, 1, 1, 0, 1, 0, false, false, false, false, 'direct'; \
             SELECT collector.web_analytics_settle(1, {});",
            day(ago),
            day(ago)
        )
    };
    let visits: String = [170, 200, 400, 800].map(visit).concat();
    database
        .sql(&format!(
            "SELECT collector.web_analytics_partitions(NULL); SELECT collector.web_analytics_register('example.org', 'UTC', '{{}}'); {visits}"
        ))
        .await
        .unwrap();
    let summed = "SELECT sum(views)::int8 FROM collector.web_analytics_days WHERE dimension = 0";
    assert_eq!(number(&database, summed).await, 4);

    let expired = expire(&database, clock).await;
    assert!(expired.partitions > 0, "{expired:?}");
    let count = async |table: &str| {
        let sql = format!("SELECT count(*) FROM collector.web_analytics_{table}");
        number(&database, &sql).await
    };
    assert_eq!(count("page_views_raw").await, 1);
    assert_eq!(count("sessions_raw").await, 2);
    assert_eq!(number(&database, summed).await, 3);
    let asked = format!(
        "SELECT sum(views)::int8 FROM collector.web_analytics_sums(1, {}::timestamp AT TIME ZONE 'UTC', now(), '{{0}}')",
        day(500)
    );
    assert_eq!(number(&database, &asked).await, 3);
}
