//! One delivering transaction: the rows of each table, gaps, rows set aside, and the new progress by
//! compare-and-set. Either all of it is stored or nothing.

use super::batch::{Batch, Gap, TableBatch};
use super::describe;
use super::insert::{insert_all, is_small};
use crate::failpoint::failpoint;
use crate::tuple::Group;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, pin_mut};
use schema::Timestamp;
use std::collections::{BTreeSet, HashMap};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Statement};
use uuid::Uuid;

/// Signature, flags and length of the header extension of COPY BINARY.
const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Why a transaction was not committed.
#[derive(Debug)]
pub(super) enum Stop {
    /// One table did not take its rows; the others may. `desynced`: it failed before the server
    /// asked for data, after which the driver's answers lag one question behind (it sends a second
    /// Sync); the connection must not be used again.
    Table {
        table: &'static str,
        class: pg::Class,
        error: tokio_postgres::Error,
        desynced: bool,
    },
    /// Somebody else moved the progress, or the last commit did happen: read it again.
    Fenced,
    /// The connection, or something that concerns all tables. The outcome may be unknown.
    Link(String),
}

impl From<tokio_postgres::Error> for Stop {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Link(describe(&error))
    }
}

#[cfg(feature = "failpoints")]
impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Link(error.to_string())
    }
}

/// What a committed transaction stored.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stored {
    pub(super) rows: u64,
    pub(super) dead_letters: u64,
    pub(super) lost_records: u64,
}

/// The place of a transaction in the spool's history.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) host_id: i32,
    pub(super) writer: Uuid,
    /// Compare-and-set: the value read before.
    pub(super) seq: i64,
    /// The progress after it, as JSON.
    pub(super) progress: String,
    /// Whether it brings rows older than what was stored before.
    pub(super) late: bool,
}

/// Prepared statements of one connection.
#[derive(Debug, Default)]
pub(super) struct Statements(HashMap<String, Statement>);

impl Statements {
    pub(super) async fn get(
        &mut self,
        client: &Client,
        sql: &str,
    ) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.0.get(sql) {
            return Ok(statement.clone());
        }
        let statement = client.prepare(sql).await?;
        self.0.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// Runs the transaction. `skip` are tables that owe; `suspects` are tables whose last COPY failed
/// on data, so their rows are tried in halves until the culprit is alone.
pub(super) async fn run(
    client: &Client,
    statements: &mut Statements,
    batch: &Batch,
    mark: &Mark,
    skip: &BTreeSet<&'static str>,
    suspects: &BTreeSet<&'static str>,
) -> Result<Stored, Stop> {
    let mut stored = Stored::default();
    failpoint!("writer.begin");
    client.batch_execute("BEGIN").await?;
    let wanted = batch
        .tables
        .iter()
        .filter(|entry| !skip.contains(entry.table.name));
    let (few, many): (Vec<&TableBatch>, Vec<&TableBatch>) =
        wanted.partition(|entry| is_small(entry) && !suspects.contains(entry.table.name));
    if !few.is_empty() {
        failpoint!("writer.insert");
        let inserted = insert_all(client, statements, &few, mark.host_id).await;
        stored.rows += inserted.map_err(|(table, error)| Failed::from(error).stop(table))?;
    }
    for entry in many {
        failpoint!("writer.copy");
        let count = if suspects.contains(entry.table.name) {
            bisect(client, statements, entry, mark, &mut stored).await
        } else {
            copy_all(client, statements, entry, mark.host_id).await
        };
        stored.rows += count.map_err(|failed| failed.stop(entry.table.name))?;
    }
    for group in &batch.strangers {
        set_aside(
            client,
            statements,
            group,
            mark.host_id,
            "42P01",
            "this version has no such table",
        )
        .await?;
        stored.dead_letters += u64::from(group.rows);
    }
    for gap in &batch.gaps {
        insert_gap(client, statements, gap, mark.host_id).await?;
        stored.lost_records += gap.records;
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

/// A COPY that failed.
struct Failed {
    error: tokio_postgres::Error,
    desynced: bool,
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        Self {
            error,
            desynced: false,
        }
    }
}

impl Failed {
    fn stop(self, table: &'static str) -> Stop {
        let Self { error, desynced } = self;
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

/// Proof of life, in a transaction of its own.
pub(super) async fn beat(
    client: &Client,
    statements: &mut Statements,
    host_id: i32,
    now: Timestamp,
) -> Result<u64, tokio_postgres::Error> {
    let statement = statements
        .get(
            client,
            "INSERT INTO collector.heartbeat (ts, host_id, component, status) \
             VALUES (timestamptz 'epoch' + $1::int8 * interval '1 microsecond', $2, 'collector', 'alive')",
        )
        .await?;
    client
        .execute(&statement, &[&now.as_micros(), &host_id])
        .await
}

/// Whether a table would take rows now: the lock, the right and the table itself, without a row.
pub(super) async fn probe(client: &Client, table: &str) -> Result<(), tokio_postgres::Error> {
    client
        .batch_execute(&format!(
            "EXPLAIN INSERT INTO collector.{table} DEFAULT VALUES"
        ))
        .await
}

fn copy_sql(group: &Group) -> String {
    let mut sql = format!("COPY collector.{} (ts, host_id", group.table);
    for (column, _) in &group.columns {
        sql.push_str(", ");
        sql.push_str(column);
    }
    sql.push_str(") FROM STDIN (FORMAT binary)");
    sql
}

/// All groups of a table, those with the same columns in one COPY.
async fn copy_all(
    client: &Client,
    statements: &mut Statements,
    entry: &TableBatch,
    host_id: i32,
) -> Result<u64, Failed> {
    let mut stored = 0;
    let mut rest = &entry.groups[..];
    while let Some(first) = rest.first() {
        let alike = rest
            .iter()
            .take_while(|group| group.columns == first.columns)
            .count();
        stored += copy(client, statements, &rest[..alike], host_id).await?;
        rest = &rest[alike..];
    }
    Ok(stored)
}

async fn copy(
    client: &Client,
    statements: &mut Statements,
    groups: &[Group],
    host_id: i32,
) -> Result<u64, Failed> {
    let Some(first) = groups.first() else {
        return Ok(0);
    };
    let statement = statements.get(client, &copy_sql(first)).await?;
    let size: usize = groups.iter().map(|group| group.tuples.len()).sum();
    let mut buffer = BytesMut::with_capacity(size + COPY_HEADER.len() + 2);
    buffer.put_slice(COPY_HEADER);
    for group in groups {
        group.tuples_for(host_id, &mut buffer);
    }
    buffer.put_i16(-1);
    let begun = client.copy_in::<_, Bytes>(&statement).await;
    let sink = begun.map_err(|error| Failed {
        error,
        desynced: true,
    })?;
    pin_mut!(sink);
    sink.send(buffer.freeze()).await?;
    Ok(sink.finish().await?)
}

/// Stores what can be stored of a table whose rows the server refused, by halves: at most
/// ⌈log₂ n⌉ + 1 tries for each culprit, all within this transaction.
async fn bisect(
    client: &Client,
    statements: &mut Statements,
    entry: &TableBatch,
    mark: &Mark,
    stored: &mut Stored,
) -> Result<u64, Failed> {
    let mut rows = 0;
    let mut stack: Vec<Group> = entry.groups.iter().rev().cloned().collect();
    while let Some(group) = stack.pop() {
        client.batch_execute("SAVEPOINT part").await?;
        match copy(
            client,
            statements,
            std::slice::from_ref(&group),
            mark.host_id,
        )
        .await
        {
            Ok(count) => {
                client.batch_execute("RELEASE part").await?;
                rows += count;
            }
            Err(Failed {
                error,
                desynced: false,
            }) if pg::Class::of_error(&error) == pg::Class::Poison => {
                client
                    .batch_execute("ROLLBACK TO part; RELEASE part")
                    .await?;
                if group.rows > 1 {
                    let half = group.rows / 2;
                    stack.push(group.slice(half, group.rows));
                    stack.push(group.slice(0, half));
                } else {
                    let sqlstate = error.code().map_or("", SqlState::code);
                    let message = error
                        .as_db_error()
                        .map_or_else(|| error.to_string(), |e| e.message().to_owned());
                    set_aside(client, statements, &group, mark.host_id, sqlstate, &message).await?;
                    stored.dead_letters += 1;
                }
            }
            Err(failed) => return Err(failed),
        }
    }
    Ok(rows)
}

async fn set_aside(
    client: &Client,
    statements: &mut Statements,
    group: &Group,
    host_id: i32,
    sqlstate: &str,
    message: &str,
) -> Result<(), tokio_postgres::Error> {
    let statement = statements
        .get(
            client,
            "INSERT INTO collector.dead_letter (ts, host_id, table_name, row, tuple, columns, sqlstate, error) \
             VALUES (timestamptz 'epoch' + $1::int8 * interval '1 microsecond', $2, $3, $4, $5, $6, $7, $8)",
        )
        .await?;
    let columns: Vec<&str> = group
        .columns
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    for (json, ts, tuple) in group.rows_as_json() {
        tracing::error!(
            table = group.table,
            sqlstate,
            message,
            "the database refused a row; set aside in dead_letter"
        );
        client
            .execute(
                &statement,
                &[
                    &ts.as_micros(),
                    &host_id,
                    &group.table,
                    &json,
                    &&tuple[..],
                    &columns,
                    &sqlstate,
                    &message,
                ],
            )
            .await?;
    }
    Ok(())
}

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
             VALUES (now(), $1, $2, timestamptz 'epoch' + $3::int8 * interval '1 microsecond', \
                     timestamptz 'epoch' + $4::int8 * interval '1 microsecond', $5, $6, $7)",
        )
        .await?;
    tracing::warn!(
        class = gap.class.as_str(),
        records = gap.records,
        reason = gap.reason,
        "samples are lost; noted in data_gaps"
    );
    let count = i64::try_from(gap.records).unwrap_or(i64::MAX);
    let rows = gap.rows.map(|rows| i64::try_from(rows).unwrap_or(i64::MAX));
    client
        .execute(
            &statement,
            &[
                &host_id,
                &gap.class.as_str(),
                &gap.from.as_micros(),
                &gap.to.as_micros(),
                &count,
                &rows,
                &gap.reason,
            ],
        )
        .await?;
    Ok(())
}

/// Moves the progress from `seq` to the next; `false` when it stood elsewhere.
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
             last_ts = greatest(last_ts, timestamptz 'epoch' + $5::int8 * interval '1 microsecond'), \
             history_gen = history_gen + $6::int4, updated_at = now() \
             WHERE host_id = $1 AND writer = $2::text::uuid AND seq = $3",
        )
        .await?;
    let newest = batch.newest.map(Timestamp::as_micros);
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
            ],
        )
        .await?;
    Ok(moved == 1)
}
