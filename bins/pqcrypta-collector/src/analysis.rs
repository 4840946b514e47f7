//! The session of the jobs that ask the store, kept for a moment from one run to the next.
//!
//! With many hosts what binds is the number of sessions, and of a host four last: the writer's, that of logs, that of the statistics of the
//! store, when they are this host's task, and this one; its role has two more, for one that is ending and one in another database. So all jobs share one [`Seat`]: who runs has it, the others wait.
//!
//! Opening a session costs the server a process and a dozen statements, so it is kept while runs of the same kind follow each other,
//! and closed when none came for [`IDLE`], or when a job of another kind has the seat. A run takes
//! it with [`Analysis::take`] and returns it with [`Analysis::keep`] when it succeeded. A session that is not
//! returned, because a statement failed, an answer did not come in time or the program ends, is closed, and the
//! next run opens another: its state is unknown.
//!
//! A server that has no room for the session may have it a moment later, when another one of this host has ended: a run waits
//! that long. One that still has none is no failure of the job, which runs again soon (`schedule`).

use crate::room;
use pg::Session;
use std::sync::Arc;
use std::time::Duration;
use store::crowding::Purpose;
use store::host::{self, OpenError};
use store::status::SharedStatus;
use store::writer::jitter;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

/// How long a session without work stays open: runs that are woken by news follow each other within seconds, those of the schedule
/// within minutes.
const IDLE: Duration = Duration::from_secs(5);
/// How long closing it in order may take.
const CLOSE_WITHIN: Duration = Duration::from_millis(500);
/// How long a run waits for room at the server, and how often it looks.
const ROOM_WITHIN: Duration = Duration::from_secs(5);
const ROOM_EVERY: Duration = Duration::from_secs(1);

/// A session and the number of this host. While it is there, no other job has one.
#[derive(Debug)]
pub(crate) struct HostSession {
    pub(crate) session: Session,
    pub(crate) host_id: i32,
    seat: OwnedMutexGuard<Kept>,
}

impl HostSession {
    /// Closes the session in order.
    pub(crate) async fn close(self) {
        self.session.close(CLOSE_WITHIN).await;
        drop(self.seat);
    }
}

/// A session without work.
#[derive(Debug)]
struct Idle {
    session: Session,
    host_id: i32,
    application: &'static str,
}

/// What is kept between runs.
#[derive(Debug, Default)]
struct Kept {
    idle: Option<Idle>,
    /// How often one was kept.
    turn: u64,
}

/// The place of the jobs among the sessions of this host. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seat {
    kept: Arc<Mutex<Kept>>,
    /// Hears when the database has no room for it.
    status: SharedStatus,
}

impl Seat {
    /// Makes a free one.
    pub(crate) fn new(status: SharedStatus) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }
}

/// Opens the session of one kind when it is needed. Cloning shares the seat.
#[derive(Clone, Debug)]
pub(crate) struct Analysis {
    target: pg::Target,
    options: pg::SessionOptions,
    /// Name of the session in `pg_stat_activity`.
    application: &'static str,
    machine_id: String,
    seat: Seat,
}

impl Analysis {
    /// Begins without a session.
    pub(crate) fn new(
        target: pg::Target,
        options: pg::SessionOptions,
        application: &'static str,
        machine_id: String,
        seat: Seat,
    ) -> Self {
        Self {
            target,
            options,
            application,
            machine_id,
            seat,
        }
    }

    /// Returns how long a run may take. Each statement has its own limit at the server; this limit is for a
    /// connection that does not answer.
    pub(crate) fn deadline(&self) -> Duration {
        self.options.transaction_timeout
    }

    /// Waits for the seat, and takes the kept session or opens one.
    pub(crate) async fn take(&mut self) -> Result<HostSession, OpenError> {
        let mut seat = Arc::clone(&self.seat.kept).lock_owned().await;
        if let Some(idle) = seat.idle.take() {
            if idle.application == self.application && !idle.session.is_closed() {
                return Ok(HostSession {
                    session: idle.session,
                    host_id: idle.host_id,
                    seat,
                });
            }
            idle.session.close(CLOSE_WITHIN).await;
        }
        let opened = self.open().await;
        room::note(&self.seat.status, Purpose::Jobs, opened.as_ref().err());
        let (session, host_id) = opened?;
        Ok(HostSession {
            session,
            host_id,
            seat,
        })
    }

    /// Opens a session; waits a moment where the server has no room for it, unless it had none for the run before either: each
    /// attempt costs a full server a process.
    async fn open(&self) -> Result<(Session, i32), OpenError> {
        let patience = match self
            .seat
            .status
            .get()
            .crowding
            .refused
            .contains_key(&Purpose::Jobs)
        {
            true => Duration::ZERO,
            false => ROOM_WITHIN,
        };
        let until = Instant::now() + patience;
        loop {
            let opened = host::open(
                &self.target,
                &self.options,
                self.application,
                &self.machine_id,
            )
            .await;
            match opened {
                Err(error) if error.is_crowded() && Instant::now() < until => {
                    tokio::time::sleep(ROOM_EVERY.mul_f64(0.5 + 0.5 * jitter())).await;
                }
                opened => return opened,
            }
        }
    }

    /// Keeps a session for the next run, if that comes soon.
    pub(crate) fn keep(&mut self, host: HostSession) {
        let HostSession {
            session,
            host_id,
            mut seat,
        } = host;
        seat.idle = Some(Idle {
            session,
            host_id,
            application: self.application,
        });
        seat.turn += 1;
        let turn = seat.turn;
        drop(seat);
        let shared = Arc::downgrade(&self.seat.kept);
        tokio::spawn(async move {
            tokio::time::sleep(IDLE).await;
            let Some(shared) = shared.upgrade() else {
                return;
            };
            let mut seat = shared.lock().await;
            let is_same = seat.turn == turn;
            if let Some(idle) = seat.idle.take_if(|_| is_same) {
                idle.session.close(CLOSE_WITHIN).await;
            }
        });
    }

    /// Closes the kept session; one that a run has is closed with it.
    pub(crate) async fn close(self) {
        let idle = match self.seat.kept.try_lock() {
            Ok(mut seat) => seat.idle.take(),
            Err(_) => None,
        };
        if let Some(idle) = idle {
            idle.session.close(CLOSE_WITHIN).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    /// Jobs of two kinds have one session between them, the same as long as the kind is the same.
    #[tokio::test]
    async fn jobs_have_one_session_at_a_time() {
        let database = testkit::migrated().await.unwrap();
        database
            .sql("INSERT INTO collector.hosts (machine_id, hostname) VALUES ('this', 'this')")
            .await
            .unwrap();
        let seat = Seat::default();
        let of = |name| {
            Analysis::new(
                database.target(),
                pg::SessionOptions::default(),
                name,
                "this".to_owned(),
                seat.clone(),
            )
        };
        let (mut one, mut same, mut other) = (of("a test"), of("a test"), of("another"));
        let pid = async |host: &HostSession| -> i32 {
            let asked = host
                .session
                .client
                .query_one("SELECT pg_backend_pid()", &[]);
            asked.await.unwrap().get(0)
        };
        let taken = one.take().await.unwrap();
        let first = pid(&taken).await;
        assert!(same.take().now_or_never().is_none(), "it has to wait");
        one.keep(taken);
        let taken = same.take().await.unwrap();
        assert_eq!(pid(&taken).await, first, "the same session");
        same.keep(taken);
        let taken = other.take().await.unwrap();
        let second = pid(&taken).await;
        assert_ne!(second, first);
        let left = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1";
        let is_left = async || -> i64 {
            let asked = taken.session.client.query_one(left, &[&first]).await;
            asked.unwrap().get(0)
        };
        while is_left().await > 0 {
            tokio::task::yield_now().await;
        }
        // One that is not returned leaves the seat free.
        drop(taken);
        let taken = one.take().await.unwrap();
        assert_ne!(pid(&taken).await, second);
        taken.close().await;
    }
}
