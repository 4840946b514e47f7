//! A migrated database, a spool and a writer, for the tests of delivery.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "shared by test files, each of which uses a part"
)]

use schema::tables::{CollectorRun, ProcessSample, SystemSample};
use schema::{Row, Sample, Timestamp};
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::expiry::Retention;
use store::queue::Queue;
use store::spool::{self, Spool};
use store::status::SharedStatus;
use store::writer::{Agent, Clock, Host, Writer, WriterOptions};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The instant at which the tests of this process began; ticks are counted from it.
pub fn base() -> i64 {
    static BASE: LazyLock<i64> = LazyLock::new(|| clock().as_micros());
    *BASE
}

/// Returns a migrated database for one test.
pub async fn database() -> testkit::Database {
    testkit::migrated().await.unwrap()
}

/// The clock of the machine, which is the server's, too.
#[expect(
    clippy::disallowed_methods,
    reason = "the server under test has no other clock"
)]
pub fn clock() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(now.as_micros()).unwrap())
}

pub fn ts(tick: i64) -> Timestamp {
    Timestamp(base() + tick * 10_000_000)
}

/// The rows of a tick: one of the host, `processes` of processes, one of a run; numbered so that
/// SQL can count what is missing or there twice.
pub fn rows(tick: i64, processes: i32) -> Vec<Row> {
    let mut rows = vec![
        SystemSample {
            cpu_user: Some(1.5),
            forks_total: Some(tick),
            ..SystemSample::default()
        }
        .into_row(ts(tick)),
        CollectorRun {
            collector: "test".into(),
            outcome: "ok".into(),
            rows: tick,
            ..CollectorRun::default()
        }
        .into_row(ts(tick)),
    ];
    for pid in 0..processes {
        let sample = ProcessSample {
            process_count: 1,
            process_name: format!("process {pid}"),
            pid,
            start_ticks: tick,
            state: "S".into(),
            ..ProcessSample::default()
        };
        rows.push(sample.into_row(ts(tick)));
    }
    rows
}

/// Opens it; one that was just let go of may still finish what it is writing on a blocking thread.
pub fn open_spool(dir: &Path) -> Spool {
    for _ in 0..1000 {
        match Spool::open(dir, spool::SpoolOptions::with_budget(100 << 20)) {
            Err(spool::SpoolError::Busy { .. }) => std::thread::sleep(Duration::from_millis(10)),
            opened => return opened.unwrap(),
        }
    }
    panic!("the spool stays in use");
}

/// What a host asks for unless a test has other ideas.
pub const RETENTION: Retention = Retention {
    raw_days: 14,
    hourly_days: 90,
    long_days: 365,
    log_days: 7,
    event_days: 30,
    max_bytes: None,
};

/// A writer that runs.
pub struct Running {
    pub queue: Queue,
    pub status: SharedStatus,
    pub stop: watch::Sender<bool>,
    pub standby: watch::Receiver<bool>,
    pub task: JoinHandle<()>,
    pub options: watch::Sender<WriterOptions>,
    _settings: watch::Sender<String>,
}

pub fn start(dir: &Path, target: pg::Target) -> Running {
    start_for(dir, target, "machine-1")
}

pub fn start_for(dir: &Path, target: pg::Target, machine: &str) -> Running {
    start_with(dir, target, machine, RETENTION, clock)
}

pub fn start_with(
    dir: &Path,
    target: pg::Target,
    machine: &str,
    retention: Retention,
    clock: Clock,
) -> Running {
    let host = Host {
        machine_id: machine.into(),
        hostname: "host".into(),
        ..Host::default()
    };
    start_on(dir, target, host, retention, clock)
}

/// Starts a writer on this machine.
pub fn start_on(
    dir: &Path,
    target: pg::Target,
    host: Host,
    retention: Retention,
    clock: Clock,
) -> Running {
    let spool = open_spool(dir);
    let writer_id = spool.writer();
    let queue = Queue::new(spool);
    let status = SharedStatus::default();
    let (stop, stop_seen) = watch::channel(false);
    let (standby, standby_seen) = watch::channel(false);
    let (settings, settings_seen) = watch::channel("{}".to_owned());
    let (options, options_seen) = watch::channel(WriterOptions {
        deadline: Duration::from_secs(10),
        batch_records: 50,
        heartbeat: Duration::from_secs(5),
        retention,
    });
    let writer = Writer {
        queue: queue.clone(),
        target,
        session: pg::SessionOptions {
            lock_timeout: Duration::from_millis(500),
            ..pg::SessionOptions::default()
        },
        host,
        agent: Agent {
            writer: writer_id,
            run_id: Uuid::new_v4(),
            pid: 1,
            version: "test".into(),
            // The ticks of a test count from here, however long it waited for its database.
            started_at: ts(0),
            settings: settings_seen,
        },
        options: options_seen,
        status: status.clone(),
        standby,
        stop: stop_seen,
        clock,
    };
    let task = tokio::spawn(writer.run());
    Running {
        queue,
        status,
        stop,
        standby: standby_seen,
        task,
        options,
        _settings: settings,
    }
}

impl Running {
    /// Waits until nothing waits.
    pub async fn drained(&self) {
        self.until("everything is delivered", async || {
            self.queue.depth().await.records == 0
        })
        .await;
    }

    /// Waits until something holds; fails after a minute.
    pub async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        for _ in 0..1_200 {
            if holds().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "not within a minute: {what}; {:?}; {:?}",
            self.status.get(),
            self.queue.depth().await
        );
    }

    /// Stops in order.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }

    /// Ends as by kill -9: nothing is delivered or closed in order.
    pub async fn kill(self) {
        self.task.abort();
        self.task.await.ok();
    }
}

/// One number from the database.
pub async fn number(database: &testkit::Database, sql: &str) -> i64 {
    database.number(sql).await.unwrap()
}
