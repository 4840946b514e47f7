//! Collectors of earlier versions, as they were built then: on the newest schema, on the same queue as the newest collector one after
//! the other, and where they are refused.
//!
//! `TESTKIT_EARLIER_BIN` names the folders of their programs, separated by colons (`scripts/earlier-collector.sh` makes and prints them).
//! Without it these tests say so and end.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Agent, Home, number, settle_and_check, text};
use schema::tables::{CollectorRun, TrafficSample};
use schema::{Class, Sample, Timestamp};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use store::queue::Queue;
use store::spool::{Reader, Spool, SpoolOptions};
use testkit::{Database, Server, Stop, migrate};

/// What a collector that does not fit ends with: `EX_CONFIG` of sysexits(3).
const REFUSED: i32 = 78;

/// The programs of an earlier version.
struct Earlier {
    folder: PathBuf,
    /// The version of the schema that they know.
    knows: i32,
}

impl Earlier {
    /// Returns those that are named; each says itself what it knows, by the database that it migrates.
    async fn all() -> Vec<Self> {
        let named = std::env::var_os("TESTKIT_EARLIER_BIN").unwrap_or_default();
        let mut all = Vec::new();
        for folder in std::env::split_paths(&named).filter(|path| !path.as_os_str().is_empty()) {
            let (_database, knows) = migrated_by(&folder).await;
            println!("{} knows schema {knows}", folder.display());
            all.push(Self { folder, knows });
        }
        if all.is_empty() {
            println!("skipped: TESTKIT_EARLIER_BIN names no programs of earlier versions");
        }
        all
    }

    /// Returns those that the newest schema says it is compatible with, or the others.
    async fn compatible(is_compatible: bool) -> Vec<Self> {
        let database = common::database().await;
        let newest =
            "select compatible_from from collector.schema_migrations order by version desc limit 1";
        let floor = number(&database.target(), newest).await;
        let mut all = Self::all().await;
        let some = !all.is_empty();
        all.retain(|earlier| (i64::from(earlier.knows) >= floor) == is_compatible);
        if some && all.is_empty() {
            let what = if is_compatible {
                "of or after"
            } else {
                "before"
            };
            println!("skipped: none of the earlier versions is {what} schema {floor}");
        }
        all
    }

    fn collector(&self) -> PathBuf {
        self.folder.join("pqcrypta-collector")
    }
}

/// Runs `pqcrypta migrate` of a folder on a database.
fn run_migrate(folder: &Path, target: &pg::Target) {
    let pg::Host::Socket(host) = &target.host else {
        panic!("the test's server is not on a socket");
    };
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("collector.toml");
    let text = format!(
        "[database]\nhost = \"{}\"\nport = {}\nname = \"{}\"\nuser = \"{}\"\n",
        host.display(),
        target.port,
        target.database,
        target.user
    );
    fs::write(&config, text).unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).unwrap();
    let ran = Command::new(folder.join("pqcrypta"))
        .args(["migrate", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}: {ran:?}", folder.display());
}

/// Returns a database that the programs of a folder have migrated, and the version of its schema.
async fn migrated_by(folder: &Path) -> (Database, i32) {
    let database = testkit::database("bare", async |_| Ok::<(), String>(()))
        .await
        .unwrap();
    run_migrate(folder, &database.target());
    let version = "select max(version) from collector.schema_migrations";
    let version = number(&database.target(), version).await;
    (database, i32::try_from(version).unwrap())
}

/// The folder of the newest programs.
fn newest() -> PathBuf {
    let collector = Path::new(env!("CARGO_BIN_EXE_pqcrypta-collector"));
    collector.parent().unwrap().to_owned()
}

/// Returns the number of the newest record of the host's ticks in the queue, whether it is delivered or not.
fn newest_record(home: &Home) -> u64 {
    let records = Reader::open_readonly(&home.queue()).into_iter().flatten();
    let ticks = records.filter(|(class, _)| *class == Class::Core);
    ticks.map(|(_, record)| record.lsn).max().unwrap_or(0)
}

/// Waits until so many more records are in the queue.
async fn wait_for_records(home: &Home, agent: &mut Agent, more: u64) {
    let before = newest_record(home);
    agent
        .until("ticks are queued", async || {
            newest_record(home) >= before + more
        })
        .await;
}

/// Waits until something of each kind has arrived after an instant: host, processes, PostgreSQL, log lines, a heartbeat.
async fn wait_for_rows(agent: &mut Agent, target: &pg::Target) {
    let since = text(target, "select clock_timestamp()").await;
    for (what, rows) in [
        ("the host", "collector.system_metrics_raw where ts"),
        ("processes", "collector.process_metrics_raw where ts"),
        ("PostgreSQL", "collector.db_metrics_raw where up and ts"),
        ("lines", "collector.log_entries where source = 'app' and ts"),
        ("the collector", "collector.heartbeat where ts"),
    ] {
        let rows = format!("select count(*) from {rows} > '{since}'");
        agent
            .until(what, async || number(target, &rows).await > 1)
            .await;
    }
}

/// Every file of the queue with its content.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut contents(&path));
        } else {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    found
}

/// An upgrade in place and back, on the newest schema, with rows that wait each time.
#[tokio::test]
async fn an_earlier_collector_and_the_newest_take_over_from_each_other() {
    for earlier in Earlier::compatible(true).await {
        let server = Server::builder().start().unwrap();
        let target = server.target();
        migrate(&target).await.unwrap();
        let home = Home::new(&target);
        let mut agent = home.start_program(&earlier.collector());
        wait_for_rows(&mut agent, &target).await;

        // Up: what the earlier one queued while the database was away is delivered by the newest.
        server.stop(Stop::Fast).unwrap();
        wait_for_records(&home, &mut agent, 4).await;
        let (status, _) = agent.terminate();
        assert!(status.success(), "{status}");
        let mut agent = home.start();
        wait_for_records(&home, &mut agent, 4).await;
        server.start().unwrap();
        wait_for_rows(&mut agent, &target).await;

        // Back: it goes on with the queue of the newest, or leaves it as it is.
        server.stop(Stop::Fast).unwrap();
        wait_for_records(&home, &mut agent, 4).await;
        let (status, _) = agent.terminate();
        assert!(status.success(), "{status}");
        queue_rows_of_a_newer_table(&home).await;
        let before = contents(&home.queue());
        let mut agent = home.start_program(&earlier.collector());
        if goes_on(&home, &mut agent).await {
            server.start().unwrap();
            wait_for_rows(&mut agent, &target).await;
            if earlier.knows < FIRST_OF_TRAFFIC {
                agent
                    .until("what it does not know is kept", async || {
                        number(&target, DEAD_LETTERS).await == 1
                    })
                    .await;
            }
            agent.kill();
        } else {
            let status = agent.wait(Duration::from_secs(1));
            assert!(!status.success(), "{}", agent.log());
            assert!(agent.log().contains("has spool format"), "{}", agent.log());
            assert_untouched(&home, &before);
            server.start().unwrap();
        }
        settle_and_check(&home, &target).await;
        let lost = "select count(*) from collector.data_gaps";
        assert_eq!(number(&target, lost).await, 0, "nothing is lost");
        assert_eq!(number(&target, DEAD_LETTERS).await, 0, "no row is refused");
        let newer = "select count(*) from collector.traffic_samples_raw";
        assert_eq!(number(&target, newer).await, 1, "once");
    }
}

const DEAD_LETTERS: &str = "select count(*) from collector.dead_letter";

/// Queues a record as the newest collector does, with a row of a table that an earlier one may not know, beside one that it does.
async fn queue_rows_of_a_newer_table(home: &Home) {
    let spool = Spool::open(&home.queue(), SpoolOptions::with_budget(64 << 20)).unwrap();
    let ts = Timestamp(i64::try_from(common::clock::Utc::now().secs * 1_000_000).unwrap());
    let traffic = TrafficSample {
        site: "example.org".into(),
        ..TrafficSample::default()
    };
    // Counted as the row of this record.
    let run = CollectorRun {
        collector: "upkeep".into(),
        outcome: "ok".into(),
        ..CollectorRun::default()
    };
    let rows = vec![traffic.into_row(ts), run.into_row(ts)];
    Queue::new(spool).append(ts, rows).await.unwrap();
}

/// Waits until a collector queues ticks; `false` when it ends instead.
async fn goes_on(home: &Home, agent: &mut Agent) -> bool {
    let before = newest_record(home);
    for _ in 0..600 {
        if agent.child.try_wait().unwrap().is_some() {
            return false;
        }
        if newest_record(home) >= before + 4 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("neither goes on nor ends:\n{}", agent.log());
}

/// Asserts that a refused queue is as it was, but for the lock, which names the process that had it last.
fn assert_untouched(home: &Home, before: &BTreeMap<PathBuf, Vec<u8>>) {
    let lock = home.queue().join("lock");
    let files = |all: &BTreeMap<PathBuf, Vec<u8>>| {
        let files = all.iter().filter(|(path, _)| **path != lock);
        files
            .map(|(path, bytes)| (path.clone(), bytes.clone()))
            .collect::<Vec<_>>()
    };
    let after = contents(&home.queue());
    let names = |all: &BTreeMap<PathBuf, Vec<u8>>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(before), names(&after));
    assert!(
        files(before) == files(&after),
        "a file of the queue was changed"
    );
}

/// One that the schema is no longer compatible with keeps its rows in the queue, says what to do, and the newest delivers them.
#[tokio::test]
async fn a_collector_that_the_schema_has_left_behind_writes_nothing_and_keeps_its_rows() {
    for earlier in Earlier::compatible(false).await {
        let database = common::database().await;
        let target = database.target();
        let home = Home::new(&target);
        let mut agent = home.start_program(&earlier.collector());
        let log = home.dir.path().join("log");
        agent
            .until("it names the remedy", async || {
                fs::read_to_string(&log)
                    .unwrap()
                    .contains("install the newer program")
            })
            .await;
        wait_for_records(&home, &mut agent, 4).await;
        for table in ["hosts", "system_metrics_raw", "log_entries", "heartbeat"] {
            let rows = format!("select count(*) from collector.{table}");
            assert_eq!(number(&target, &rows).await, 0, "{table}");
        }
        let waiting = newest_record(&home);
        let (status, _) = agent.terminate();
        assert!(status.success(), "{status}");
        settle_and_check(&home, &target).await;
        let stored = "select count(*) from collector.system_metrics_raw";
        assert!(
            number(&target, stored).await as u64 > waiting / 4,
            "what waited was delivered"
        );
        assert_eq!(
            number(&target, "select count(*) from collector.data_gaps").await,
            0
        );
    }
}

/// Programs are upgraded before the schema: the newest collector queues, says what is missing, and all arrives after it.
#[tokio::test]
async fn the_newest_collector_waits_for_the_migration_of_an_earlier_schema() {
    for earlier in Earlier::all().await {
        let (database, knows) = migrated_by(&earlier.folder).await;
        assert!(knows < store::migrations::wanted(), "not an earlier schema");
        let target = database.target();
        let home = Home::new(&target);
        let mut agent = home.start_program(&earlier.collector());
        wait_for_rows(&mut agent, &target).await;
        let (status, _) = agent.terminate();
        assert!(status.success(), "{status}");
        common::wait_for_sessions(&target).await;
        let stored = "select count(*) from collector.system_metrics_raw";
        let before = number(&target, stored).await;

        let mut agent = home.start();
        let log = home.dir.path().join("log");
        let remedy = format!(
            "the database has schema version {knows} and this program needs {}: run `pqcrypta migrate`",
            store::migrations::wanted()
        );
        agent
            .until("it names the remedy", async || {
                fs::read_to_string(&log).unwrap().contains(&remedy)
            })
            .await;
        wait_for_records(&home, &mut agent, 4).await;
        assert_eq!(number(&target, stored).await, before, "nothing is written");
        run_migrate(&newest(), &target);
        wait_for_rows(&mut agent, &target).await;
        let (status, _) = agent.terminate();
        assert!(status.success(), "{status}");
        settle_and_check(&home, &target).await;
        assert_eq!(
            number(&target, "select count(*) from collector.data_gaps").await,
            0
        );
    }
}

/// A queue that a newer version wrote: this version ends with 78, as the earlier ones do, leaves it as it is, and who knows the format goes
/// on. Before schema 49 the status was that of any other error, so that a service manager tried again.
#[tokio::test]
async fn a_queue_of_a_newer_format_is_refused_and_left_as_it_is() {
    let server = Server::builder().start().unwrap();
    let target = server.target();
    migrate(&target).await.unwrap();
    let home = Home::new(&target);
    let mut agent = home.start();
    wait_for_rows(&mut agent, &target).await;
    server.stop(Stop::Fast).unwrap();
    wait_for_records(&home, &mut agent, 4).await;
    agent.kill();
    let original = contents(&home.queue());
    let segment = original
        .keys()
        .rfind(|path| path.parent().is_some_and(|dir| dir.ends_with("core")))
        .unwrap();
    let newer = testkit::of_format(&original[segment], NEWER).unwrap();
    fs::write(segment, newer).unwrap();
    let before = contents(&home.queue());
    let earlier = Earlier::all().await;
    let others = earlier.iter().map(|one| (one.collector(), one.knows));
    let this = newest().join("pqcrypta-collector");
    let this = (this, store::migrations::wanted());
    for (program, knows) in std::iter::once(this).chain(others) {
        let mut agent = home.start_program(&program);
        let status = agent.wait(Duration::from_secs(20));
        let log = agent.log();
        let expected = if knows < 49 { 1 } else { REFUSED };
        assert_eq!(
            status.code(),
            Some(expected),
            "{}: {log}",
            program.display()
        );
        let named = format!("{} has spool format {NEWER}", segment.display());
        assert!(log.contains(&named), "{named} is not in\n{log}");
        assert_untouched(&home, &before);
    }
    fs::write(segment, &original[segment]).unwrap();
    server.start().unwrap();
    settle_and_check(&home, &target).await;
}

/// A format that nobody knows yet.
const NEWER: u32 = 4_000_000_000;

/// What an earlier collector rolls up, which lacks what is newer, is taken again by the newest: the same as before.
#[tokio::test]
async fn hours_that_an_earlier_collector_rolled_up_are_whole_again_after_the_upgrade() {
    for earlier in Earlier::compatible(true).await {
        let database = common::database().await;
        let target = database.target();
        let home = Home::new(&target);
        let mut agent = home.start();
        wait_for_rows(&mut agent, &target).await;
        stop(agent, &target).await;
        // An hour of the past, with samples that only the newer one knows.
        let begin = text(
            &target,
            "select (date_bin('1 hour', now(), 'epoch'::timestamptz) - interval '5 hours')::text",
        )
        .await;
        let change = format!(
            "insert into collector.changed_hours (host_id, bucket) select host_id, '{begin}' from collector.hosts"
        );
        database
            .sql(&format!(
                "select collector.ensure_partition(name, day) \
                 from unnest(array['system_metrics_raw', 'traffic_samples_raw']) name, unnest(array[null, '{begin}'::date]) day; \
                 insert into collector.system_metrics_raw (ts, host_id, load_1) \
                 select '{begin}'::timestamptz + n * interval '1 minute', host_id, n % 7 from collector.hosts, generate_series(0, 59) n; \
                 insert into collector.traffic_samples_raw (ts, host_id, site, views, visitors_live, refused) \
                 select '{begin}'::timestamptz + n * interval '1 minute', host_id, 'example.org', n, n, 0 \
                 from collector.hosts, generate_series(0, 59) n; {change}"
            ))
            .await
            .unwrap();
        let waits = "select count(*) from collector.changed_hours";
        let is_whole = format!(
            "select count(*) from collector.rollups \
             where grain = 'hour' and bucket = '{begin}' and whole_version = version and summed_version = version"
        );
        let hours = format!(
            "select coalesce(jsonb_agg(to_jsonb(m) order by m.metric, m.key)::text, '') \
             from collector.metrics_hourly m where bucket = '{begin}'"
        );
        let mut agent = home.start();
        agent
            .until("the hour is rolled up", async || {
                number(&target, &is_whole).await == 1
            })
            .await;
        stop(agent, &target).await;
        let whole = text(&target, &hours).await;
        assert!(
            whole.contains("traffic.") && whole.contains("system.load_1"),
            "{whole}"
        );

        // Whose turn it was is over.
        let late = format!("delete from collector.store_tasks; {change}");
        database.sql(&late).await.unwrap();
        let mut agent = home.start_program(&earlier.collector());
        agent
            .until("the earlier one rolls it up", async || {
                number(&target, waits).await == 0
            })
            .await;
        stop(agent, &target).await;
        assert_eq!(number(&target, &is_whole).await, 0, "it is not whole");
        if earlier.knows < FIRST_OF_TRAFFIC {
            let left = text(&target, &hours).await;
            assert!(!left.contains("traffic."), "{left}");
        }

        let mut agent = home.start();
        agent
            .until("it is whole again", async || {
                number(&target, &is_whole).await == 1
            })
            .await;
        stop(agent, &target).await;
        assert_eq!(text(&target, &hours).await, whole);
    }
}

/// The first schema with samples of traffic.
const FIRST_OF_TRAFFIC: i32 = 41;

/// Ends a collector in order, and waits until the server knows.
async fn stop(agent: Agent, target: &pg::Target) {
    let (status, _) = agent.terminate();
    assert!(status.success(), "{status}");
    common::wait_for_sessions(target).await;
}
