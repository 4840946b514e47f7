//! Rows into a table by COPY BINARY; those that the server refuses are found by bisection and dead-lettered.

use super::insert::insert_groups;
use crate::partitions::lacks_partition;
use crate::processes;
use crate::series::Instant;
use crate::tuple::Group;
use bytes::Bytes;
use futures_util::{SinkExt, pin_mut};
use schema::Sample;
use schema::tables::ProcessIdentity;
use std::collections::HashMap;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Statement};

/// Signature, flags and length of the header extension of COPY BINARY.
const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// A tuple of minus one fields.
const COPY_TRAILER: &[u8] = &[0xff, 0xff];
/// Bytes handed to the driver at a time: they are copied there, and on its way to the socket again, so
/// that the whole of a batch would be in memory three times.
const PIECE_BYTES: usize = 64 * 1024;

/// Prepared statements of one connection.
#[derive(Debug, Default)]
pub(crate) struct Statements(HashMap<String, Statement>);

impl Statements {
    pub(crate) async fn get(
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

/// A COPY that failed.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: tokio_postgres::Error,
    /// Before the server asked for data: the driver's answers lag one query (it sends a
    /// second Sync), so the connection must not be used again.
    pub(crate) desynced: bool,
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        Self {
            error,
            desynced: false,
        }
    }
}

/// Returns the COPY statement for the columns of a group.
fn copy_sql(group: &Group) -> String {
    let mut sql = format!("COPY collector.{} (ts, host_id", group.table);
    for (column, _) in &group.columns {
        sql.push_str(", ");
        sql.push_str(column);
    }
    sql.push_str(") FROM STDIN (FORMAT binary)");
    sql
}

/// Copies all groups of a table, those with the same columns in one COPY. Returns the rows stored.
pub(crate) async fn copy_all(
    client: &Client,
    statements: &mut Statements,
    groups: &[Group],
    host_id: i32,
) -> Result<u64, Failed> {
    let mut stored = 0;
    let mut rest = groups;
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

/// Copies groups with the same columns. Returns the rows stored.
async fn copy(
    client: &Client,
    statements: &mut Statements,
    groups: &[Group],
    host_id: i32,
) -> Result<u64, Failed> {
    let Some(first) = groups.first() else {
        return Ok(0);
    };
    if processes::is_stored_once(&first.table) {
        let rows: Vec<(&'static str, &Group)> = groups
            .iter()
            .map(|group| (ProcessIdentity::TABLE.name, group))
            .collect();
        let inserted = insert_groups(client, statements, &rows, host_id).await;
        return inserted.map_err(|(_, error)| error.into());
    }
    let statement = statements.get(client, &copy_sql(first)).await?;
    let begun = client.copy_in::<_, Bytes>(&statement).await;
    let sink = begun.map_err(|error| Failed {
        error,
        desynced: true,
    })?;
    pin_mut!(sink);
    sink.feed(Bytes::from_static(COPY_HEADER)).await?;
    for group in groups {
        for piece in group.pieces_for(host_id, PIECE_BYTES) {
            sink.feed(piece).await?;
        }
    }
    sink.feed(Bytes::from_static(COPY_TRAILER)).await?;
    Ok(sink.finish().await?)
}

/// Stores the acceptable rows of a table some of which the server refused, by halves: at most
/// ⌈log₂ n⌉ + 1 tries for each bad row, all within this transaction. Returns the rows stored and the rows
/// dead-lettered.
pub(crate) async fn bisect(
    client: &Client,
    statements: &mut Statements,
    groups: &[Group],
    host_id: i32,
) -> Result<(u64, u64), Failed> {
    let (mut rows, mut dead_letters) = (0, 0);
    // One log line for all of them: often thousands of rows are refused alike.
    let mut refused = None;
    let mut stack: Vec<Group> = groups.iter().rev().cloned().collect();
    while let Some(group) = stack.pop() {
        client.batch_execute("SAVEPOINT part").await?;
        match copy(client, statements, std::slice::from_ref(&group), host_id).await {
            Ok(count) => {
                client.batch_execute("RELEASE part").await?;
                rows += count;
            }
            Err(Failed {
                error,
                desynced: false,
            }) if pg::Class::of_error(&error) == pg::Class::Poison && !lacks_partition(&error) => {
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
                    dead_letter(client, statements, &group, host_id, sqlstate, &message).await?;
                    dead_letters += 1;
                    refused = Some((sqlstate.to_owned(), message));
                }
            }
            Err(failed) => return Err(failed),
        }
    }
    if let (Some((sqlstate, message)), Some(first)) = (refused, groups.first()) {
        tracing::error!(
            table = first.table,
            rows = dead_letters,
            sqlstate,
            message,
            "the database refused rows; they are stored in dead_letter"
        );
    }
    Ok((rows, dead_letters))
}

/// Stores the rows of a group in `dead_letter`.
pub(crate) async fn dead_letter(
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
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .await?;
    let columns: Vec<&str> = group
        .columns
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    for (json, ts, tuple) in group.rows_as_json() {
        client
            .execute(
                &statement,
                &[
                    &Instant(ts),
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
