//! Sessions: one that is idle in its transaction, one that waits for a lock.

use super::{Cause, Expected};
use pg::{Session, SessionOptions, Target};
use std::sync::Arc;
use std::time::Duration;
use testkit::texts;
use tokio::sync::Notify;

/// Sessions that no time-out ends.
async fn patient(target: &Target, name: &str) -> Session {
    let options = SessionOptions {
        idle_in_transaction_timeout: Duration::ZERO,
        transaction_timeout: Duration::ZERO,
        lock_timeout: Duration::ZERO,
        statement_timeout: Duration::ZERO,
        ..SessionOptions::default()
    };
    pg::connect(target, &options, name).await.unwrap()
}

async fn pid_of(session: &Session) -> String {
    let pid = texts(&session.client, "SELECT pg_backend_pid()").await;
    pid.unwrap().remove(0)
}

/// A session with a task of its own, which begins and ends the transaction when it is told to.
pub(crate) struct IdleTransaction {
    pid: String,
    begin: Arc<Notify>,
    end: Arc<Notify>,
}

impl IdleTransaction {
    pub(crate) async fn new(target: &Target) -> Self {
        let session = patient(target, "forgetful").await;
        let cause = Self {
            pid: pid_of(&session).await,
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

/// A session that holds a lock, and one that waits for it.
pub(crate) struct BlockedSession {
    pid: String,
    begin: Arc<Notify>,
    end: Arc<Notify>,
}

impl BlockedSession {
    pub(crate) async fn new(target: &Target) -> Self {
        let holder = patient(target, "holder").await;
        let waiter = patient(target, "waiter").await;
        let table = "CREATE TABLE public.held (id int); INSERT INTO public.held VALUES (1)";
        holder.client.batch_execute(table).await.unwrap();
        let cause = Self {
            pid: pid_of(&holder).await,
            begin: Arc::default(),
            end: Arc::default(),
        };
        let (begin, end) = (Arc::clone(&cause.begin), Arc::clone(&cause.end));
        tokio::spawn(async move {
            let (holder, waiter) = (holder, waiter);
            begin.notified().await;
            let hold = "BEGIN; UPDATE public.held SET id = 2";
            holder.client.batch_execute(hold).await.unwrap();
            let waits = waiter.client.batch_execute("UPDATE public.held SET id = 3");
            let holds = async {
                end.notified().await;
                holder.client.batch_execute("COMMIT").await
            };
            let (waited, held) = tokio::join!(waits, holds);
            waited.and(held).unwrap();
        });
        cause
    }
}

impl Cause for BlockedSession {
    fn begin(&mut self) {
        self.begin.notify_one();
    }

    fn expected(&self) -> Expected {
        Expected {
            rule: "db.longest_lock_wait_secs",
            target: "store".to_owned(),
            severity: "warn",
            message: format!("PID {} (application ", self.pid),
            metric: "db.longest_lock_wait_secs",
            step: "When its transaction may be rolled back, end the session:",
            command: format!("SELECT pg_terminate_backend({});", self.pid),
            confirm_secs: 30,
        }
    }

    fn end(&mut self) {
        self.end.notify_one();
    }
}
