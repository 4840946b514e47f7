//! The session that evaluates stored data, kept from one run to the next.
//!
//! Opening a session costs the server a process and a dozen statements, so it is kept while it works. A run takes
//! it with [`Analysis::take`] and returns it with [`Analysis::keep`] when it succeeded. A session that is not
//! returned, because a statement failed, an answer did not come in time or the program ends, is closed, and the
//! next run opens another: its state is unknown.

use pg::Session;
use std::time::Duration;
use store::host::{self, OpenError};

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

/// Opens the session when it is needed and keeps it.
#[derive(Debug)]
pub(crate) struct Analysis {
    target: pg::Target,
    options: pg::SessionOptions,
    /// Name of the session in `pg_stat_activity`.
    application: &'static str,
    machine_id: String,
    kept: Option<HostSession>,
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
            kept: None,
        }
    }

    /// Returns how long a run may take. Each statement has its own limit at the server; this limit is for a
    /// connection that does not answer.
    pub(crate) fn deadline(&self) -> Duration {
        self.options.transaction_timeout
    }

    /// Takes the kept session, or opens one.
    pub(crate) async fn take(&mut self) -> Result<HostSession, OpenError> {
        if let Some(kept) = self.kept.take().filter(|kept| !kept.session.is_closed()) {
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

    /// Keeps a session for the next run.
    pub(crate) fn keep(&mut self, session: HostSession) {
        self.kept = Some(session);
    }

    /// Closes the kept session.
    pub(crate) async fn close(self) {
        if let Some(kept) = self.kept {
            kept.close().await;
        }
    }
}
