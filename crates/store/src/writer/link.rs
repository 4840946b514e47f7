//! A connection that may deliver for one host: the schema is right, the host has its number, this
//! agent alone holds the host's lock, and the progress of its spool is known.

use crate::host;
use crate::migrations::{self, MigrateError};
use crate::progress::Progress;
use crate::series::Instant;
use crate::writer::{Agent, Clock, Host};
use pg::Session;
use schema::{AgentOutcome, Timestamp};
use std::time::Duration;
use tokio_postgres::Client;
use uuid::Uuid;

/// First key of the advisory lock that one agent per host holds: "pqcc" in ASCII. The second is the host's number.
const LOCK_CLASS: i32 = 0x7071_6363;
/// Pause after ending a session of our own that a broken link left open.
const TERMINATE_GRACE: Duration = Duration::from_millis(300);

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    /// No connection.
    #[error("cannot reach the database: {0}")]
    Connect(#[from] pg::PgError),
    /// The schema does not fit.
    #[error(transparent)]
    Schema(#[from] MigrateError),
    /// A statement failed.
    #[error("{what} failed: {}", super::describe(.source))]
    Statement {
        /// The attempt.
        what: &'static str,
        /// The server's error.
        #[source]
        source: tokio_postgres::Error,
    },
    /// Another agent holds the host.
    #[error("another collector writes for this host ({holder}); waiting until it stops")]
    Held {
        /// Its session, as far as it is known.
        holder: String,
    },
    /// The progress that the database has for this spool cannot be read.
    #[error("the progress stored for spool {writer} cannot be read: {source}")]
    Progress {
        /// The spool.
        writer: Uuid,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// Makes the error of a statement.
fn statement(what: &'static str) -> impl Fn(tokio_postgres::Error) -> LinkError {
    move |source| LinkError::Statement { what, source }
}

/// A link with its place in history.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) session: Session,
    pub(super) host_id: i32,
    pub(super) seq: i64,
    pub(super) progress: Progress,
    pub(super) last_ts: Option<Timestamp>,
    /// Spans in which other agents wrote for this host.
    pub(super) covered: Vec<(Timestamp, Timestamp)>,
    /// The server's clock, and ours at the same time.
    pub(super) clocks: (Timestamp, Timestamp),
}

/// Connects and takes the host.
pub(super) async fn open(
    target: &pg::Target,
    options: &pg::SessionOptions,
    host: &Host,
    agent: &Agent,
    clock: Clock,
) -> Result<Link, LinkError> {
    let name = application_name(agent.writer);
    let session = pg::connect(target, options, &name).await?;
    migrations::check(&session.client).await?;
    let host_id = register_host(&session.client, host).await?;
    take_lock(&session.client, host_id, agent.writer).await?;
    let covered = begin_run(&session.client, host_id, agent).await?;
    let (seq, progress, last_ts) = read_progress(&session.client, host_id, agent.writer).await?;
    let ours = clock();
    let server = host::server_clock(&session.client).await;
    let server = server.map_err(statement("reading the server's clock"))?;
    Ok(Link {
        session,
        host_id,
        seq,
        progress,
        last_ts,
        covered,
        clocks: (server, ours),
    })
}

/// Returns the name under which the agent of a spool shows itself in `pg_stat_activity`.
fn application_name(writer: Uuid) -> String {
    format!("pqcrypta-collector {writer}")
}

/// Stores the host, and returns its number.
async fn register_host(client: &Client, host: &Host) -> Result<i32, LinkError> {
    let row = client
        .query_one(
            include_str!("register_host.sql"),
            &[
                &host.machine_id,
                &host.hostname,
                &host.kernel,
                &host.os,
                &host.cores,
                &host.memory_bytes,
                &host.boot_id,
                &host.boot_ts.map(Instant),
            ],
        )
        .await
        .map_err(statement("registering the host"))?;
    Ok(row.get(0))
}

/// Takes the host's lock. A session that our own spool left open is ended; any other agent wins.
async fn take_lock(client: &Client, host_id: i32, writer: Uuid) -> Result<(), LinkError> {
    const WHAT: &str = "taking the host's lock";
    for attempt in 0..2 {
        let row = client
            .query_one(
                "SELECT pg_try_advisory_lock($1, $2)",
                &[&LOCK_CLASS, &host_id],
            )
            .await
            .map_err(statement(WHAT))?;
        if row.get(0) {
            return Ok(());
        }
        let holder = client
            .query_opt(include_str!("lock_holder.sql"), &[&LOCK_CLASS, &host_id])
            .await
            .map_err(statement(WHAT))?;
        // Released in between: try again.
        let Some(holder) = holder else { continue };
        let (pid, name, since): (i32, Option<String>, Option<String>) =
            (holder.get(0), holder.get(1), holder.get(2));
        let name = name.unwrap_or_default();
        if attempt == 0 && name == application_name(writer) {
            tracing::info!(pid, "ending a session that a broken link left open");
            client
                .execute("SELECT pg_terminate_backend($1)", &[&pid])
                .await
                .map_err(statement(WHAT))?;
            tokio::time::sleep(TERMINATE_GRACE).await;
            continue;
        }
        let since = since.unwrap_or_default();
        return Err(LinkError::Held {
            holder: format!("server process {pid}, connected since {since}, {name}"),
        });
    }
    Err(LinkError::Held {
        holder: "unknown".to_owned(),
    })
}

/// Stores the run, closes runs that died, and returns the spans that other agents cover.
async fn begin_run(
    client: &Client,
    host_id: i32,
    agent: &Agent,
) -> Result<Vec<(Timestamp, Timestamp)>, LinkError> {
    let writer = agent.writer.to_string();
    let rows = client
        .query(
            include_str!("begin_run.sql"),
            &[
                &host_id,
                &agent.run_id.to_string(),
                &writer,
                &agent.pid,
                &agent.version,
                &Instant(agent.started_at),
                &agent.settings(),
                &AgentOutcome::Vanished.as_str(),
            ],
        )
        .await
        .map_err(statement("registering the run"))?;
    Ok(rows
        .iter()
        .map(|row| (row.get::<_, Instant>(0).0, row.get::<_, Instant>(1).0))
        .collect())
}

/// Reads the progress of a spool; a new one begins at 0.
async fn read_progress(
    client: &Client,
    host_id: i32,
    writer: Uuid,
) -> Result<(i64, Progress, Option<Timestamp>), LinkError> {
    let row = client
        .query_one(
            include_str!("read_progress.sql"),
            &[&host_id, &writer.to_string()],
        )
        .await
        .map_err(statement("reading the spool's progress"))?;
    let text: String = row.get(1);
    let progress =
        serde_json::from_str(&text).map_err(|source| LinkError::Progress { writer, source })?;
    Ok((
        row.get(0),
        progress,
        row.get::<_, Option<i64>>(2).map(Timestamp),
    ))
}
