//! Group append: the rows of the host and of the services of one tick become durable together.
//!
//! As with the group commit of a database, a member that is ready early waits for the others. A tick then costs
//! one hand-over to the spool's thread, one notification of the writer and one transaction. A member joins when its
//! tick begins and appends once; the last one appends for all, each in its own records. None waits longer than
//! [`GRACE`] after it joined: then it appends its rows alone. Waiting rows are in memory only, so a crash loses
//! half a second of them at most.

use crate::findings::Findings;
use schema::tables::CollectorRun;
use schema::{Cell, Row, Sample, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::queue::{Durability, Queue};
use store::spool::SpoolError;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// How long the rows of a tick wait for its slowest member. A server on this machine answers within 20 ms;
/// half a second is lost at worst when the power fails.
pub(crate) const GRACE: Duration = Duration::from_millis(500);

/// The members whose ticks overlap. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct GroupAppend {
    queue: Queue,
    findings: Findings,
    group: Arc<Mutex<Group>>,
    /// Runs that failed since the start, by what ran.
    failures: Arc<Mutex<BTreeMap<String, u64>>>,
}

#[derive(Debug, Default)]
struct Group {
    /// Members that have not appended yet.
    sampling: usize,
    waiting: Vec<Waiting>,
    /// The next number of [`Waiting::id`].
    next_id: u64,
}

/// Returns what ran, if the row tells that it failed.
fn failed(row: &Row) -> Option<&str> {
    if row.table.name != CollectorRun::TABLE.name {
        return None;
    }
    let text = |name: &str| {
        let place = row
            .table
            .columns
            .iter()
            .position(|column| column.name == name)?;
        match row.cells.get(place)? {
            Cell::Text(text) => Some(&**text),
            _ => None,
        }
    };
    let is_failed = text("outcome").is_some_and(|outcome| outcome != "ok");
    text("collector").filter(|_| is_failed)
}

/// The rows of a member that waits for others.
#[derive(Debug)]
struct Waiting {
    id: u64,
    rows: Rows,
    appended: oneshot::Sender<Appended>,
}

/// The instant of a tick, and its rows.
type Rows = (Timestamp, Vec<Row>);

/// The outcome of an append.
#[derive(Clone, Debug)]
pub(crate) struct Appended {
    pub(crate) durability: Result<Durability, Arc<SpoolError>>,
    /// Time of the append itself, without waiting for other members.
    pub(crate) took: Duration,
}

/// What follows from the append of one member.
enum Next {
    /// It was the last one: everything is to be appended.
    Append(Vec<Waiting>, Rows),
    /// Another one appends its rows.
    Wait(u64, oneshot::Receiver<Appended>),
}

impl GroupAppend {
    /// Appends to this queue what these judges have seen.
    pub(crate) fn new(queue: Queue, findings: Findings) -> Self {
        Self {
            queue,
            findings,
            group: Arc::default(),
            failures: Arc::default(),
        }
    }

    /// Returns how many runs of each collector failed since the start.
    pub(crate) fn failures(&self) -> BTreeMap<String, u64> {
        let failures = self.failures.lock();
        failures.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count_failures(&self, rows: &[Row]) {
        for failed in rows.iter().filter_map(failed) {
            let failures = self.failures.lock();
            let mut failures = failures.unwrap_or_else(PoisonError::into_inner);
            *failures.entry(failed.to_owned()).or_default() += 1;
        }
    }

    /// Returns the queue.
    pub(crate) const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Returns the judges of the tick.
    pub(crate) const fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Makes rows durable outside of the group of their tick.
    pub(crate) async fn append_alone(
        &self,
        ts: Timestamp,
        rows: Vec<Row>,
    ) -> Result<Durability, SpoolError> {
        self.count_failures(&rows);
        let mut batches = [(ts, rows)];
        self.findings.judge(&mut batches);
        let [(ts, rows)] = batches;
        self.queue.append(ts, rows).await
    }

    /// Joins at the beginning of a tick.
    pub(crate) fn join(&self) -> Member {
        self.lock().sampling += 1;
        Member {
            all: self.clone(),
            until: Instant::now() + GRACE,
            is_sampling: true,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Group> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends the rows of one member and of those that wait.
    async fn append(&self, own: Rows, others: Vec<Waiting>) -> Appended {
        let begun = Instant::now();
        let (mut all, mut senders) = (Vec::with_capacity(2), Vec::with_capacity(others.len()));
        for other in others {
            all.push(other.rows);
            senders.push(other.appended);
        }
        if !own.1.is_empty() {
            all.push(own);
        }
        let durability = match all.is_empty() {
            true => Ok(Durability::Disk),
            false => {
                for (_, rows) in &all {
                    self.count_failures(rows);
                }
                self.findings.judge(&mut all);
                self.queue.append_all(all).await.map_err(Arc::new)
            }
        };
        let appended = Appended {
            durability,
            took: begun.elapsed(),
        };
        for sender in senders {
            // A member that was dropped needs no outcome.
            let _unsent = sender.send(appended.clone());
        }
        appended
    }

    /// Takes the rows of a waiting member back, unless another one appends them already.
    fn take_back(&self, id: u64) -> Option<Rows> {
        let waiting = &mut self.lock().waiting;
        let at = waiting.iter().position(|waiting| waiting.id == id)?;
        Some(waiting.swap_remove(at).rows)
    }
}

/// One participant in a tick. Dropping it leaves the group without rows.
#[derive(Debug)]
pub(crate) struct Member {
    all: GroupAppend,
    until: Instant,
    is_sampling: bool,
}

impl Member {
    /// Returns until when the others wait for its rows.
    pub(crate) const fn until(&self) -> Instant {
        self.until
    }

    /// Makes the rows durable, together with those of the other members of this tick.
    pub(crate) async fn append(mut self, ts: Timestamp, rows: Vec<Row>) -> Appended {
        // A member whose tick is due now joins first.
        tokio::task::yield_now().await;
        let (id, mut outcome) = match self.leave((ts, rows)) {
            Next::Append(others, own) => return self.all.append(own, others).await,
            Next::Wait(id, outcome) => (id, outcome),
        };
        let received = match timeout_at(self.until, &mut outcome).await {
            Ok(received) => received,
            Err(_) => match self.all.take_back(id) {
                Some(own) => return self.all.append(own, Vec::new()).await,
                None => outcome.await,
            },
        };
        // The member that appended was dropped meanwhile: the outcome is unknown.
        received.unwrap_or(Appended {
            durability: Ok(Durability::Memory),
            took: Duration::ZERO,
        })
    }

    fn leave(&mut self, own: Rows) -> Next {
        let mut group = self.all.lock();
        self.is_sampling = false;
        group.sampling -= 1;
        if group.sampling == 0 || own.1.is_empty() {
            let others = match group.sampling {
                0 => std::mem::take(&mut group.waiting),
                _ => Vec::new(),
            };
            return Next::Append(others, own);
        }
        let (appended, outcome) = oneshot::channel();
        let id = group.next_id;
        group.next_id += 1;
        group.waiting.push(Waiting {
            id,
            rows: own,
            appended,
        });
        Next::Wait(id, outcome)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if self.is_sampling {
            // Those that wait for it do so until their time is up.
            self.all.lock().sampling -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Sample;
    use schema::tables::{ApiSample, TargetSample};
    use store::spool::{self, Spool};
    use tempfile::TempDir;

    fn group() -> (GroupAppend, TempDir) {
        let dir = TempDir::new().unwrap();
        let options = spool::SpoolOptions::with_budget(16 * 1024 * 1024);
        let queue = Queue::new(Spool::open(dir.path(), options).unwrap());
        (
            GroupAppend::new(queue, Findings::new(&config::Config::default()).unwrap()),
            dir,
        )
    }

    fn host_rows() -> Vec<Row> {
        vec![healthy_target().into_row(Timestamp(2))]
    }

    fn service_rows() -> Vec<Row> {
        vec![ApiSample::default().into_row(Timestamp(1))]
    }

    /// Records and rows in the queue.
    async fn stored(group: &GroupAppend) -> (u64, u64) {
        let depth = group.queue().depth().await;
        (depth.records, depth.total())
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
    async fn the_last_member_appends_for_all() {
        let (group, _dir) = group();
        let (host, services) = (group.join(), group.join());
        let late = async {
            pass(100).await;
            assert_eq!(stored(&group).await, (0, 0), "the host's rows wait");
            services.append(Timestamp(1), service_rows()).await
        };
        let begun = Instant::now();
        let (host, services) = tokio::join!(host.append(Timestamp(2), host_rows()), late);
        assert!(begun.elapsed() < GRACE);
        assert_eq!(host.durability.unwrap(), Durability::Disk);
        assert_eq!(services.durability.unwrap(), Durability::Disk);
        assert_eq!(stored(&group).await, (2, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_member_waits_no_longer_than_the_grace() {
        let (group, _dir) = group();
        let (host, services) = (group.join(), group.join());
        pass(200).await;
        let begun = Instant::now();
        let appended = host.append(Timestamp(2), host_rows()).await;
        assert!(begun.elapsed() < GRACE, "counted from when it joined");
        assert_eq!(appended.durability.unwrap(), Durability::Disk);
        assert_eq!(stored(&group).await, (1, 1));
        services.append(Timestamp(1), service_rows()).await;
        assert_eq!(stored(&group).await, (2, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_member_without_rows_or_for_none() {
        let (group, _dir) = group();
        let (host, services) = (group.join(), group.join());
        let begun = Instant::now();
        services.append(Timestamp(1), Vec::new()).await;
        host.append(Timestamp(2), host_rows()).await;
        drop(group.join());
        group.join().append(Timestamp(2), host_rows()).await;
        assert!(begun.elapsed() < GRACE);
        assert_eq!(stored(&group).await, (2, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn rows_of_a_dropped_member_that_waits_are_kept() {
        let (group, _dir) = group();
        let (host, services) = (group.join(), group.join());
        let waiting = tokio::spawn(host.append(Timestamp(2), host_rows()));
        pass(10).await;
        waiting.abort();
        pass(10).await;
        services.append(Timestamp(1), service_rows()).await;
        assert_eq!(stored(&group).await, (2, 2));
    }
}
