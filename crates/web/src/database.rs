//! Read-only sessions, and whether the database answers.
//!
//! At most [`SESSIONS`] questions run at once, each on a separate session with a statement timeout that the
//! server enforces; the client waits a little longer and then drops the session. When the link
//! fails, every question is refused immediately with the time of the failure, while one task reconnects
//! with growing delays. So an unreachable database costs a request nothing, and recovery does not depend
//! on requests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use pg::{PgError, Session, SessionOptions, Target};
use schema::Timestamp;
use store::series::ReadError;
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;
use crate::times;

/// Most concurrent sessions.
pub const SESSIONS: usize = 4;
/// The statement timeout on the server.
const BUDGET: Duration = Duration::from_secs(2);
/// The timeout of a question of several statements.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest delay between two connection attempts.
const SLOWEST: Duration = Duration::from_secs(5);

/// Whether the database answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// It answered last time; also before the first question.
    Up,
    /// It does not answer.
    Down {
        /// Since when.
        since: Timestamp,
        /// The reason, without secrets.
        cause: String,
    },
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The database does not answer.
    Unreachable {
        /// Since when.
        since: Timestamp,
        /// The reason, as a sentence.
        message: String,
    },
    /// The question timed out.
    Timeout {
        /// What was read.
        what: String,
    },
    /// The database rejected the question: a bug of ours or a fault of its schema.
    Refused {
        /// What was read.
        what: String,
        /// The error of the server.
        cause: String,
    },
}

/// Sessions with one database.
#[derive(Clone, Debug)]
pub struct Database(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    target: Target,
    clock: Clock,
    zone: TimeZone,
    idle: Mutex<Vec<Session>>,
    permits: Semaphore,
    link: watch::Sender<Link>,
    probing: AtomicBool,
}

impl Database {
    /// Creates the pool; it connects with the first question.
    #[must_use]
    pub fn new(target: Target, clock: Clock, zone: TimeZone) -> Self {
        Self(Arc::new(Inner {
            target,
            clock,
            zone,
            idle: Mutex::new(Vec::new()),
            permits: Semaphore::new(SESSIONS),
            link: watch::Sender::new(Link::Up),
            probing: AtomicBool::new(false),
        }))
    }

    /// Returns whether the database answers.
    #[must_use]
    pub fn link(&self) -> Link {
        self.0.link.borrow().clone()
    }

    /// Returns a receiver of the changes of [`Database::link`].
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Link> {
        self.0.link.subscribe()
    }

    /// Asks a question on a session.
    ///
    /// # Errors
    /// When there is no session, the question took too long, or a statement failed.
    pub async fn read<T, F>(
        &self,
        what: &str,
        ask: impl Fn(Arc<Session>) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, ReadError>>,
    {
        self.refuse_when_down()?;
        let Ok(_permit) = self.0.permits.acquire().await else {
            return Err(self.down(Timestamp::default(), "the server is stopping"));
        };
        // An idle session may have lost its link unnoticed; a new one has not.
        for fresh in [false, true] {
            self.refuse_when_down()?;
            let session = Arc::new(self.session(fresh).await?);
            let asked = ask(Arc::clone(&session));
            match session.within(what, PATIENCE, asked).await {
                Ok(Ok(answer)) => {
                    self.keep(session);
                    return Ok(answer);
                }
                Ok(Err(error)) if is_link(&error.source) || session.is_closed() => {
                    if fresh {
                        return Err(self.lost(&pg::causes(&error)));
                    }
                }
                Ok(Err(error)) => {
                    self.keep(session);
                    return Err(refused(&error));
                }
                Err(PgError::Timeout { .. }) => {
                    // The server should have cancelled the statement: it hangs, or the link does.
                    return Err(self.lost("it stopped answering"));
                }
                Err(error) if fresh => return Err(self.lost(&error.to_string())),
                Err(_) => {}
            }
        }
        Err(self.lost("the link broke twice"))
    }

    fn refuse_when_down(&self) -> Result<(), Failure> {
        match self.link() {
            Link::Up => Ok(()),
            Link::Down { since, .. } => Err(self.unreachable(since)),
        }
    }

    fn unreachable(&self, since: Timestamp) -> Failure {
        let inner = &self.0;
        let time = times::exact(since, inner.clock.now(), &inner.zone);
        Failure::Unreachable {
            since,
            message: format!("the database has not answered since {time}"),
        }
    }

    fn down(&self, since: Timestamp, message: &str) -> Failure {
        Failure::Unreachable {
            since,
            message: message.to_owned(),
        }
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, session: Arc<Session>) {
        // A session that a question still holds cannot be reused.
        if let Some(session) = Arc::into_inner(session)
            && session.is_usable()
        {
            self.pool().push(session);
        }
    }

    async fn session(&self, fresh: bool) -> Result<Session, Failure> {
        let idle = std::iter::from_fn(|| self.pool().pop());
        if !fresh && let Some(session) = idle.into_iter().find(Session::is_usable) {
            return Ok(session);
        }
        self.connect()
            .await
            .map_err(|error| self.lost(&pg::causes(&error)))
    }

    async fn connect(&self) -> Result<Session, PgError> {
        let options = SessionOptions {
            connect_timeout: Duration::from_secs(2),
            statement_timeout: BUDGET,
            ..SessionOptions::reader()
        };
        let session = pg::connect(&self.0.target, &options, "pqcrypta-monitor").await?;
        // A range is read once over many rows: JIT compilation would take longer than execution.
        let settings = session
            .client
            .batch_execute("SET jit = off; SET work_mem = '32MB'");
        let ready = session.run("set up a session", options.connect_timeout, settings);
        ready.await?;
        Ok(session)
    }

    /// Marks the link as down and starts reconnecting.
    fn lost(&self, cause: &str) -> Failure {
        self.pool().clear();
        let now = self.0.clock.now();
        let mut since = now;
        self.0.link.send_if_modified(|link| match link {
            Link::Down { since: known, .. } => {
                since = *known;
                false
            }
            Link::Up => {
                *link = Link::Down {
                    since: now,
                    cause: cause.to_owned(),
                };
                true
            }
        });
        if !self.0.probing.swap(true, Ordering::AcqRel) {
            tracing::warn!(cause, "the database does not answer");
            tokio::spawn(self.clone().probe());
        }
        self.unreachable(since)
    }

    /// Reconnects until it succeeds.
    async fn probe(self) {
        let mut backoff = pg::Backoff::new();
        loop {
            // A single client reconnects, so the delay needs no jitter.
            tokio::time::sleep(backoff.next(0.0).min(SLOWEST)).await;
            match self.connect().await {
                Ok(session) => {
                    self.keep(Arc::new(session));
                    break;
                }
                Err(error) => tracing::debug!(%error, "the database still does not answer"),
            }
        }
        tracing::info!("the database answers again");
        self.0.probing.store(false, Ordering::Release);
        self.0.link.send_replace(Link::Up);
    }
}

/// Returns whether a failure concerns the link rather than the statement.
fn is_link(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        None => {
            error.is_closed()
                || std::error::Error::source(error).is_some_and(|s| s.is::<std::io::Error>())
        }
        Some(code) => ["57P", "08", "53"]
            .iter()
            .any(|class| code.code().starts_with(class)),
    }
}

fn refused(error: &ReadError) -> Failure {
    let what = error.what.clone();
    if error.is_timeout() {
        return Failure::Timeout { what };
    }
    Failure::Refused {
        what,
        cause: pg::causes(error),
    }
}
