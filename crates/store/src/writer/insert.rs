//! Few rows at once: one INSERT a row, all sent before the first answer is awaited.
//!
//! A COPY costs the server a third of a millisecond before its first row, and both sides two
//! waits; most tables get a handful of rows a tick. The fields of a tuple travel as they lie in the
//! spool: Bind takes the same bytes as COPY BINARY.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use futures_util::future::join_all;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Statement};

use super::batch::TableBatch;
use super::copy::Statements;
use crate::processes;
use crate::tuple::Group;

/// Up to so many rows of a table are inserted; more are copied. At 15 rows both cost the same.
const FEW: u32 = 8;

/// Statements that are on their way at a time. Each takes some 2 kB here until it is answered, and the first delivery
/// of a day has one for each process; a tick has fewer than these.
const PIPELINED: usize = 64;

/// Returns whether the rows of a table are inserted: few, or such that COPY cannot store, as it lacks `ON CONFLICT`.
pub(super) fn is_inserted(entry: &TableBatch) -> bool {
    let rows = entry.groups.iter().map(|group| group.rows);
    rows.sum::<u32>() <= FEW || processes::is_stored_once(entry.table.name)
}

/// A table that did not take its rows.
pub(super) type Refused = (&'static str, tokio_postgres::Error);

/// Inserts all rows of these tables. Returns how many they were, those that were there already included.
///
/// # Errors
/// The first error that is not a consequence of another.
pub(super) async fn insert_all(
    client: &Client,
    statements: &mut Statements,
    entries: &[&TableBatch],
    host_id: i32,
) -> Result<u64, Refused> {
    let groups = entries.iter().flat_map(|entry| {
        let table = entry.table.name;
        entry.groups.iter().map(move |group| (table, group))
    });
    let groups: Vec<(&'static str, &Group)> = groups.collect();
    insert_groups(client, statements, &groups, host_id).await
}

/// Inserts groups of rows, each with its table, as [`insert_all`].
pub(super) async fn insert_groups(
    client: &Client,
    statements: &mut Statements,
    groups: &[(&'static str, &Group)],
    host_id: i32,
) -> Result<u64, Refused> {
    let mut inserts = Vec::new();
    for (table, group) in groups {
        let statement = statements.get(client, &insert_sql(group)).await;
        let statement = statement.map_err(|error| (*table, error))?;
        for fields in group.fields() {
            inserts.push((*table, statement.clone(), fields));
        }
    }
    let host = host_id.to_be_bytes();
    for part in inserts.chunks(PIPELINED) {
        let sent = part.iter().map(|(table, statement, fields)| {
            let host = &host;
            async move {
                let done = insert(client, statement, fields, host).await;
                done.map_err(|error| (*table, error))
            }
        });
        let mut refused: Option<Refused> = None;
        for done in join_all(sent).await {
            match done {
                Ok(_) => {}
                Err((_, error)) if error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION) => {}
                Err(first) => {
                    refused.get_or_insert(first);
                }
            }
        }
        if let Some(refused) = refused {
            return Err(refused);
        }
    }
    Ok(inserts.len() as u64)
}

async fn insert(
    client: &Client,
    statement: &Statement,
    fields: &[Option<&[u8]>],
    host: &[u8],
) -> Result<u64, tokio_postgres::Error> {
    let fields = fields.iter().enumerate().map(|(at, field)| match at {
        1 => Field(Some(host)),
        _ => Field(*field),
    });
    let fields: Vec<Field<'_>> = fields.collect();
    client.execute_raw(statement, &fields).await
}

fn insert_sql(group: &Group) -> String {
    let names: Vec<&str> = group.columns.iter().map(|(name, _)| &**name).collect();
    let places: Vec<String> = (1..=names.len() + 2).map(|at| format!("${at}")).collect();
    let conflict = match processes::is_stored_once(&group.table) {
        true => " ON CONFLICT DO NOTHING",
        false => "",
    };
    format!(
        "INSERT INTO collector.{} (ts, host_id, {}) VALUES ({}){conflict}",
        group.table,
        names.join(", "),
        places.join(", ")
    )
}

/// A value in the server's own form.
#[derive(Debug)]
struct Field<'a>(Option<&'a [u8]>);

impl ToSql for Field<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        Ok(match self.0 {
            Some(bytes) => {
                out.put_slice(bytes);
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
