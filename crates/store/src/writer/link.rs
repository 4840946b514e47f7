//! A connection that may deliver for one host: the schema is right, the host has its number, this
//! agent alone has the host's lease, and the progress of its spool is known.

use crate::host;
use crate::migrations::{self, MigrateError};
use crate::progress::Progress;
use crate::series::Instant;
use crate::writer::ending::Ending;
use crate::writer::lease::{self, Holder};
use crate::writer::{Agent, Clock, Host};
use pg::Session;
use schema::{AgentOutcome, Timestamp};
use tokio_postgres::Client;
use uuid::Uuid;

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
    /// Another agent has the host's lease.
    #[error(
        "another collector writes for this machine id: {holder}; this one is {this}, and waits until it stops. \
         If these are two machines, one is a clone: there remove /etc/machine-id, run systemd-machine-id-setup and start \
         the collector again, or set `id` in section [host]"
    )]
    Held {
        /// The other one.
        holder: Holder,
        /// This one.
        this: Holder,
        /// Whether both have a queue of the same identity: this one is a clone with its queue, or the successor after a crash
        /// of the machine.
        is_same_queue: bool,
    },
    /// It was stopped before there was a link.
    #[error("stopped")]
    Stopped,
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
pub(super) fn statement(what: &'static str) -> impl Fn(tokio_postgres::Error) -> LinkError {
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
    /// The server's clock, and ours before it was read and after.
    pub(super) clocks: (Timestamp, (Timestamp, Timestamp)),
}

/// Connects and takes the host.
pub(super) async fn open(
    target: &pg::Target,
    options: &pg::SessionOptions,
    host: &Host,
    agent: &Agent,
    last_end: Option<Ending>,
    clock: Clock,
) -> Result<Link, LinkError> {
    let session = pg::connect(target, options, &lease::application_name(agent)).await?;
    migrations::check(&session.client).await?;
    let host_id = register_host(&session.client, host).await?;
    lease::take(&session.client, host_id, host, agent).await?;
    update_host(&session.client, host_id, host).await?;
    let covered = begin_run(&session.client, host_id, agent, last_end).await?;
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
        clocks: (server, (ours, clock())),
    })
}

/// Returns the number of a host, which it is given if it is new.
async fn register_host(client: &Client, host: &Host) -> Result<i32, LinkError> {
    let row = client
        .query_one(
            include_str!("register_host.sql"),
            &[&host.machine_id, &host.hostname],
        )
        .await
        .map_err(statement("registering the host"))?;
    Ok(row.get(0))
}

/// Stores what is known of the host.
async fn update_host(client: &Client, host_id: i32, host: &Host) -> Result<(), LinkError> {
    client
        .execute(
            include_str!("update_host.sql"),
            &[
                &host_id,
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
        .map_err(statement("storing what is known of the host"))?;
    Ok(())
}

/// Stores the run, closes runs that could not do that themselves, and returns the spans that other agents cover.
async fn begin_run(
    client: &Client,
    host_id: i32,
    agent: &Agent,
    last_end: Option<Ending>,
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
                &AgentOutcome::Stopped.as_str(),
                &last_end.map(|end| end.run.to_string()),
                &last_end.map(|end| Instant(end.at)),
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
