//! The order of hours: those of a key lie together once their day is over.
//!
//! Hours are stored as they are rolled up, so the 24 of a key lie on as many pages of the day's partition, and a chart of 30 days of
//! eight names reads 6,000. A day that is over is rewritten once in the order of its key (`CLUSTER`, migration 29), after which they
//! are one or two pages. Whether it was, the server notes itself; hours that are rolled up again later lie at the end, and
//! are few.
//!
//! The rewrite locks readers of that day out. So it takes no day of more than [`MOST_BYTES`], and waits for nobody.

use std::time::Duration;

use schema::Timestamp;
use schema::micros::HOUR;
use tokio::time::Instant as Clock;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::{Instant, RollupError};

/// A day is put in order so long after its end: what is late by minutes is rolled up by then.
const SETTLE: i64 = HOUR;
/// Most bytes of a day: these are rewritten within half a second, the longest that a lock is held. A usual host has 6 MB a day.
const MOST_BYTES: i64 = 24 << 20;
/// Most days of a run: after an upgrade 90 are due, each of which is written to the log once more.
const AT_ONCE: usize = 8;
/// Whoever waited for a day reads before the next one is locked.
const PAUSE: Duration = Duration::from_millis(20);

/// Puts days in order until `until`, and returns how many. A day whose lock is taken is left to the next run.
pub(super) async fn days(
    client: &Client,
    now: Timestamp,
    until: Clock,
) -> Result<usize, RollupError> {
    let before = Instant(Timestamp(now.as_micros().saturating_sub(SETTLE)));
    let rows = client
        .query(include_str!("unordered_days.sql"), &[&before, &MOST_BYTES])
        .await
        .map_err(|source| RollupError::new("reading the days to put in order", source))?;
    let mut ordered = 0;
    for row in rows.iter().take(AT_ONCE) {
        if Clock::now() >= until {
            break;
        }
        let day: i32 = row.get(0);
        let sql = "SELECT collector.order_hours(date '1970-01-01' + $1::int4)";
        match client.query_one(sql, &[&day]).await {
            Ok(_) => ordered += 1,
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                tracing::debug!(%error, "a day cannot be put in order yet");
            }
            Err(error) => return Err(RollupError::new("putting a day in order", error)),
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(ordered)
}
