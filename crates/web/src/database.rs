//! Read-only sessions, and whether the database answers.
//!
//! At most [`SESSIONS`] questions run at once, each on a session of its own with a budget that the
//! server enforces; the client waits a little longer and then gives the session up. When the link
//! fails, every question is refused at once with the instant since when, while one task connects
//! anew with growing delays. So a dead database costs a request nothing, and the recovery needs no
//! request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use pg::{PgError, Session, SessionOptions, Target};
use schema::Timestamp;
use store::series::ReadError;
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;
use crate::words;

/// Sessions at once.
pub const SESSIONS: usize = 4;
/// What the server allows a statement.
const BUDGET: Duration = Duration::from_secs(2);
/// What we wait for a question of several statements.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest delay between two attempts to connect.
const SLOWEST: Duration = Duration::from_secs(5);

/// Whether the database answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// It did when last asked; also before the first question.
    Up,
    /// It does not.
    Down {
        /// When that was noticed.
        since: Timestamp,
        /// Why, without secrets.
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
        /// A sentence.
        message: String,
    },
    /// The question took longer than its budget.
    Timeout {
        /// What was read.
        what: String,
    },
    /// The database refused the question: a fault of ours or of its schema.
    Refused {
        /// What was read.
        what: String,
        /// What it said.
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
    /// Nothing is connected before the first question.
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

    /// Whether it answers.
    #[must_use]
    pub fn link(&self) -> Link {
        self.0.link.borrow().clone()
    }

    /// Tells of changes of [`Database::link`].
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Link> {
        self.0.link.subscribe()
    }

    /// Asks a question on a session of its own.
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
        // A session that idled may have lost its link unnoticed; a fresh one has not.
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
                    // The server should have ended the statement itself: it hangs, or the link does.
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
        let time = words::exact(since, inner.clock.now(), &inner.zone);
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
        // A question that kept the session to itself loses it for the others.
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
        // Reading a range reads many rows once: compiling such a plan takes longer than running it.
        let settings = session
            .client
            .batch_execute("SET jit = off; SET work_mem = '32MB'");
        let ready = session.run("set up a session", options.connect_timeout, settings);
        ready.await?;
        Ok(session)
    }

    /// Notes that the link is gone and starts to look for it.
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

    /// Connects anew until it works.
    async fn probe(self) {
        let mut backoff = pg::Backoff::new();
        loop {
            // Only we come back, so there is no herd to spread.
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

/// Whether a failure says something about the link and not about the statement.
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
