//! Whose turn the work for all hosts is.
//!
//! One collector of the store has the turn of a task until an instant, by the database's clock, and prolongs it with each run. Others learn
//! with their heartbeats who has it, so that they open no session for it. When it dies, the next one that runs after that
//! instant takes it. What must not run twice at once has a lock beside it; the turn only keeps most collectors away.
//!
//! A collector that knows a newer schema takes the turn from one that knows an older one, since that one leaves out what is newer. The
//! row says so for one value of `until`: a collector that does not know these columns prolongs that alone.

use crate::migrations;
use std::time::Duration;
use tokio_postgres::{Client, Error};

/// Roll-ups and sealing.
pub const HISTORY: &str = "history";
/// Sizes of the store, its budget, and what is expired. A host whose clock is wrong does not take this turn: rows that were
/// dropped do not come back.
pub const UPKEEP: &str = "upkeep";

/// The tasks whose turn somebody has who knows at least the schema of this program. Parameters: $1 its version int4.
/// Columns: task text, host_id int4. Rows: one per task.
pub(crate) const TAKEN: &str = "SELECT task, host_id FROM collector.store_tasks \
     WHERE until > clock_timestamp() AND known_until = until AND known_version >= $1";

/// Takes the turn of a task for a host, or prolongs it; `false` while another host has it that knows no older schema.
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
            "INSERT INTO collector.store_tasks AS t (task, host_id, until, known_version, known_until) \
             SELECT $1, $2, u.until, $4, u.until \
             FROM (SELECT clock_timestamp() + $3::float8 * interval '1 second' AS until OFFSET 0) u \
             ON CONFLICT (task) DO UPDATE SET host_id = excluded.host_id, until = excluded.until, \
                 known_version = excluded.known_version, known_until = excluded.known_until \
             WHERE t.host_id = excluded.host_id OR t.until < excluded.until - $3::float8 * interval '1 second' \
                OR t.known_until IS DISTINCT FROM t.until OR t.known_version < excluded.known_version",
            &[&task, &host_id, &lasts.as_secs_f64(), &migrations::wanted()],
        )
        .await?;
    Ok(taken == 1)
}
