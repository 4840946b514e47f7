//! Sealing: closed days of bulky tables are stored as arrays, a row for each series and hour.
//!
//! # Form
//!
//! A sealed row is an hour of a series (host and key columns). A column whose value does not change in the hour is stored
//! once, another one as an array; the instants are those of the hour, which all series share, and a series has its own where
//! it lacks one of them. Which tables are sealed is part of their declaration (`TableDef::sealed`); everything else follows
//! from the columns that the database has (migration 24, `collector.declare_sealed`), so that a new column is sealed without
//! being named anywhere. Values are compared and kept as they are stored: they come back bit for bit, NULL too.
//!
//! Measured, bytes for each row with its share of indexes:
//!
//! | table | rows | sealed |
//! |---|---|---|
//! | samples of 300 processes, a quarter of which used CPU time | 113 | 5.4 |
//! | the same of a generated day, in which every figure of each is random | 113 | 23 |
//! | tables, indexes, statements of that day, 12 rows an hour | 186, 198, 224 | 93, 36, 89 |
//! | answers of endpoints, buckets of latencies | 78, 81 | 3, 10 |
//!
//! The server takes 95 to 150 ms of CPU time for an hour of processes, up to half of which is the compression (`pglz`; `lz4`
//! saves 20 ms and takes a tenth more room). To read an hour of all processes takes it 40 ms, of rows 10.
//!
//! # A day at a time
//!
//! Sealing an hour and deleting its rows would double what is written, leave dead rows for vacuum, and hold the space until the
//! day expires. The rows lie in a partition of their day, which can be dropped at once. So hours are sealed as soon as they
//! are rolled up, into a table that nothing reads, and when the day is over, one transaction puts that table in place and drops
//! the partition:
//!
//! ```text
//! process_samples_20261129  ─ seal_hour ×24 ─▶  process_samples_sealing_20261129   (not read)
//!                           ─ seal_day ──────▶  process_samples_sealed_20261129    (partition of process_samples_sealed)
//! ```
//!
//! * A row is in one of both, for every reader and at every instant. The view that readers use names both tables, so a
//!   statement that was planned before holds locks that the change waits for, and one that is planned afterwards sees it.
//! * `seal_day` locks writers of that day out, counts the rows of each hour, and changes nothing unless all of them are sealed.
//!   So rows that came meanwhile are never lost, whether or not something noted them.
//! * It ends at any statement: nothing has changed but hours that are sealed beside, and these are used the next time.
//! * Rows that arrive for a sealed day get a partition again, and are read from there. An hour later they are sealed as another
//!   part of their hours and added to the day, in the same way.
//! * Today is not sealed: what the last hours are asked for is read as before, at the same cost, as no partition of sealed rows
//!   is of today.
//!
//! Rows without a partition of their day (of clocks that are wrong, or older than a week when they arrive) stay as they are.
//!
//! # Who
//!
//! Who rolls up, after that: one collector of the store (`turn`), for all hosts. The functions of the database take a lock that ends
//! with their transaction, so that two at once seal nothing twice. A lock is waited for a tenth of a second, or half a second for an
//! hour; what is refused is tried with the next run.

use std::time::Duration;

use schema::Timestamp;
use schema::micros::HOUR;
use tokio::time::Instant as Clock;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::failpoint::failpoint;
use crate::host::server_clock;
use crate::rollup::is_enough;
use crate::series::Instant;

/// A day is completed so long after its end: what is late by minutes does not make a partition of its own.
const SETTLE: i64 = HOUR;
/// Most hours taken from the list at a time.
const AT_ONCE: i64 = 24;
/// What a statement fails with while another run is at the same day: nothing is wrong, and the next run finds what is left.
const BUSY: [SqlState; 3] = [
    SqlState::LOCK_NOT_AVAILABLE,
    SqlState::T_R_DEADLOCK_DETECTED,
    SqlState::UNDEFINED_TABLE,
];
/// How often an hour of a day is sealed again before the day is left to the next run.
const ATTEMPTS: usize = 3;

/// A statement failed.
#[derive(Debug, thiserror::Error)]
#[error("{what} failed: {message}")]
pub struct SealError {
    /// What was attempted.
    what: String,
    /// The server's message, or the failure of the link.
    message: String,
    /// Whether a lock was not given in time, or another run has completed the day meanwhile and dropped its rows.
    is_busy: bool,
}

impl SealError {
    fn new(what: impl Into<String>, source: tokio_postgres::Error) -> Self {
        let is_busy = source.code().is_some_and(|code| BUSY.contains(code));
        Self {
            what: what.into(),
            message: crate::writer::describe(&source),
            is_busy,
        }
    }
}

#[cfg(debug_assertions)]
impl From<std::io::Error> for SealError {
    fn from(error: std::io::Error) -> Self {
        Self {
            what: "a failpoint".to_owned(),
            message: error.to_string(),
            is_busy: false,
        }
    }
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Hours of hosts and tables that were sealed.
    pub hours: usize,
    /// Days of tables that were completed.
    pub days: usize,
    /// Days of tables that are over and not completed.
    pub left: usize,
}

/// Seals what is due, for at most `budget`, but one hour or day in any case.
///
/// # Errors
/// When a statement fails other than for a lock; what was sealed before is stored. The session is to be closed.
pub async fn run(client: &Client, budget: Duration) -> Result<Outcome, SealError> {
    let until = Clock::now() + budget;
    let now = server_clock(client).await;
    let now = now.map_err(|source| SealError::new("reading the clock", source))?;
    let mut outcome = Outcome::default();
    'hours: loop {
        let due = due_hours(client).await?;
        if due.is_empty() || is_enough(outcome.hours + outcome.days, until) {
            break;
        }
        for hour in due {
            if is_enough(outcome.hours + outcome.days, until) {
                break;
            }
            match hour.seal(client).await {
                Ok(()) => outcome.hours += 1,
                Err(error) if error.is_busy => {
                    tracing::debug!(%error, "an hour cannot be sealed yet");
                    break 'hours;
                }
                Err(error) => return Err(error),
            }
        }
    }
    for day in due_days(client, now).await? {
        if is_enough(outcome.hours + outcome.days, until) {
            outcome.left += 1;
            continue;
        }
        match day.complete(client, until, &mut outcome).await {
            Ok(true) => outcome.days += 1,
            Ok(false) => outcome.left += 1,
            Err(error) if error.is_busy => {
                tracing::debug!(%error, "a day cannot be sealed yet");
                outcome.left += 1;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(outcome)
}

/// An hour of a host in a table.
#[derive(Debug)]
struct Hour {
    table: String,
    host_id: i32,
    start: Instant,
}

impl Hour {
    /// Seals it beside its rows.
    async fn seal(&self, client: &Client) -> Result<(), SealError> {
        failpoint!("seal.hour");
        client
            .query_one(
                "SELECT collector.seal_hour($1, $2, $3)",
                &[&self.table, &self.host_id, &self.start],
            )
            .await
            .map_err(|source| {
                SealError::new(format!("sealing an hour of {}", self.table), source)
            })?;
        failpoint!("seal.hour.done");
        Ok(())
    }
}

/// A day of a table.
#[derive(Debug)]
struct Day {
    table: String,
    /// Days since 1970.
    day: i32,
}

impl Day {
    /// Completes it, and seals the hours that are missing. Returns whether it is complete.
    async fn complete(
        &self,
        client: &Client,
        until: Clock,
        outcome: &mut Outcome,
    ) -> Result<bool, SealError> {
        for _ in 0..ATTEMPTS {
            failpoint!("seal.day");
            let missing = client
                .query(
                    "SELECT host_id, bucket FROM collector.seal_day($1, date '1970-01-01' + $2::int4)",
                    &[&self.table, &self.day],
                )
                .await
                .map_err(|source| SealError::new(format!("sealing a day of {}", self.table), source))?;
            failpoint!("seal.day.done");
            if missing.is_empty() {
                return Ok(true);
            }
            for row in missing {
                if is_enough(outcome.hours + outcome.days, until) {
                    return Ok(false);
                }
                let hour = Hour {
                    table: self.table.clone(),
                    host_id: row.get(0),
                    start: row.get(1),
                };
                hour.seal(client).await?;
                outcome.hours += 1;
            }
        }
        Ok(false)
    }
}

/// Reads the hours that are due, the first [`AT_ONCE`] of them.
async fn due_hours(client: &Client) -> Result<Vec<Hour>, SealError> {
    let rows = client
        .query(include_str!("due_hours.sql"), &[&AT_ONCE])
        .await
        .map_err(|source| SealError::new("reading the hours to seal", source))?;
    let hour = |row: &tokio_postgres::Row| Hour {
        table: row.get(0),
        host_id: row.get(1),
        start: row.get(2),
    };
    Ok(rows.iter().map(hour).collect())
}

/// Reads the days that are due.
async fn due_days(client: &Client, now: Timestamp) -> Result<Vec<Day>, SealError> {
    let before = Instant(Timestamp(now.as_micros().saturating_sub(SETTLE)));
    let rows = client
        .query(include_str!("due_days.sql"), &[&before])
        .await
        .map_err(|source| SealError::new("reading the days to seal", source))?;
    let day = |row: &tokio_postgres::Row| Day {
        table: row.get(0),
        day: row.get(1),
    };
    Ok(rows.iter().map(day).collect())
}
