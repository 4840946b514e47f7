//! Delivers rows of a generated host to a database as a collector does: through a queue on disk and the writer.

use schema::{Row, Timestamp};
use std::path::Path;
use std::time::Duration;
use store::expiry::Retention;
use store::queue::Queue;
use store::spool::{Spool, SpoolOptions};
use store::status::SharedStatus;
use store::writer::{Agent, Host, Writer, WriterOptions};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Retention as it is configured by default, days.
pub(crate) const HOURLY_DAYS: i32 = 90;
pub(crate) const DAILY_DAYS: i32 = 365;
/// Records that wait for delivery at most: some hours of ticks.
const MOST_WAITING: u64 = 2000;
/// Ticks that are queued together.
const CHUNK: usize = 60;

/// A queue with its writer.
pub(crate) struct Delivery {
    queue: Queue,
    chunk: Vec<(Timestamp, Vec<Row>)>,
    stop: watch::Sender<bool>,
    // The writer ends when the other side of one of these does.
    _kept: (
        watch::Sender<bool>,
        watch::Sender<String>,
        watch::Sender<WriterOptions>,
    ),
    writing: JoinHandle<()>,
}

impl Delivery {
    /// Begins to deliver to `target` on behalf of `host`, whose collector was started at `begin` with these settings; `folder`
    /// takes the queue.
    pub(crate) fn start(
        folder: &Path,
        target: pg::Target,
        host: Host,
        begin: Timestamp,
        settings: String,
    ) -> anyhow::Result<Self> {
        let spool = Spool::open(folder, SpoolOptions::with_budget(4 << 30))?;
        let id = spool.writer();
        let queue = Queue::new(spool);
        let (stop, stop_seen) = watch::channel(false);
        let (standby, _) = watch::channel(false);
        let (settings, settings_seen) = watch::channel(settings);
        let (options, options_seen) = watch::channel(WriterOptions {
            deadline: Duration::from_secs(60),
            batch_records: 200,
            heartbeat: Duration::from_secs(5),
            retention: Retention {
                raw_days: 14,
                hourly_days: HOURLY_DAYS,
                long_days: DAILY_DAYS,
                log_days: 7,
                event_days: 30,
                max_bytes: None,
            },
        });
        let writer = Writer {
            queue: queue.clone(),
            target,
            session: pg::SessionOptions::for_deadline(Duration::from_secs(60)),
            host,
            agent: Agent {
                writer: id,
                run_id: id,
                pid: 1,
                version: "bench".to_owned(),
                started_at: begin,
                settings: settings_seen,
            },
            options: options_seen,
            status: SharedStatus::default(),
            standby: standby.clone(),
            stop: stop_seen,
            clock: now,
        };
        Ok(Self {
            queue,
            chunk: Vec::new(),
            stop,
            _kept: (standby, settings, options),
            writing: tokio::spawn(writer.run()),
        })
    }

    /// Queues the rows of a tick, soon; waits while too many wait.
    pub(crate) async fn add(&mut self, at: Timestamp, rows: Vec<Row>) -> anyhow::Result<()> {
        self.chunk.push((at, rows));
        if self.chunk.len() < CHUNK {
            return Ok(());
        }
        self.queue
            .append_all(std::mem::take(&mut self.chunk))
            .await?;
        self.wait(MOST_WAITING).await;
        Ok(())
    }

    /// Waits until everything is stored.
    pub(crate) async fn settle(&mut self) -> anyhow::Result<()> {
        if !self.chunk.is_empty() {
            self.queue
                .append_all(std::mem::take(&mut self.chunk))
                .await?;
        }
        self.wait(0).await;
        Ok(())
    }

    /// Stores what waits, and ends.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        self.settle().await?;
        self.stop.send_replace(true);
        Ok(self.writing.await?)
    }

    async fn wait(&self, most: u64) {
        while self.queue.depth().await.records > most {
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Returns the present.
pub(crate) fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}
