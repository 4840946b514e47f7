//! Roll-ups: hours and days of every metric, kept when the samples are gone, and read where they are cheaper.
//!
//! # Form
//!
//! What is kept of a metric, key and hour are five figures (`series::partials`), computed by the metric's own expression from the
//! samples that the reader gives. A row of `metric_hours` has those of all metrics that one scan reads, for one
//! key; `rollup_layouts` tells which metric is where. What is rolled up follows from the catalogue: every metric whose table
//! declares it, except where the key names something that ends, as one process. Two other forms were measured on an hour of
//! 300 processes, 200 tables, 400 indexes and 500 statements (9,000 figures of metrics and keys):
//!
//! | | bytes per metric, key and hour | CPU to store an hour | exact for every metric |
//! |---|---|---|---|
//! | a row for each metric, key and hour | 245 | 170 ms | yes |
//! | **a row for each scan, key and hour** | **63** | **25 ms** | **yes** |
//! | the same, arrays of a day | 61; 24 without what repeats | 60 ms, and one day a second | yes |
//! | columns by the roles of the table's | 51, without count and last value | 20 ms | no |
//!
//! Columns of a table say nothing about a share of two of them, a sum over the processes of one name, or the part of cores
//! in a JSON column. Arrays of a day make every hour a rewrite of rows, or need a second form for the open day; they are what
//! sealing makes of closed days.
//!
//! The samples of a table are sent by the server once, in the order of their instants, and folded here (`fill`), which costs a
//! third of what statements did that sort and group them for each kind of metric.
//!
//! # Which hours
//!
//! The transaction that stores rows notes in `changed_hours` each hour that it adds to after the hour ended: either a newer hour
//! of the same writer has begun, or it is past by the clock. A tick of the current hour notes nothing, and the first tick of
//! an hour notes the one before. So a late row, a drained queue, a deferred table and a straggler are all the same. Hours of
//! a writer that fell silent are found by its watermark (`due_hours.sql`).
//!
//! The roll-up of an hour is one transaction of one snapshot (repeatable read): it reads the samples, replaces the rows of
//! the hour, and removes the notes of it. Both are seen or neither:
//!
//! * A writer that commits before the snapshot: its rows and its note are seen, and the note is removed.
//! * A writer that commits after the snapshot: neither is seen. Its note is another row, which the removal does not see; it stays,
//!   and the hour is taken again. Notes are never merged, so nobody waits for anybody.
//! * Two roll-ups at once, which the lock prevents but for a snapshot that is older than the other's end: one of them fails at the
//!   rows that both remove or at the key that both insert, and is taken again.
//! * It ends at any statement: nothing has changed.
//!
//! Steps begin before the hour they count in, so an hour that has changed takes those after it with it that are rolled
//! up already, as far as a step reaches (`series::pieces::reach`).
//!
//! A day is rolled up from its hours; the sum of their versions tells whether it is that of the present hours. Hours and
//! days are those of UTC, so that none has 23 or 25 of them.
//!
//! Hours whose samples are expired are never rolled up again: rows that arrive so late would replace a whole hour.
//!
//! # Earlier programs
//!
//! While a fleet is upgraded an earlier program may roll up. It leaves out metrics that it does not know, and what it replaces has them no
//! longer. So a note says which version of the hour is whole (`rollups.whole_version`): that of a program that knows all that the schema
//! has. An earlier one counts the version up and leaves that as it is, or knows that it knows less; so another version is read from
//! samples until a program that knows the schema has taken the hour again. Sums are noted in the same way (`summed_version`).
//!
//! # Who
//!
//! One collector has the turn (`turn`) and does the work for all hosts. Each transaction takes an advisory lock that ends with it
//! (`begin`), and none waits for it: who finds it taken ends its run. Nothing belongs to the session, so a pooler that gives each
//! transaction another one changes nothing. A run takes at most as long as it is told; the newest day first, and its hours in
//! order, so that an hour is not taken twice on behalf of the one before. What is left is reported.

mod changed;
mod days;
mod fill;
mod hours;
mod order;
mod scans;

use std::time::Duration;

use schema::Timestamp;
use schema::micros::{DAY, MINUTE};
use tokio::time::Instant as Clock;
use tokio_postgres::Client;

use crate::host::server_clock;
use crate::migrations;
use crate::series::{Instant, ReadError};
use crate::sums;

pub(crate) use changed::{hours_to_note, is_source};

/// Key of the advisory lock of a transaction that rolls up: "pqcrhist" in ASCII.
const LOCK: i64 = 0x7071_6372_6869_7374;
/// Time between two runs, seconds: what is not rolled up yet is read from samples, an hour of them at most.
pub const EVERY_SECS: u32 = 300;
/// An hour is taken so long after its end: slow queries of a service answer up to a minute after their tick.
const SETTLE: i64 = 2 * MINUTE;
/// A writer that stored nothing for so long is silent: its last hour is not noted by a newer one.
const SILENT: i64 = 10 * MINUTE;
/// Most hours taken from the list at a time: those of a day, which is rolled up before the next.
const AT_ONCE: i64 = 24;

/// A statement of the roll-up failed.
#[derive(Debug, thiserror::Error)]
#[error("{what} failed: {message}")]
pub struct RollupError {
    /// What was attempted.
    what: String,
    /// The server's message, or the failure of the link.
    message: String,
}

impl RollupError {
    pub(crate) fn new(what: impl Into<String>, source: tokio_postgres::Error) -> Self {
        Self {
            what: what.into(),
            message: crate::writer::describe(&source),
        }
    }
}

impl From<ReadError> for RollupError {
    fn from(error: ReadError) -> Self {
        Self::new(format!("rolling up {}", error.what), error.source)
    }
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Hours of hosts that were rolled up.
    pub hours: usize,
    /// Days of hosts.
    pub days: usize,
    /// Hours of hosts that are left.
    pub left: usize,
    /// The oldest of them.
    pub oldest_left: Option<Timestamp>,
    /// Hours, days and months whose sums were made.
    pub sums: usize,
    /// Days whose hours were put in order.
    pub ordered: usize,
}

/// An hour or a day of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unit {
    host_id: i32,
    start: i64,
}

/// Rolls up what is due, for at most `budget`, but one hour or day in any case, so that whoever calls it with little time gets on
/// as well; `None` when another session is at it.
///
/// # Errors
/// When a statement fails; what was rolled up before is stored. The session is to be closed.
pub async fn run(client: &Client, budget: Duration) -> Result<Option<Outcome>, RollupError> {
    let until = Clock::now() + budget;
    let now = server_clock(client)
        .await
        .map_err(|source| RollupError::new("reading the clock", source))?;
    let is_schema_known = migrations::is_known(client)
        .await
        .map_err(|source| RollupError::new("reading the schema version", source))?;
    let hosts = scans::hosts(client).await?;
    let mut outcome = Outcome::default();
    loop {
        for unit in days::due(client, now).await? {
            if is_enough(outcome.hours + outcome.days, until) {
                break;
            }
            if !days::roll_up(client, unit).await? {
                return Ok(None);
            }
            outcome.days += 1;
        }
        let due = hours::due(client, now, is_schema_known).await?;
        if due.is_empty() || is_enough(outcome.hours + outcome.days, until) {
            break;
        }
        for unit in due {
            if is_enough(outcome.hours + outcome.days, until) {
                break;
            }
            let host = scans::find(&hosts, unit.host_id);
            if !hours::roll_up(client, &host, unit.start).await? {
                return Ok(None);
            }
            outcome.hours += 1;
        }
    }
    (outcome.left, outcome.oldest_left) = hours::left(client, now, is_schema_known).await?;
    outcome.sums = sums::fill(client, now, until).await?;
    outcome.ordered = order::days(client, now, until).await?;
    Ok(Some(outcome))
}

/// Returns whether something is done and the time is over: who has little time does one unit of work in any case.
pub(crate) fn is_enough(done: usize, until: Clock) -> bool {
    done > 0 && Clock::now() >= until
}

/// Begins a transaction that has the lock until it ends; `false` when another one has it.
pub(crate) async fn begin(client: &Client, statement: &str) -> Result<bool, tokio_postgres::Error> {
    client.batch_execute(statement).await?;
    let row = client.query_one("SELECT pg_try_advisory_xact_lock($1)", &[&LOCK]);
    Ok(row.await?.get(0))
}

/// Makes the partition of a table that an instant lies in.
pub(crate) async fn ensure_partition(
    client: &Client,
    table: &str,
    at: i64,
) -> Result<(), RollupError> {
    let day = i32::try_from(at.div_euclid(DAY)).ok();
    for day in [None, day] {
        client
            .query_one(
                "SELECT collector.ensure_partition($1, date '1970-01-01' + $2::int4)",
                &[&table, &day],
            )
            .await
            .map_err(|source| RollupError::new(format!("making a partition of {table}"), source))?;
    }
    Ok(())
}
