//! A session: connected, pinned, and ended by the server when it hangs.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::{CancelToken, Client, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{Class, PgError};
use crate::target::{Host, Target};
use crate::tls;

/// How a session behaves. Zero turns a time-out off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionOptions {
    /// How long connecting, logging in and setting up may take together.
    pub connect_timeout: Duration,
    /// `statement_timeout`; shorter than the client's own deadline, so that the server's answer
    /// arrives and the outcome is known.
    pub statement_timeout: Duration,
    /// `lock_timeout`.
    pub lock_timeout: Duration,
    /// `idle_in_transaction_session_timeout`.
    pub idle_in_transaction_timeout: Duration,
    /// `transaction_timeout`, where the server has it (PostgreSQL 17).
    pub transaction_timeout: Duration,
    /// `client_connection_check_interval`: how soon the server notices that the client is gone
    /// while a statement runs.
    pub connection_check_interval: Duration,
    /// How long a dead link may go unnoticed: keepalives and the TCP user time-out.
    pub link_timeout: Duration,
    /// `search_path`, as SQL; a constant of ours, never text from outside.
    pub search_path: String,
    /// `default_transaction_read_only`.
    pub read_only: bool,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(8),
            lock_timeout: Duration::from_secs(3),
            idle_in_transaction_timeout: Duration::from_secs(15),
            transaction_timeout: Duration::from_secs(60),
            connection_check_interval: Duration::from_secs(2),
            link_timeout: Duration::from_secs(10),
            search_path: "pg_catalog".to_owned(),
            read_only: false,
        }
    }
}

impl SessionOptions {
    /// Options for a client that waits `deadline` for a statement: the server gives up after four
    /// fifths of it, 8 s of the usual 10 s.
    #[must_use]
    pub fn for_deadline(deadline: Duration) -> Self {
        let statement_timeout = deadline.mul_f64(0.8);
        Self {
            statement_timeout,
            lock_timeout: Self::default().lock_timeout.min(statement_timeout),
            transaction_timeout: Self::default().transaction_timeout.max(deadline * 2),
            ..Self::default()
        }
    }

    /// Options for the dashboard: nothing is written, and a question takes at most 5 s.
    #[must_use]
    pub fn reader() -> Self {
        Self {
            statement_timeout: Duration::from_secs(5),
            read_only: true,
            ..Self::default()
        }
    }

    /// Returns one text with every setting, sent at once; the last statement asks which server this is.
    /// No query here runs long enough for JIT compilation, which took 30 of 100 ms.
    fn statements(&self) -> String {
        let millis = |duration: Duration| duration.as_millis().min(i32::MAX as u128);
        format!(
            "SET search_path = {search_path};
             SET TimeZone = 'UTC';
             SET DateStyle = 'ISO, YMD';
             SET IntervalStyle = 'postgres';
             SET client_min_messages = warning;
             SET jit = off;
             SET statement_timeout = {statement};
             SET lock_timeout = {lock};
             SET idle_in_transaction_session_timeout = {idle};
             SET tcp_keepalives_idle = {link_secs};
             SET tcp_keepalives_interval = {probe_secs};
             SET tcp_keepalives_count = 3;
             SET tcp_user_timeout = {link};
             SET default_transaction_read_only = {read_only};
             SELECT set_config('client_connection_check_interval', '{check}', false)
              WHERE current_setting('server_version_num')::int4 >= 140000;
             SELECT set_config('transaction_timeout', '{transaction}', false)
              WHERE current_setting('server_version_num')::int4 >= 170000;
             SELECT pg_backend_pid() AS pid,
                    current_setting('server_version_num') AS server_version_num,
                    pg_is_in_recovery() AS in_recovery",
            search_path = self.search_path,
            statement = millis(self.statement_timeout),
            lock = millis(self.lock_timeout),
            idle = millis(self.idle_in_transaction_timeout),
            link = millis(self.link_timeout),
            link_secs = self.link_timeout.as_secs(),
            probe_secs = (self.link_timeout.as_secs() / 3).max(1),
            read_only = if self.read_only { "on" } else { "off" },
            check = millis(self.connection_check_interval),
            transaction = millis(self.transaction_timeout),
        )
    }
}

/// A live session. Dropping it cuts the link at once, with any running statement; [`Session::close`] ends it
/// in order.
#[derive(Debug)]
pub struct Session {
    /// The driver's client.
    pub client: Client,
    /// Process id of the server's backend.
    pub pid: i32,
    /// Version of the server, e.g. 150020.
    pub server_version_num: u32,
    /// Whether the server was a standby when the session began.
    pub in_recovery: bool,
    doomed: AtomicBool,
    canceller: Canceller,
    link: Link,
}

/// Asks the server to cancel the statement of a session.
#[derive(Clone)]
struct Canceller {
    token: CancelToken,
    tls: Option<MakeRustlsConnect>,
}

impl std::fmt::Debug for Canceller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Canceller")
    }
}

impl Canceller {
    const DEADLINE: Duration = Duration::from_secs(2);

    async fn cancel(self) -> Result<(), PgError> {
        let what = "cancel a statement";
        let asked = tokio::time::timeout(Self::DEADLINE, async {
            match self.tls {
                Some(tls) => self.token.cancel_query(tls).await,
                None => self.token.cancel_query(NoTls).await,
            }
        });
        match asked.await {
            Ok(answer) => answer.map_err(|source| PgError::Query {
                what: what.to_owned(),
                source,
            }),
            Err(_) => Err(PgError::Timeout {
                what: what.to_owned(),
                after: Self::DEADLINE,
            }),
        }
    }
}

/// Opens a session with `target` under `application_name` (at most 63 bytes are kept by the server).
/// The link is served by a task on the current runtime.
///
/// # Errors
/// [`PgError::Plaintext`] for another machine without TLS, before anything is sent; otherwise what
/// kept the session from coming about, within `options.connect_timeout`.
pub async fn connect(
    target: &Target,
    options: &SessionOptions,
    application_name: &str,
) -> Result<Session, PgError> {
    if !target.is_encrypted() && !target.host.is_local() {
        let host = match &target.host {
            Host::Tcp(host) => host.clone(),
            Host::Socket(path) => path.display().to_string(),
        };
        return Err(PgError::Plaintext { host });
    }
    tokio::time::timeout(
        options.connect_timeout,
        open(target, options, application_name),
    )
    .await
    .unwrap_or_else(|_| {
        Err(PgError::ConnectTimeout {
            target: target.to_string(),
            after: options.connect_timeout,
        })
    })
}

async fn open(
    target: &Target,
    options: &SessionOptions,
    application_name: &str,
) -> Result<Session, PgError> {
    let failed = |source| PgError::Connect {
        target: target.to_string(),
        source,
    };
    let tls = match target.is_encrypted() {
        true => Some(tls::connector(target.root_cert.as_deref())?),
        false => None,
    };
    let mut first_failure = None;
    for mut config in target.driver_configs() {
        config
            .application_name(application_name)
            .keepalives(true)
            .keepalives_idle(options.link_timeout)
            .keepalives_interval((options.link_timeout / 3).max(Duration::from_secs(1)))
            .keepalives_retries(3)
            .tcp_user_timeout(options.link_timeout);
        match log_in(&config, tls.clone()).await {
            Ok((client, link)) => {
                return set_up(client, link, tls, options).await.map_err(failed)?;
            }
            // No answer at this address: the server may be at the next one.
            Err(error) if Class::of_error(&error) == Class::Gone => {
                first_failure.get_or_insert(error);
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Err(match first_failure {
        Some(error) => failed(error),
        None => PgError::Address {
            problem: "it names no host".to_owned(),
        },
    })
}

async fn log_in(
    config: &tokio_postgres::Config,
    tls: Option<MakeRustlsConnect>,
) -> Result<(Client, Link), tokio_postgres::Error> {
    Ok(match tls {
        Some(tls) => {
            let (client, link) = config.connect(tls).await?;
            (client, serve(link))
        }
        None => {
            let (client, link) = config.connect(NoTls).await?;
            (client, serve(link))
        }
    })
}

/// Pins the settings of a session and learns who is at the other end. The outer error is the
/// driver's, the inner one an answer that is not understood.
async fn set_up(
    client: Client,
    link: Link,
    tls: Option<MakeRustlsConnect>,
    options: &SessionOptions,
) -> Result<Result<Session, PgError>, tokio_postgres::Error> {
    // From here on a failure drops the session and with it the link.
    let canceller = Canceller {
        token: client.cancel_token(),
        tls,
    };
    let mut session = Session {
        client,
        pid: 0,
        server_version_num: 0,
        in_recovery: false,
        doomed: AtomicBool::new(false),
        canceller,
        link,
    };
    let answer = session.client.simple_query(&options.statements()).await?;
    Ok(session.learn(&answer).map(|()| session))
}

/// Serves the link until it ends. Its failure reaches the caller that waits for an answer, so it is only
/// noted here.
fn serve(link: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static) -> Link {
    Link(tokio::spawn(async move {
        if let Err(error) = link.await {
            tracing::debug!(%error, "the link to the database ended");
        }
    }))
}

impl Session {
    fn learn(&mut self, answer: &[SimpleQueryMessage]) -> Result<(), PgError> {
        let unexpected = |answer: &str| PgError::Answer {
            what: "set up a session".to_owned(),
            answer: answer.to_owned(),
        };
        let row = answer
            .iter()
            .rev()
            .find_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(row),
                _ => None,
            })
            .ok_or_else(|| unexpected("no row"))?;
        let field = |name: &'static str| {
            row.try_get(name)
                .ok()
                .flatten()
                .ok_or_else(|| unexpected(name))
        };
        self.pid = field("pid")?.parse().map_err(|_| unexpected("pid"))?;
        self.server_version_num = field("server_version_num")?
            .parse()
            .map_err(|_| unexpected("server_version_num"))?;
        self.in_recovery = field("in_recovery")? == "t";
        Ok(())
    }

    /// Waits for `future` at most `deadline`. When it passes, the server is asked to cancel and the
    /// session is doomed.
    ///
    /// # Errors
    /// [`PgError::Timeout`] after the deadline, [`PgError::Gone`] when the session was given up
    /// earlier; in the latter case nothing was sent by this call.
    pub async fn within<F: Future>(
        &self,
        what: &str,
        deadline: Duration,
        future: F,
    ) -> Result<F::Output, PgError> {
        if !self.is_usable() {
            return Err(PgError::Gone {
                what: what.to_owned(),
            });
        }
        match tokio::time::timeout(deadline, future).await {
            Ok(output) => Ok(output),
            Err(_) => {
                self.doom();
                let canceller = self.canceller.clone();
                // Not awaited: the caller has waited long enough.
                tokio::spawn(async move {
                    if let Err(error) = canceller.cancel().await {
                        tracing::debug!(%error, "could not cancel a statement");
                    }
                });
                Err(PgError::Timeout {
                    what: what.to_owned(),
                    after: deadline,
                })
            }
        }
    }

    /// Runs [`Session::within`] for a result of the driver: `what` names the attempt in the error.
    ///
    /// # Errors
    /// Those of `within`, and [`PgError::Query`] when the statement failed.
    pub async fn run<T>(
        &self,
        what: &str,
        deadline: Duration,
        future: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, PgError> {
        self.within(what, deadline, future)
            .await?
            .map_err(|source| PgError::Query {
                what: what.to_owned(),
                source,
            })
    }

    /// Asks the server to cancel what runs now; gives up after 2 s. The session stays usable.
    ///
    /// # Errors
    /// When the server could not be asked.
    pub async fn cancel(&self) -> Result<(), PgError> {
        self.canceller.clone().cancel().await
    }

    /// Marks the session as one to be dropped.
    pub fn doom(&self) {
        self.doomed.store(true, Ordering::Relaxed);
    }

    /// Returns whether the link is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Returns whether the session may be used: the link stands and nothing was given up on it.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        !self.doomed.load(Ordering::Relaxed) && !self.is_closed()
    }

    /// Returns the major version of the server, e.g. 15.
    #[must_use]
    pub fn major_version(&self) -> u32 {
        self.server_version_num / 10_000
    }

    /// Ends the session in order and waits for that at most `deadline`.
    pub async fn close(self, deadline: Duration) {
        let Self {
            client, mut link, ..
        } = self;
        drop(client);
        // When the deadline passes the link is cut instead.
        drop(tokio::time::timeout(deadline, &mut link.0).await);
    }
}

/// The task that serves the link; it ends with the session.
#[derive(Debug)]
struct Link(JoinHandle<()>);

impl Drop for Link {
    fn drop(&mut self) {
        self.0.abort();
    }
}
