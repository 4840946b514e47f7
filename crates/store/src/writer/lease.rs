//! The lease of a host: one agent at a time writes for it.
//!
//! A lease is three columns of the agent's row in `spool_watermark`: until when, by which run of the agent, and the boot it runs
//! in. Each delivering transaction prolongs it by [`LEASE`] in the statement that moves the progress, so it costs nothing; an
//! agent that delivers less often prolongs it with a heartbeat. Only the database's clock counts. Nothing of it belongs to a session, so
//! poolers and several nodes of a cluster change nothing.
//!
//! Who connects takes it, in a transaction that locks the rows of the host: unless another agent's is in force. Taking it
//! clears all others, and a transaction commits only while the lease is its run's, so an agent that was away for longer than
//! its lease goes on with its next transaction if nobody came, and else reads anew who writes. A dead agent's lease ends after [`LEASE`]; one
//! that stops in order gives it back.
//!
//! The successor of a run is recognized by the identity of its spool, which one process at a time has, and by the boot; it does not wait.
//! A machine that was cloned with its queue has the same spool in another boot, and waits as a clone without it does. So does a
//! machine that crashed and is up again within [`LEASE`]; it goes on sampling meanwhile.

use super::link::{LinkError, statement};
use super::{Agent, Host};
use std::fmt;
use std::time::Duration;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// How long a lease is in force after it was prolonged. An agent that delivers every ten seconds may lose two transactions of the ten
/// seconds that each may take.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
/// How long after it was prolonged the next heartbeat prolongs it.
pub(super) const RENEW_AFTER: Duration = Duration::from_secs(12);
/// Pause after ending sessions of our own that a broken link left open.
const TERMINATE_GRACE: Duration = Duration::from_millis(300);

/// Identity of an agent, as an operator can tell it from another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) hostname: String,
    pub(super) boot: Option<String>,
    pub(super) writer: String,
    /// Process, version and start, as far as they are known.
    pub(super) run: Option<String>,
}

impl Holder {
    /// Returns the identity of this agent.
    pub(super) fn this(host: &Host, agent: &Agent) -> Self {
        Self {
            hostname: host.hostname.clone(),
            boot: host.boot_id.clone(),
            writer: agent.writer.to_string(),
            run: None,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let boot = self.boot.as_deref().unwrap_or("unknown");
        write!(f, "{} (boot {boot}, queue {}", self.hostname, self.writer)?;
        if let Some(run) = &self.run {
            write!(f, ", {run}")?;
        }
        f.write_str(")")
    }
}

/// A row of `lock_leases.sql`.
struct Lease {
    writer: String,
    run: Option<String>,
    boot: Option<String>,
    is_in_force: bool,
}

/// Takes the lease of a host for a run.
///
/// # Errors
/// [`LinkError::Held`] while another agent has it.
pub(super) async fn take(
    client: &Client,
    host_id: i32,
    host: &Host,
    agent: &Agent,
) -> Result<(), LinkError> {
    begin(client, host_id, agent).await?;
    let taken = match attempt(client, host_id, host, agent).await {
        Err(error) if is_locked(&error) => {
            // A transaction of ours that a broken link left open holds the row.
            roll_back(client).await?;
            end_leftovers(client, host_id, host, agent).await?;
            attempt(client, host_id, host, agent).await
        }
        taken => taken,
    };
    if taken.is_err()
        && let Err(error) = roll_back(client).await
    {
        // What went wrong first is reported.
        tracing::debug!(%error, "the attempt was not rolled back");
    }
    taken
}

/// Makes the row of the agent: committed before the rows are locked, so that of two new agents one sees the other's.
async fn begin(client: &Client, host_id: i32, agent: &Agent) -> Result<(), LinkError> {
    client
        .execute(
            "INSERT INTO collector.spool_watermark (host_id, writer, seq, progress) \
             VALUES ($1, $2::text::uuid, 0, '{}') ON CONFLICT (host_id, writer) DO NOTHING",
            &[&host_id, &agent.writer.to_string()],
        )
        .await
        .map_err(statement("registering the spool"))?;
    Ok(())
}

async fn attempt(
    client: &Client,
    host_id: i32,
    host: &Host,
    agent: &Agent,
) -> Result<(), LinkError> {
    const WHAT: &str = "taking the host's lease";
    client
        .batch_execute("BEGIN")
        .await
        .map_err(statement(WHAT))?;
    let rows = client
        .query(include_str!("lock_leases.sql"), &[&host_id])
        .await
        .map_err(statement(WHAT))?;
    let (writer, boot) = (agent.writer.to_string(), host.boot_id.clone());
    let is_other = |lease: &Lease| lease.writer != writer || lease.boot != boot;
    let held = rows
        .iter()
        .map(read)
        .find(|lease| lease.is_in_force && is_other(lease));
    if let Some(lease) = held {
        return Err(LinkError::Held {
            is_same_queue: lease.writer == writer,
            holder: holder(client, host_id, lease).await?,
            this: Holder::this(host, agent),
        });
    }
    client
        .execute(
            "UPDATE collector.spool_watermark SET \
             lease_until = CASE WHEN writer = $2::text::uuid THEN clock_timestamp() + $5::float8 * interval '1 second' END, \
             lease_run = CASE WHEN writer = $2::text::uuid THEN $3::text::uuid END, \
             lease_boot = CASE WHEN writer = $2::text::uuid THEN $4::text END \
             WHERE host_id = $1 AND (writer = $2::text::uuid OR lease_run IS NOT NULL)",
            &[
                &host_id,
                &writer,
                &agent.run_id.to_string(),
                &boot,
                &LEASE.as_secs_f64(),
            ],
        )
        .await
        .map_err(statement(WHAT))?;
    client
        .batch_execute("COMMIT")
        .await
        .map_err(statement(WHAT))
}

fn read(row: &tokio_postgres::Row) -> Lease {
    Lease {
        writer: row.get(0),
        run: row.get(1),
        boot: row.get(2),
        is_in_force: row.get(3),
    }
}

/// Returns who has a lease.
async fn holder(client: &Client, host_id: i32, lease: Lease) -> Result<Holder, LinkError> {
    let row = client
        .query_one(include_str!("lease_holder.sql"), &[&host_id, &lease.run])
        .await
        .map_err(statement("finding out who has the host's lease"))?;
    let (pid, version, since): (Option<i32>, Option<String>, Option<String>) =
        (row.get(1), row.get(2), row.get(3));
    let run = pid.zip(version).zip(since);
    Ok(Holder {
        hostname: row.get(0),
        boot: lease.boot,
        writer: lease.writer,
        run: run.map(|((pid, version), since)| {
            format!("process {pid}, version {version}, since {since}")
        }),
    })
}

fn is_locked(error: &LinkError) -> bool {
    matches!(error, LinkError::Statement { source, .. } if source.code() == Some(&SqlState::LOCK_NOT_AVAILABLE))
}

async fn roll_back(client: &Client) -> Result<(), LinkError> {
    client
        .batch_execute("ROLLBACK")
        .await
        .map_err(statement("giving up the host's lease"))
}

/// Returns the name under which the agent of a spool shows itself in `pg_stat_activity`.
pub(super) fn application_name(agent: &Agent) -> String {
    format!("pqcrypta-collector {}", agent.writer)
}

/// Ends the transactions of sessions of this agent, or its predecessor in this boot, that a broken link left open.
async fn end_leftovers(
    client: &Client,
    host_id: i32,
    host: &Host,
    agent: &Agent,
) -> Result<(), LinkError> {
    const WHAT: &str = "ending sessions that a broken link left open";
    // The same queue in another boot is that of another machine, which is at work.
    let ended = client
        .query(
            "SELECT a.pid, pg_terminate_backend(a.pid) FROM pg_stat_activity a \
             WHERE a.application_name = $1 AND a.datname = current_database() AND a.usename = current_user \
               AND a.pid <> pg_backend_pid() AND a.state <> 'idle' \
               AND EXISTS (SELECT FROM collector.spool_watermark w WHERE w.host_id = $2 AND w.writer = $3::text::uuid \
                           AND w.lease_boot IS NOT DISTINCT FROM $4::text)",
            &[
                &application_name(agent),
                &host_id,
                &agent.writer.to_string(),
                &host.boot_id,
            ],
        )
        .await
        .map_err(statement(WHAT))?;
    for row in &ended {
        tracing::info!(
            pid = row.get::<_, i32>(0),
            "ended a session that a broken link left open"
        );
    }
    if !ended.is_empty() {
        tokio::time::sleep(TERMINATE_GRACE).await;
    }
    Ok(())
}

/// Prolongs the lease; `false` when it is another run's.
pub(super) async fn renew(
    client: &Client,
    host_id: i32,
    agent: &Agent,
) -> Result<bool, tokio_postgres::Error> {
    let renewed = client
        .execute(
            "UPDATE collector.spool_watermark SET lease_until = clock_timestamp() + $4::float8 * interval '1 second' \
             WHERE host_id = $1 AND writer = $2::text::uuid AND lease_run = $3::text::uuid",
            &[
                &host_id,
                &agent.writer.to_string(),
                &agent.run_id.to_string(),
                &LEASE.as_secs_f64(),
            ],
        )
        .await?;
    Ok(renewed == 1)
}
