//! Services beside the host: PostgreSQL servers and applications.
//!
//! Each service has its own task, so that one that does not answer does not delay the others. A tick gives
//! every task an order. Answers within [`GRACE`] become durable in one append, together with the rows of the host
//! ([`group_append`](crate::group_append)); a straggler appends its own rows when it has them. A service that is
//! still busy with an earlier tick is left alone, which a row reports. What changes slowly is queried every `slow`
//! after the fast queries of the same tick.

use crate::group_append::{GRACE, GroupAppend};
use collect::Moment;
use schema::tables::CollectorRun;
use schema::{Row, Sample, Timestamp};
use std::time::Duration;
use store::spool::SpoolError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// Something that is sampled over the network or a socket.
pub(crate) trait Service: Send + 'static {
    /// Returns its name in `collector_runs_raw.collector`.
    fn name(&self) -> String;
    /// Collects what every tick needs.
    fn fast(&mut self, at: &Moment, out: &mut Vec<Row>) -> impl Future<Output = ()> + Send;
    /// Collects what changes slowly.
    fn slow(&mut self, at: &Moment, out: &mut Vec<Row>) -> impl Future<Output = ()> + Send;
    /// Closes its connection.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// A request to a service to take a tick.
struct Order {
    at: Moment,
    slow: Duration,
    rows: oneshot::Sender<Vec<Row>>,
}

struct Worker {
    name: String,
    orders: mpsc::Sender<Order>,
    task: JoinHandle<()>,
}

/// Every service of the configuration.
pub(crate) struct Services {
    workers: Vec<Worker>,
    group: GroupAppend,
    started: Instant,
}

impl Services {
    /// Begins without services; their rows become durable with those of this group.
    pub(crate) fn new(group: GroupAppend) -> Self {
        Self {
            workers: Vec::new(),
            group,
            started: Instant::now(),
        }
    }

    /// Samples this service from the next tick on.
    pub(crate) fn add(&mut self, service: impl Service) {
        let (orders, received) = mpsc::channel(1);
        self.workers.push(Worker {
            name: service.name(),
            orders,
            task: tokio::spawn(work(service, received, self.group.clone())),
        });
    }

    /// Takes one tick at `ts`; slow queries are due again after `slow`.
    pub(crate) async fn tick(&mut self, ts: Timestamp, slow: Duration) {
        let at = Moment {
            ts,
            monotonic: self.started.elapsed(),
        };
        let member = self.group.join();
        let mut rows = Vec::new();
        let mut waiting = Vec::with_capacity(self.workers.len());
        for worker in &self.workers {
            let (sender, receiver) = oneshot::channel();
            let order = Order {
                at,
                slow,
                rows: sender,
            };
            match worker.orders.try_send(order) {
                Ok(()) => waiting.push(receiver),
                Err(_) => rows.push(busy(&worker.name, ts)),
            }
        }
        for receiver in waiting {
            // Those that are late, or died, are not waited for.
            if let Ok(Ok(mut given)) = timeout_at(member.until(), receiver).await {
                rows.append(&mut given);
            }
        }
        if let Err(error) = member.append(ts, rows).await.durability {
            report_refusal(&error);
        }
    }

    /// Ends every service and begins with those that `add` adds.
    pub(crate) async fn replace(&mut self, add: impl FnOnce(&mut Self)) {
        end(std::mem::take(&mut self.workers)).await;
        add(self);
    }

    /// Ends every service.
    pub(crate) async fn close(self) {
        end(self.workers).await;
    }
}

/// Ends these tasks. One that waits for an answer is cut off after [`GRACE`]; only the tick that has not ended
/// is missing then.
async fn end(workers: Vec<Worker>) {
    let until = Instant::now() + GRACE;
    let mut tasks = Vec::with_capacity(workers.len());
    for worker in workers {
        drop(worker.orders);
        tasks.push(worker.task);
    }
    for mut task in tasks {
        if timeout_at(until, &mut task).await.is_err() {
            task.abort();
        }
    }
}

/// Takes orders until there are no more.
async fn work(mut service: impl Service, mut orders: mpsc::Receiver<Order>, group: GroupAppend) {
    let mut slow_after = None;
    while let Some(order) = orders.recv().await {
        if order.rows.is_closed() {
            // It lay there while an earlier tick took its time; its instant is past.
            append(
                &group,
                order.at.ts,
                vec![busy(&service.name(), order.at.ts)],
            )
            .await;
            continue;
        }
        let mut rows = Vec::new();
        service.fast(&order.at, &mut rows).await;
        // The tick no longer waits for them.
        if let Err(rows) = order.rows.send(rows) {
            append(&group, order.at.ts, rows).await;
        }
        if slow_after.is_none_or(|due| order.at.monotonic >= due) {
            // Half a second early is in time: ticks are not exact.
            let next = order.at.monotonic + order.slow;
            slow_after = Some(next.saturating_sub(GRACE));
            let mut rows = Vec::new();
            service.slow(&order.at, &mut rows).await;
            append(&group, order.at.ts, rows).await;
        }
    }
    service.close().await;
}

/// Returns the row about a tick that found a service busy.
fn busy(name: &str, ts: Timestamp) -> Row {
    CollectorRun {
        collector: name.to_owned(),
        outcome: "timeout".to_owned(),
        duration_ms: 0.0,
        rows: 0,
        error: Some("still busy with an earlier tick".to_owned()),
    }
    .into_row(ts)
}

/// Appends rows outside the group of their tick.
async fn append(group: &GroupAppend, ts: Timestamp, rows: Vec<Row>) {
    if rows.is_empty() {
        return;
    }
    if let Err(error) = group.append_alone(ts, rows).await {
        report_refusal(&error);
    }
}

fn report_refusal(error: &SpoolError) {
    tracing::error!(%error, "the spool refused the samples of services");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Findings;
    use schema::tables::{ApiSample, TargetSample};
    use store::queue::Queue;
    use store::spool::{self, Spool};
    use tempfile::TempDir;

    const SLOW: Duration = Duration::from_secs(300);

    /// Answers after `takes`: a target sample when asked fast, one of an API when asked slowly.
    struct Stub {
        takes: Duration,
    }

    impl Service for Stub {
        fn name(&self) -> String {
            "stub".to_owned()
        }

        async fn fast(&mut self, at: &Moment, out: &mut Vec<Row>) {
            tokio::time::sleep(self.takes).await;
            out.push(healthy_target().into_row(at.ts));
        }

        async fn slow(&mut self, at: &Moment, out: &mut Vec<Row>) {
            tokio::time::sleep(self.takes).await;
            out.push(ApiSample::default().into_row(at.ts));
        }

        async fn close(self) {}
    }

    struct Bench {
        services: Services,
        queue: Queue,
        ticks: i64,
        _dir: TempDir,
    }

    impl Bench {
        fn new(takes: &[u64]) -> Self {
            let dir = TempDir::new().unwrap();
            let options = spool::SpoolOptions::with_budget(16 * 1024 * 1024);
            let queue = Queue::new(Spool::open(dir.path(), options).unwrap());
            let findings = Findings::new(&config::Config::default()).unwrap();
            let mut services = Services::new(GroupAppend::new(queue.clone(), findings));
            for millis in takes {
                let takes = Duration::from_millis(*millis);
                services.add(Stub { takes });
            }
            Self {
                services,
                queue,
                ticks: 0,
                _dir: dir,
            }
        }

        async fn tick(&mut self) {
            self.ticks += 1;
            let ts = Timestamp::from_millis(self.ticks * 10_000);
            self.services.tick(ts, SLOW).await;
        }

        /// Fast answers, slow answers, ticks that found a service busy, and appends.
        async fn stored(&self) -> (u64, u64, u64, u64) {
            let depth = self.queue.depth().await;
            let rows = |table| depth.rows.get(table).copied().unwrap_or(0);
            (
                rows("target_metrics_raw"),
                rows("api_metrics_raw"),
                rows("collector_runs_raw"),
                depth.records,
            )
        }
    }

    /// A target that gives the judges nothing to report.
    fn healthy_target() -> TargetSample {
        TargetSample {
            up: true,
            ..TargetSample::default()
        }
    }

    async fn pass(millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_answers_in_time_is_one_append() {
        let mut bench = Bench::new(&[10, 10, 10]);
        bench.tick().await;
        assert_eq!(bench.stored().await, (3, 0, 0, 1));
        pass(1_000).await;
        assert_eq!(bench.stored().await, (3, 3, 0, 4), "the slow ones follow");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_hangs_delays_no_other_and_is_reported() {
        let mut bench = Bench::new(&[10, 25_000]);
        let before = Instant::now();
        bench.tick().await;
        assert!(before.elapsed() < 2 * GRACE);
        assert_eq!(bench.stored().await.0, 1);
        for _ in 0..2 {
            pass(10_000).await;
            bench.tick().await;
        }
        let (fast, _, busy, _) = bench.stored().await;
        assert_eq!(
            (fast, busy),
            (3, 1),
            "the order that waits is reported when it is found"
        );
        pass(60_000).await;
        let (fast, slow, busy, _) = bench.stored().await;
        assert_eq!(
            (fast, slow, busy),
            (4, 2, 2),
            "its own answer came late and was kept"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn slow_queries_come_at_their_own_pace() {
        let mut bench = Bench::new(&[1]);
        for _ in 0..60 {
            bench.tick().await;
            pass(9_999).await;
        }
        let (fast, slow, busy, _) = bench.stored().await;
        assert_eq!((fast, slow, busy), (60, 2, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_does_not_wait_for_those_that_hang() {
        let mut bench = Bench::new(&[10, 3_600_000]);
        bench.tick().await;
        let before = Instant::now();
        bench.services.close().await;
        assert!(before.elapsed() <= 2 * GRACE);
    }
}
