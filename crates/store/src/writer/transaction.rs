//! One delivering transaction: the rows of each table, the findings that follow from them, gaps, dead-lettered rows, and
//! the new progress by compare-and-set. It is atomic.

use super::batch::{Batch, Gap, TableBatch};
use super::copy::{Failed, Statements, bisect, copy_all, dead_letter};
use super::insert::{insert_all, is_inserted};
use super::lease::LEASE;
use super::{Clock, describe, findings};
use crate::failpoint::failpoint;
use crate::migrations;
use crate::partitions::lacks_partition;
use crate::processes;
use crate::rollup;
use crate::series::Instant;
use crate::tuple::Group;
use crate::turn;
use schema::Timestamp;
use std::collections::BTreeSet;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// Why rows of a newer version are dead-lettered: what `collector.take_dead_letters` looks for.
const NO_SUCH_TABLE: &str = "this version has no such table";

/// Why a transaction was not committed.
#[derive(Debug)]
pub(super) enum Stop {
    /// One table did not take its rows; the others may. `desynced`: it failed before the server
    /// asked for data, after which the driver's answers lag one query (it sends a second
    /// Sync); the connection must not be used again.
    Table {
        table: &'static str,
        class: pg::Class,
        error: tokio_postgres::Error,
        desynced: bool,
    },
    /// The heartbeat was refused; the rows were not.
    Heartbeat(tokio_postgres::Error),
    /// No partition takes the rows of a table; the rows themselves are valid.
    NoPartition { table: &'static str },
    /// Another agent moved the progress or has taken the host's lease, or the last commit did happen: read it again.
    Fenced,
    /// The connection, or something that concerns all tables. The outcome may be unknown.
    Link(String),
}

impl From<tokio_postgres::Error> for Stop {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Link(describe(&error))
    }
}

#[cfg(debug_assertions)]
impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Link(error.to_string())
    }
}

/// What the database answers to a heartbeat.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pulse {
    /// The server's clock.
    pub(super) clock: Timestamp,
    /// Ours before it was read and after.
    pub(super) ours: (Timestamp, Timestamp),
    /// The host whose turn roll-ups are, if it is anybody's.
    pub(super) keeper: Option<i32>,
    /// The same of upkeep.
    pub(super) upkeep: Option<i32>,
}

/// Counts of a committed transaction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stored {
    pub(super) rows: u64,
    pub(super) dead_letters: u64,
    pub(super) lost_records: u64,
    /// What the heartbeat told.
    pub(super) heartbeat: Option<Pulse>,
}

/// The place of a transaction in the spool's history.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) host_id: i32,
    pub(super) writer: Uuid,
    /// The run that has the host's lease.
    pub(super) run: Uuid,
    /// Compare-and-set: the value read before.
    pub(super) seq: i64,
    /// The progress after it, as JSON.
    pub(super) progress: String,
    /// Whether it brings rows older than those stored before.
    pub(super) late: bool,
    /// The newest sample that was stored before.
    pub(super) before: Option<Timestamp>,
    /// The server's clock.
    pub(super) now: Timestamp,
    /// Whether to store a heartbeat with it.
    pub(super) heartbeat: bool,
    /// Our clock.
    pub(super) clock: Clock,
}

/// Runs the transaction. `skip` are deferred tables; `bisected` are tables whose last COPY failed
/// on data, so their rows are tried in halves until the bad row is alone.
pub(super) async fn run(
    client: &Client,
    statements: &mut Statements,
    batch: &Batch,
    mark: &Mark,
    skip: &BTreeSet<&'static str>,
    bisected: &BTreeSet<&'static str>,
) -> Result<Stored, Stop> {
    failpoint!("writer.begin");
    client.batch_execute("BEGIN").await?;
    let wanted = batch
        .tables
        .iter()
        .filter(|entry| !skip.contains(entry.table.name));
    let tables: Vec<&TableBatch> = wanted.collect();
    let mut stored = store_rows(client, statements, &tables, mark.host_id, bisected).await?;
    findings::follow(client, statements, &tables, mark.host_id).await?;
    note_hours(client, statements, &tables, batch.newest, mark).await?;
    for group in &batch.unknown_tables {
        dead_letter(
            client,
            statements,
            group,
            mark.host_id,
            "42P01",
            NO_SUCH_TABLE,
        )
        .await?;
        stored.dead_letters += u64::from(group.rows);
    }
    for gap in &batch.gaps {
        insert_gap(client, statements, gap, mark.host_id).await?;
        stored.lost_records += gap.records;
    }
    if mark.heartbeat {
        let heartbeat = store_heartbeat(client, statements, mark.host_id, mark.clock).await;
        stored.heartbeat = match heartbeat {
            Ok(pulse) => Some(pulse),
            Err(error) if error.as_db_error().is_some() => return Err(Stop::Heartbeat(error)),
            Err(error) => return Err(error.into()),
        };
    }
    failpoint!("writer.mark");
    if !advance(client, statements, batch, mark).await? {
        return Err(Stop::Fenced);
    }
    failpoint!("writer.commit");
    client.batch_execute("COMMIT").await?;
    failpoint!("writer.committed");
    Ok(stored)
}

/// Stores the rows of these tables: few by INSERT, many by COPY, those of `bisected` tables in halves.
async fn store_rows(
    client: &Client,
    statements: &mut Statements,
    tables: &[&TableBatch],
    host_id: i32,
    bisected: &BTreeSet<&'static str>,
) -> Result<Stored, Stop> {
    let mut stored = Stored::default();
    let (few, many): (Vec<&TableBatch>, Vec<&TableBatch>) = tables
        .iter()
        .partition(|entry| is_inserted(entry) && !bisected.contains(entry.table.name));
    if !few.is_empty() {
        failpoint!("writer.insert");
        let inserted = insert_all(client, statements, &few, host_id).await;
        inserted.map_err(|(table, error)| Failed::from(error).stop(table))?;
        stored.rows += rows_of(&few);
    }
    for entry in many {
        failpoint!("writer.copy");
        let count = if bisected.contains(entry.table.name) {
            bisect(client, statements, &entry.groups, host_id).await
        } else {
            let copied = copy_all(client, statements, &entry.groups, host_id).await;
            copied.map(|rows| (rows, 0))
        };
        let (rows, dead_letters) = count.map_err(|failed| failed.stop(entry.table.name))?;
        if processes::queued_as(entry.table).is_some() {
            stored.rows += rows;
        }
        stored.dead_letters += dead_letters;
    }
    Ok(stored)
}

/// Notes the hours that have to be rolled up again on account of these rows.
async fn note_hours(
    client: &Client,
    statements: &mut Statements,
    tables: &[&TableBatch],
    newest: Option<Timestamp>,
    mark: &Mark,
) -> Result<(), Stop> {
    let sources = tables
        .iter()
        .filter(|entry| rollup::is_source(entry.table.name));
    let groups = sources.flat_map(|entry| &entry.groups);
    let instants = groups.flat_map(Group::instants);
    let hours = rollup::hours_to_note(instants, mark.before, newest, mark.now);
    if hours.is_empty() {
        return Ok(());
    }
    failpoint!("writer.hours");
    let sql = "INSERT INTO collector.changed_hours (host_id, bucket) SELECT $1, unnest($2::timestamptz[])";
    let statement = statements.get(client, sql).await?;
    let hours: Vec<Instant> = hours.into_iter().map(Instant).collect();
    client.execute(&statement, &[&mark.host_id, &hours]).await?;
    Ok(())
}

/// Returns the number of queued rows.
fn rows_of(entries: &[&TableBatch]) -> u64 {
    let queued = entries
        .iter()
        .filter(|entry| processes::queued_as(entry.table).is_some());
    let groups = queued.flat_map(|entry| &entry.groups);
    groups.map(|group| u64::from(group.rows)).sum()
}

impl Failed {
    /// Classifies the failure of a table's rows.
    pub(super) fn stop(self, table: &'static str) -> Stop {
        let Self { error, desynced } = self;
        if lacks_partition(&error) {
            return Stop::NoPartition { table };
        }
        let locked = error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE);
        match pg::Class::of_error(&error) {
            class @ (pg::Class::Poison | pg::Class::Refused) => Stop::Table {
                table,
                class,
                error,
                desynced,
            },
            class if locked => Stop::Table {
                table,
                class,
                error,
                desynced,
            },
            _ => error.into(),
        }
    }
}

/// Stores a heartbeat, by the server's clock: whether a host is silent does not depend on its own.
pub(super) async fn store_heartbeat(
    client: &Client,
    statements: &mut Statements,
    host_id: i32,
    clock: Clock,
) -> Result<Pulse, tokio_postgres::Error> {
    let insert = statements
        .get(
            client,
            "INSERT INTO collector.heartbeat (ts, host_id, component, status) \
             VALUES (clock_timestamp(), $1, 'collector', 'alive') RETURNING ts",
        )
        .await?;
    let ask = statements.get(client, turn::TAKEN).await?;
    let host: [&(dyn ToSql + Sync); 1] = [&host_id];
    let known: [&(dyn ToSql + Sync); 1] = [&migrations::wanted()];
    let before = clock();
    // Sent together: the answers take one round trip.
    let (heartbeat, turns) =
        tokio::try_join!(client.query_one(&insert, &host), client.query(&ask, &known))?;
    let whose = |task: &str| {
        let turn = turns.iter().find(|row| row.get::<_, &str>(0) == task);
        turn.map(|row| row.get(1))
    };
    Ok(Pulse {
        clock: heartbeat.get::<_, Instant>(0).0,
        ours: (before, clock()),
        keeper: whose(turn::HISTORY),
        upkeep: whose(turn::UPKEEP),
    })
}

/// Returns whether a table would take rows now: the lock, the right and the table itself, without a row.
pub(super) async fn probe(client: &Client, table: &str) -> Result<(), tokio_postgres::Error> {
    client
        .batch_execute(&format!(
            "EXPLAIN INSERT INTO collector.{table} (ts, host_id) VALUES (now(), 1)"
        ))
        .await
}

/// Stores a gap.
async fn insert_gap(
    client: &Client,
    statements: &mut Statements,
    gap: &Gap,
    host_id: i32,
) -> Result<(), tokio_postgres::Error> {
    let statement = statements
        .get(
            client,
            "INSERT INTO collector.data_gaps (ts, host_id, class, from_ts, to_ts, count, rows, reason) \
             VALUES (now(), $1, $2, $3, $4, $5, $6, $7)",
        )
        .await?;
    tracing::warn!(
        class = gap.class.as_str(),
        records = gap.records,
        reason = gap.reason,
        "samples are lost; recorded in data_gaps"
    );
    let count = i64::try_from(gap.records).unwrap_or(i64::MAX);
    let rows = gap.rows.map(|rows| i64::try_from(rows).unwrap_or(i64::MAX));
    client
        .execute(
            &statement,
            &[
                &host_id,
                &gap.class.as_str(),
                &Instant(gap.from),
                &Instant(gap.to),
                &count,
                &rows,
                &gap.reason,
            ],
        )
        .await?;
    Ok(())
}

/// Moves the progress from `seq` to the next, and prolongs the lease; `false` when it stood elsewhere, or the lease is another
/// run's.
async fn advance(
    client: &Client,
    statements: &mut Statements,
    batch: &Batch,
    mark: &Mark,
) -> Result<bool, tokio_postgres::Error> {
    let statement = statements
        .get(
            client,
            "UPDATE collector.spool_watermark SET seq = seq + 1, progress = $4::text::jsonb, \
             last_ts = greatest(last_ts, $5), \
             history_gen = history_gen + $6::int4, updated_at = now(), \
             lease_until = clock_timestamp() + $8::float8 * interval '1 second' \
             WHERE host_id = $1 AND writer = $2::text::uuid AND seq = $3 AND lease_run = $7::text::uuid",
        )
        .await?;
    let newest = batch.newest.map(Instant);
    let late = i32::from(mark.late);
    let writer = mark.writer.to_string();
    let moved = client
        .execute(
            &statement,
            &[
                &mark.host_id,
                &writer,
                &mark.seq,
                &mark.progress,
                &newest,
                &late,
                &mark.run.to_string(),
                &LEASE.as_secs_f64(),
            ],
        )
        .await?;
    Ok(moved == 1)
}
