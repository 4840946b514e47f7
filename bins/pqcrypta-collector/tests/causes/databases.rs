//! A session that is idle in its transaction.

use super::{Cause, Expected};
use pg::{SessionOptions, Target};
use std::sync::Arc;
use std::time::Duration;
use testkit::texts;
use tokio::sync::Notify;

/// A session with a task of its own, which begins and ends the transaction when it is told to.
pub(crate) struct IdleTransaction {
    pid: String,
    begin: Arc<Notify>,
    end: Arc<Notify>,
}

impl IdleTransaction {
    pub(crate) async fn new(target: &Target) -> Self {
        let options = SessionOptions {
            idle_in_transaction_timeout: Duration::ZERO,
            transaction_timeout: Duration::ZERO,
            ..SessionOptions::default()
        };
        let session = pg::connect(target, &options, "forgetful").await.unwrap();
        let pid = texts(&session.client, "SELECT pg_backend_pid()").await;
        let cause = Self {
            pid: pid.unwrap().remove(0),
            begin: Arc::default(),
            end: Arc::default(),
        };
        let (begin, end) = (Arc::clone(&cause.begin), Arc::clone(&cause.end));
        tokio::spawn(async move {
            // As a whole: what is left behind would close the connection.
            let session = session;
            begin.notified().await;
            session
                .client
                .batch_execute("BEGIN; SELECT 1")
                .await
                .unwrap();
            end.notified().await;
            session.client.batch_execute("COMMIT").await.unwrap();
        });
        cause
    }
}

impl Cause for IdleTransaction {
    fn begin(&mut self) {
        self.begin.notify_one();
    }

    fn expected(&self) -> Expected {
        Expected {
            rule: "db.oldest_idle_in_xact_secs",
            target: "store".to_owned(),
            severity: "warn",
            message: "A session on store has been idle in a transaction for 5 min".to_owned(),
            metric: "db.oldest_idle_in_xact_secs",
            step: "When its transaction may be rolled back, end the session:",
            command: format!("SELECT pg_terminate_backend({});", self.pid),
            confirm_secs: 300,
        }
    }

    fn end(&mut self) {
        self.end.notify_one();
    }
}
