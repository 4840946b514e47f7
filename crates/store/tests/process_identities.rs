//! What identifies processes is stored once, and reads as if it stood in every sample.

mod common;

use common::{base, database, number, start, start_for, ts};
use schema::tables::ProcessSample;
use schema::{Row, Sample};
use store::migrations::MIGRATIONS;
use tempfile::TempDir;

/// The columns of before in their order, the uptime in milliseconds.
const COLUMNS: &str = "ts, host_id, process_name, pid, start_ticks, cpu_pct, rss_bytes, vsz_bytes, fd_count, fd_limit, \
    thread_count, state, round(uptime_secs::numeric, 3), read_bytes_total, write_bytes_total, parent_pid, unit, uid, \
    watched, process_count";

fn processes(tick: i64, change: impl Fn(&mut ProcessSample)) -> Vec<Row> {
    let process = |pid: i32| {
        let mut sample = ProcessSample {
            process_name: format!("process {pid}"),
            pid,
            start_ticks: 100 + i64::from(pid),
            uptime_secs: 5000.0 + (tick * 10) as f64,
            rss_bytes: tick,
            state: "S".into(),
            unit: Some("a.service".into()),
            process_count: 1,
            ..ProcessSample::default()
        };
        change(&mut sample);
        sample.into_row(ts(tick))
    };
    (1..=5).map(process).collect()
}

const IDENTITIES: &str = "select count(*) from collector.process_identities";
const NAMED: &str = "select count(*) from collector.process_metrics_raw";

#[tokio::test]
async fn an_identity_is_stored_once_for_each_host_and_change() {
    let (database, dir, other) = (
        database().await,
        TempDir::new().unwrap(),
        TempDir::new().unwrap(),
    );
    // Days may change while it runs.
    let days = "select count(distinct ts::date) from collector.process_samples";
    for life in 0..3 {
        let running = start(dir.path(), database.target());
        for tick in 3 * life..3 * life + 3 {
            let rows = processes(tick, |_| ());
            running.queue.append(ts(tick), rows).await.unwrap();
        }
        running.drained().await;
        running.stop().await;
    }
    let each = number(&database, days).await;
    assert_eq!(number(&database, IDENTITIES).await, 5 * each);
    assert_eq!(number(&database, NAMED).await, 45);

    let running = start_for(other.path(), database.target(), "machine-2");
    let rows = processes(0, |_| ());
    running.queue.append(ts(0), rows).await.unwrap();
    let moved = processes(1, |one| {
        if one.pid == 3 {
            one.unit = None;
        }
    });
    running.queue.append(ts(1), moved).await.unwrap();
    running.drained().await;
    running.stop().await;
    let second = "select count(*) from collector.process_metrics_raw where unit is not null \
                  and host_id = (select host_id from collector.hosts where machine_id = 'machine-2')";
    assert_eq!(number(&database, second).await, 9);
    assert_eq!(number(&database, NAMED).await, 55);
}

/// Samples do not wait for the identities; once these are stored, the samples have their names.
#[tokio::test]
async fn samples_get_their_names_when_the_identities_follow() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let running = start(dir.path(), database.target());
    let rows = processes(0, |_| ());
    running.queue.append(ts(0), rows).await.unwrap();
    running.drained().await;
    let lock = "LOCK TABLE collector.process_identities IN SHARE MODE";
    let locker = testkit::hold(&database.target(), lock).await.unwrap();
    for tick in 1..3 {
        let rows = processes(tick, |one| one.process_name.push_str(" renamed"));
        running.queue.append(ts(tick), rows).await.unwrap();
    }
    running
        .until("the samples are stored", async || {
            number(&database, "select count(*) from collector.process_samples").await == 15
        })
        .await;
    assert_eq!(number(&database, NAMED).await, 5);
    locker.client.batch_execute("COMMIT").await.unwrap();
    running.drained().await;
    assert_eq!(number(&database, NAMED).await, 15);
    running.stop().await;
}

/// A database of the version before is converted: no row and no value is lost, and what a table did not take is
/// owed by those that replace it.
#[tokio::test]
async fn rows_of_before_are_converted() {
    let database = testkit::database("store-before", async |target| {
        let session = pg::connect(&target, &pg::SessionOptions::default(), "test")
            .await
            .map_err(|error| error.to_string())?;
        let before: Vec<_> = MIGRATIONS.iter().filter(|one| one.version < 11).collect();
        let mut sql = "CREATE SCHEMA collector; CREATE TABLE collector.schema_migrations (version integer PRIMARY KEY, \
                       name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"
            .to_owned();
        for one in before {
            sql.push_str(one.sql);
            sql.push_str(&format!(
                ";INSERT INTO collector.schema_migrations VALUES ({}, '{}', '{}');",
                one.version,
                one.name,
                one.sha256()
            ));
        }
        let done = session.client.batch_execute(&sql).await;
        done.map_err(|error| format!("{error:?}"))
    })
    .await
    .unwrap();
    let at = format!("to_timestamp({}::float8 / 1e6)", base());
    let fill = format!(
        "insert into collector.hosts (machine_id, hostname) values ('a', 'a'), ('b', 'b');
         insert into collector.spool_watermark (host_id, writer, seq, progress) values (1, gen_random_uuid(), 7, \
             '{{\"bulk\": {{\"delivered\": [[1, 9]], \"owed\": {{\"process_metrics_raw\": [[3, 4]]}}}}, \
               \"core\": {{\"delivered\": [[1, 2]]}}}}');
         select collector.ensure_partition('process_metrics_raw', d) from unnest(array[null, {at}::date, {at}::date - 1]) d;
         insert into collector.process_metrics_raw
         select {at} - i * interval '7 hours', h, 'name ' || p % 7, p, p * 3, nullif(p, 3) * 1.1, p * 4096, 1::bigint << 46,
                nullif(p, 4), nullif(p, 5), p, case p % 3 when 0 then 'S' when 1 then 'D' else 'Z' end, nullif(p, 6) * 1000.25 + i,
                nullif(p, 7), nullif(p, 8), 1, nullif('unit ' || p % 5, 'unit 0'), nullif(p, 9), p % 2 = 0, p
         from generate_series(0, 20) i, generate_series(1, 30) p, generate_series(1, 2) h where p <> 6"
    );
    database.sql(&fill).await.unwrap();
    let rows =
        format!("select {COLUMNS} from collector.process_metrics_raw order by ts, host_id, pid");
    let before = database.sql(&rows).await.unwrap();
    assert_eq!(before.len(), 21 * 29 * 2);
    testkit::migrate(&database.target()).await.unwrap();
    assert_eq!(database.sql(&rows).await.unwrap(), before);
    let owed = "select (progress #>> '{bulk,owed,process_samples}') || (progress #>> '{bulk,owed,process_identities}') \
                || (progress #>> '{core,delivered}') from collector.spool_watermark";
    let owed = database.sql(owed).await.unwrap();
    assert_eq!(owed[0][0].as_deref(), Some("[[3, 4]][[3, 4]][[1, 2]]"));
}
