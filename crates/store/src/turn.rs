//! Whose turn the work for all hosts is.
//!
//! One collector of the store has the turn of a task until an instant, by the database's clock, and prolongs it with each run. Others learn
//! with their heartbeats who has it, so that they open no session for it. When it dies, the next one that runs after that
//! instant takes it. What must not run twice at once has a lock beside it; the turn only keeps most collectors away.

use std::time::Duration;
use tokio_postgres::{Client, Error};

/// Roll-ups and sealing.
pub const HISTORY: &str = "history";
/// Sizes of the store, its budget, and what is expired. A host whose clock is wrong does not take this turn: rows that were
/// dropped do not come back.
pub const UPKEEP: &str = "upkeep";

/// Takes the turn of a task for a host, or prolongs it; `false` while another host has it.
///
/// # Errors
/// The error that the server reported.
pub async fn take(
    client: &Client,
    task: &str,
    host_id: i32,
    lasts: Duration,
) -> Result<bool, Error> {
    let taken = client
        .execute(
            "INSERT INTO collector.store_tasks AS t (task, host_id, until) \
             VALUES ($1, $2, clock_timestamp() + $3::float8 * interval '1 second') \
             ON CONFLICT (task) DO UPDATE SET host_id = excluded.host_id, until = excluded.until \
             WHERE t.host_id = excluded.host_id OR t.until < excluded.until - $3::float8 * interval '1 second'",
            &[&task, &host_id, &lasts.as_secs_f64()],
        )
        .await?;
    Ok(taken == 1)
}
