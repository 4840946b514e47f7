//! The session that evaluates stored data, kept from one run to the next.
//!
//! Opening a session costs the server a process and a dozen statements, so it is kept while runs follow each other, and closed
//! when none came for [`IDLE`]: with many hosts what binds is the number of sessions. A run takes
//! it with [`Analysis::take`] and returns it with [`Analysis::keep`] when it succeeded. A session that is not
//! returned, because a statement failed, an answer did not come in time or the program ends, is closed, and the
//! next run opens another: its state is unknown.
//!
//! Jobs that seldom run at the same time share it by cloning. One that finds it taken opens another one, which is closed
//! when the first is back.

use pg::Session;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::host::{self, OpenError};

/// How long a session without work stays open: runs that are woken by news follow each other within seconds, those of the schedule
/// within minutes.
const IDLE: Duration = Duration::from_secs(5);
/// How long closing it in order may take.
const CLOSE_WITHIN: Duration = Duration::from_millis(500);

/// A session and the number of this host.
#[derive(Debug)]
pub(crate) struct HostSession {
    pub(crate) session: Session,
    pub(crate) host_id: i32,
}

impl HostSession {
    /// Closes the session in order.
    pub(crate) async fn close(self) {
        self.session.close(CLOSE_WITHIN).await;
    }
}

/// A session without work.
#[derive(Debug, Default)]
struct Kept {
    session: Option<HostSession>,
    /// How often one was kept.
    turn: u64,
}

/// Opens the session when it is needed and keeps it for a moment. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Analysis {
    target: pg::Target,
    options: pg::SessionOptions,
    /// Name of the session in `pg_stat_activity`.
    application: &'static str,
    machine_id: String,
    kept: Arc<Mutex<Kept>>,
}

impl Analysis {
    /// Begins without a session.
    pub(crate) fn new(
        target: pg::Target,
        options: pg::SessionOptions,
        application: &'static str,
        machine_id: String,
    ) -> Self {
        Self {
            target,
            options,
            application,
            machine_id,
            kept: Arc::default(),
        }
    }

    /// Returns how long a run may take. Each statement has its own limit at the server; this limit is for a
    /// connection that does not answer.
    pub(crate) fn deadline(&self) -> Duration {
        self.options.transaction_timeout
    }

    /// Takes the kept session, or opens one.
    pub(crate) async fn take(&mut self) -> Result<HostSession, OpenError> {
        if let Some(kept) = self.take_kept().filter(|kept| !kept.session.is_closed()) {
            return Ok(kept);
        }
        let (session, host_id) = host::open(
            &self.target,
            &self.options,
            self.application,
            &self.machine_id,
        )
        .await?;
        Ok(HostSession { session, host_id })
    }

    /// Keeps a session for the next run, if that comes soon.
    pub(crate) fn keep(&mut self, session: HostSession) {
        let turn = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.turn += 1;
            // Another one that was kept is closed.
            kept.session = Some(session);
            kept.turn
        };
        let shared = Arc::downgrade(&self.kept);
        tokio::spawn(async move {
            tokio::time::sleep(IDLE).await;
            let Some(shared) = shared.upgrade() else {
                return;
            };
            let idle = {
                let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let is_same = kept.turn == turn;
                kept.session.take_if(|_| is_same)
            };
            if let Some(idle) = idle {
                idle.close().await;
            }
        });
    }

    fn take_kept(&self) -> Option<HostSession> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.session.take()
    }

    /// Closes the kept session.
    pub(crate) async fn close(self) {
        if let Some(kept) = self.take_kept() {
            kept.close().await;
        }
    }
}
