//! Delivery: records of the spool are stored exactly once, in any state of the tables.

mod common;

use common::{base, database, number, rows, start, start_for, ts};
use store::status::Link;
use tempfile::TempDir;

#[tokio::test]
async fn rows_arrive_with_their_host_and_the_spool_forgets_them() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let running = start(dir.path(), database.target());
    for tick in 0..3 {
        running
            .queue
            .append(ts(tick), rows(tick, 40))
            .await
            .unwrap();
    }
    running.drained().await;
    assert_eq!(
        number(
            &database,
            "select count(*) from collector.process_metrics_raw"
        )
        .await,
        120
    );
    assert_eq!(
        number(
            &database,
            "select count(distinct host_id) from collector.process_metrics_raw"
        )
        .await,
        1
    );
    assert_eq!(
        number(
            &database,
            "select count(*) from collector.system_metrics_raw where cpu_user = 1.5"
        )
        .await,
        3
    );
    assert_eq!(
        number(
            &database,
            "select (extract(epoch from max(ts)) * 1000000)::int8 from collector.system_metrics_raw"
        )
        .await,
        base() + 20_000_000
    );
    let status = running.status.get();
    assert_eq!((status.link, status.rows_written), (Link::Connected, 126));
    assert!(running.queue.depth().await.rows.is_empty());
    // The rows lie in the partition of their day, not in the default one.
    assert_eq!(
        number(
            &database,
            "select count(*) from collector.system_metrics_raw_other"
        )
        .await,
        0
    );
    running.stop().await;
    assert_eq!(
        number(
            &database,
            "select count(*) from collector.agent_runs where outcome = 'stopped'"
        )
        .await,
        1
    );
    assert_eq!(
        number(&database, "select count(*) from collector.heartbeat").await,
        1
    );
}

/// A run that is stopped while the database is away was not killed.
#[tokio::test]
async fn a_run_that_ends_without_a_session_is_closed_by_the_next_one() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let server = testkit::shared_server().unwrap();
    let name = database.name();
    let ends = [(true, "stopped"), (false, "vanished")];
    for (round, (in_order, outcome)) in (1..).zip(ends) {
        let running = start(dir.path(), database.target());
        running
            .queue
            .append(ts(round), rows(round, 1))
            .await
            .unwrap();
        running.drained().await;
        let shut = format!(
            "alter database \"{name}\" allow_connections false; \
             select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
        );
        server.sql(&shut).await.unwrap();
        running
            .until("the session is lost", async || {
                running.status.get().link != Link::Connected
            })
            .await;
        if in_order {
            running.stop().await;
        } else {
            running.kill().await;
        }
        let open = format!("alter database \"{name}\" allow_connections true");
        server.sql(&open).await.unwrap();
        let running = start(dir.path(), database.target());
        running
            .queue
            .append(ts(round), rows(round, 1))
            .await
            .unwrap();
        running.drained().await;
        let sql = format!(
            "select count(*) from collector.agent_runs where outcome = '{outcome}' and ended_at >= started_at"
        );
        assert_eq!(number(&database, &sql).await, 1, "{outcome}");
        running.stop().await;
    }
}

/// P1, in the small: at any instant that a writer dies at, appended records are stored once.
#[tokio::test]
async fn p01_a_writer_that_dies_anywhere_loses_and_doubles_nothing() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let mut tick = 0;
    for life in 0..20_u64 {
        let running = start(dir.path(), database.target());
        for _ in 0..4 {
            running
                .queue
                .append(ts(tick), rows(tick, 10))
                .await
                .unwrap();
            tick += 1;
            tokio::time::sleep(std::time::Duration::from_millis(life * 3 % 17)).await;
        }
        running.kill().await;
    }
    let running = start(dir.path(), database.target());
    running.drained().await;
    let all = "select count(*) from collector.process_metrics_raw";
    let distinct = "select count(*) from (select distinct start_ticks, pid from collector.process_metrics_raw) d";
    assert_eq!(
        (
            number(&database, all).await,
            number(&database, distinct).await
        ),
        (tick * 10, tick * 10)
    );
    assert_eq!(
        number(&database, "select count(*) from collector.data_gaps").await,
        0
    );
    running.stop().await;
}

/// P15: a table that is locked holds up nothing but itself.
#[tokio::test]
async fn p15_a_locked_table_is_deferred_and_stored_later() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let running = start(dir.path(), database.target());
    running.queue.append(ts(0), rows(0, 5)).await.unwrap();
    running.drained().await;

    let lock = "LOCK TABLE collector.collector_runs_raw IN ACCESS EXCLUSIVE MODE";
    let locker = testkit::hold(&database.target(), lock).await.unwrap();
    for tick in 1..4 {
        running.queue.append(ts(tick), rows(tick, 5)).await.unwrap();
    }
    running
        .until("the other tables go on", async || {
            number(
                &database,
                "select count(*) from collector.process_metrics_raw",
            )
            .await
                == 20
        })
        .await;
    assert_eq!(
        number(
            &database,
            "select count(*) from collector.system_metrics_raw"
        )
        .await,
        4
    );
    let old = "select count(*) from pg_stat_activity where application_name like 'pqcrypta-collector%' \
               and state <> 'idle' and now() - xact_start > interval '15 s'";
    assert_eq!(number(&database, old).await, 0);
    assert!(
        running
            .status
            .get()
            .error
            .unwrap()
            .contains("collector_runs_raw")
    );
    assert!(running.queue.depth().await.records > 0);

    locker.client.batch_execute("COMMIT").await.unwrap();
    running.drained().await;
    assert_eq!(
        number(
            &database,
            "select count(distinct ts) from collector.collector_runs_raw"
        )
        .await,
        4
    );
    assert_eq!(
        number(
            &database,
            "select count(*) from collector.collector_runs_raw"
        )
        .await,
        4
    );
    assert_eq!(running.status.get().error, None);
    running.stop().await;
}

/// A right that is missing costs its table, until it is granted.
#[tokio::test]
async fn p15_a_dropped_table_costs_only_itself() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let running = start(dir.path(), database.target());
    running.queue.append(ts(0), rows(0, 5)).await.unwrap();
    running.drained().await;
    database
        .sql("alter table collector.collector_runs_raw rename to elsewhere")
        .await
        .unwrap();
    running.queue.append(ts(1), rows(1, 5)).await.unwrap();
    running
        .until("the other tables go on", async || {
            number(
                &database,
                "select count(*) from collector.process_metrics_raw",
            )
            .await
                == 10
        })
        .await;
    database
        .sql("alter table collector.elsewhere rename to collector_runs_raw")
        .await
        .unwrap();
    running.drained().await;
    assert_eq!(
        number(
            &database,
            "select count(*) from collector.collector_runs_raw"
        )
        .await,
        2
    );
    running.stop().await;
}

/// P13: one row that the server refuses goes aside; its neighbours are stored at once.
#[tokio::test]
async fn p13_a_poisoned_row_is_dead_lettered_and_its_neighbours_are_stored() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    // What the encoder cannot produce, a constraint can refuse.
    database
        .sql("alter table collector.process_samples add check (process >> 41 <> 13)")
        .await
        .unwrap();
    let running = start(dir.path(), database.target());
    for tick in 0..3 {
        running
            .queue
            .append(ts(tick), rows(tick, 50))
            .await
            .unwrap();
    }
    running.drained().await;
    assert_eq!(
        number(
            &database,
            "select count(*) from collector.process_metrics_raw"
        )
        .await,
        147
    );
    assert_eq!(
        number(
            &database,
            "select count(*) from collector.system_metrics_raw"
        )
        .await,
        3
    );
    assert_eq!(number(&database, "select count(*) from collector.dead_letter where sqlstate = '23514' and (row::jsonb ->> 'process')::bigint >> 41 = 13").await, 3);
    assert_eq!(running.status.get().dead_letters, 3);
    running.stop().await;
}

/// P4: two agents for one host. The second waits; when the first stops, it takes over and stores
/// nothing of the time the first covered.
#[tokio::test]
async fn p04_a_second_agent_waits_for_the_first() {
    let (database, dir, other) = (
        database().await,
        TempDir::new().unwrap(),
        TempDir::new().unwrap(),
    );
    let first = start(dir.path(), database.target());
    first.queue.append(ts(0), rows(0, 5)).await.unwrap();
    first.drained().await;
    let second = start(other.path(), database.target());
    second.queue.append(ts(0), rows(0, 5)).await.unwrap();
    second
        .until("it waits", async || {
            second.status.get().link == Link::Waiting
        })
        .await;
    assert!(*second.standby.borrow());
    first.queue.append(ts(1), rows(1, 5)).await.unwrap();
    first.drained().await;
    first.stop().await;
    second
        .until("it takes over", async || {
            second.status.get().link == Link::Connected
        })
        .await;
    second.queue.append(ts(2), rows(2, 5)).await.unwrap();
    second.drained().await;
    let doubles = "select count(*) from (select ts, pid from collector.process_metrics_raw group by 1, 2 having count(*) > 1) d";
    assert_eq!(number(&database, doubles).await, 0);
    assert_eq!(
        number(
            &database,
            "select count(*) from collector.process_metrics_raw"
        )
        .await,
        15
    );
    assert!(!*second.standby.borrow());
    second.stop().await;
}

/// Another host is another matter: both work.
#[tokio::test]
async fn two_hosts_share_a_database() {
    let (database, dir, other) = (
        database().await,
        TempDir::new().unwrap(),
        TempDir::new().unwrap(),
    );
    let one = start_for(dir.path(), database.target(), "machine-1");
    let two = start_for(other.path(), database.target(), "machine-2");
    one.queue.append(ts(0), rows(0, 1)).await.unwrap();
    two.queue.append(ts(0), rows(0, 1)).await.unwrap();
    one.drained().await;
    two.drained().await;
    assert_eq!(
        number(
            &database,
            "select count(distinct host_id) from collector.system_metrics_raw"
        )
        .await,
        2
    );
    one.stop().await;
    two.stop().await;
}

/// After an outage the newest samples arrive beside the backlog, and the change of history shows.
#[tokio::test]
async fn a_backlog_is_drained_beside_live_samples() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    {
        let queue = store::queue::Queue::new(common::open_spool(dir.path()));
        for tick in 0..400 {
            queue.append(ts(tick), rows(tick, 20)).await.unwrap();
        }
    }
    let running = start(dir.path(), database.target());
    running
        .until("connected", async || {
            running.status.get().link == Link::Connected
        })
        .await;
    running.queue.append(ts(400), rows(400, 20)).await.unwrap();
    running.drained().await;
    assert_eq!(
        number(
            &database,
            "select count(*) from collector.process_metrics_raw"
        )
        .await,
        401 * 20
    );
    assert_eq!(
        number(
            &database,
            "select count(distinct (start_ticks, pid)) from collector.process_metrics_raw"
        )
        .await,
        401 * 20
    );
    running.stop().await;
}

/// F5: the database was restored from an older copy. What the spool still has is delivered again,
/// the rest is a gap.
#[tokio::test]
async fn a_database_restored_from_an_older_copy_gets_what_there_is_and_notes_the_rest() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let running = start(dir.path(), database.target());
    running.queue.append(ts(0), rows(0, 5)).await.unwrap();
    running.drained().await;
    running.stop().await;
    database
        .sql("create table saved as select * from collector.spool_watermark")
        .await
        .unwrap();
    let running = start(dir.path(), database.target());
    for tick in 1..4 {
        running.queue.append(ts(tick), rows(tick, 5)).await.unwrap();
    }
    running.drained().await;
    running.stop().await;
    database
        .sql("delete from collector.process_samples where ts > (select min(ts) from collector.process_samples); delete from collector.system_metrics_raw where forks_total > 0; \
              delete from collector.collector_runs_raw where rows > 0; \
              update collector.spool_watermark w set seq = s.seq, progress = s.progress, last_ts = s.last_ts from saved s")
        .await
        .unwrap();
    let running = start(dir.path(), database.target());
    running.queue.append(ts(4), rows(4, 5)).await.unwrap();
    running.drained().await;
    running.stop().await;
    let stored = number(
        &database,
        "select count(distinct start_ticks) from collector.process_metrics_raw",
    )
    .await;
    let gaps = number(
        &database,
        "select coalesce(sum(count), 0) from collector.data_gaps where class = 'bulk'",
    )
    .await;
    assert_eq!(stored + gaps, 5, "{stored} stored, {gaps} in gaps");
    let doubles = "select count(*) from (select start_ticks, pid from collector.process_metrics_raw group by 1, 2 having count(*) > 1) d";
    assert_eq!(number(&database, doubles).await, 0);
}

/// P24: a newer schema is not written to.
#[tokio::test]
async fn p24_a_newer_schema_is_refused() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    database
        .sql("insert into collector.schema_migrations values (99, 'future', 'x')")
        .await
        .unwrap();
    let running = start(dir.path(), database.target());
    running.queue.append(ts(0), rows(0, 5)).await.unwrap();
    running
        .until("refused", async || {
            running.status.get().link == Link::Refused
        })
        .await;
    assert!(running.status.get().error.unwrap().contains("99"));
    assert_eq!(
        number(
            &database,
            "select count(*) from collector.system_metrics_raw"
        )
        .await,
        0
    );
    assert_eq!(
        number(&database, "select count(*) from collector.hosts").await,
        0
    );
    running.stop().await;
}

/// A fleet: the schema is migrated first, and collectors that know the version it is compatible with go on.
#[tokio::test]
async fn p24_a_newer_schema_that_only_adds_is_written_to() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let newer = format!(
        "alter table collector.system_metrics_raw add column of_the_future bigint default 1, add column unknown text; \
         create table collector.future_raw (ts timestamptz); \
         insert into collector.schema_migrations (version, name, sha256, compatible_from) \
         values (98, 'future', 'x', {wanted}), (99, 'far_future', 'y', {wanted})",
        wanted = store::migrations::wanted()
    );
    database.sql(&newer).await.unwrap();
    let running = start(dir.path(), database.target());
    running.queue.append(ts(0), rows(0, 5)).await.unwrap();
    running.drained().await;
    let stored = "select count(*) from collector.system_metrics_raw where of_the_future = 1";
    assert_eq!(number(&database, stored).await, 1);
    running.stop().await;
}

/// A machine that connects again and again keeps its number and uses up no other.
#[tokio::test]
async fn connecting_again_uses_up_no_number() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    for tick in 0..3 {
        let running = start(dir.path(), database.target());
        running.queue.append(ts(tick), rows(tick, 1)).await.unwrap();
        running.drained().await;
        running.stop().await;
    }
    assert_eq!(
        number(&database, "select max(host_id)::int8 from collector.hosts").await,
        1
    );
    let next = "select nextval(pg_get_serial_sequence('collector.hosts', 'host_id'))";
    assert_eq!(number(&database, next).await, 2);
}

/// Two agents may ask for the same days at once.
#[tokio::test]
async fn partitions_are_made_once_by_whoever_comes_first() {
    let database = database().await;
    let make = "select collector.ensure_partition('heartbeat', d::date) \
                from generate_series(date '2030-01-05', date '2030-01-08', interval '1 day') d";
    let patient = pg::SessionOptions {
        lock_timeout: std::time::Duration::from_secs(60),
        statement_timeout: std::time::Duration::from_secs(60),
        ..pg::SessionOptions::default()
    };
    let target = database.target();
    let runs = (0..6).map(|_| async {
        let session = pg::connect(&target, &patient, "test").await.unwrap();
        session.client.batch_execute(make).await
    });
    for run in futures_util::future::join_all(runs).await {
        run.unwrap();
    }
    let made = "select count(*) from pg_class where relname = 'heartbeat_20300107'";
    assert_eq!(number(&database, made).await, 1);
}

/// P16: a database that takes connections and stores nothing is asked less and less often. Its disk is full,
/// as far as the collector knows.
#[tokio::test]
async fn p16_a_database_that_stores_nothing_is_asked_less_and_less_often() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let running = start(dir.path(), database.target());
    running.queue.append(ts(0), rows(0, 5)).await.unwrap();
    running.drained().await;
    database
        .sql(
            "create function full_disk() returns trigger language plpgsql as $$ \
             begin raise exception 'no space left on device' using errcode = '53100'; end $$; \
             create trigger full_disk before update on collector.spool_watermark execute function full_disk()",
        )
        .await
        .unwrap();
    let began = std::time::Instant::now();
    running.queue.append(ts(1), rows(1, 5)).await.unwrap();
    running
        .until("the fourth session", async || {
            running.status.get().connections >= 4
        })
        .await;
    // Pauses of at least 0.5, 1 and 2 s.
    assert!(began.elapsed() >= std::time::Duration::from_millis(3_500));
    database
        .sql("drop trigger full_disk on collector.spool_watermark")
        .await
        .unwrap();
    running.drained().await;
    let stored = "select count(*) from collector.process_metrics_raw";
    assert_eq!(number(&database, stored).await, 10);
    running.stop().await;
}
