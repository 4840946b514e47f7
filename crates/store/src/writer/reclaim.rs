//! Rows of tables that an earlier version did not know.
//!
//! After a downgrade the queue may have rows of tables that came later. The earlier collector dead-letters them whole
//! (`transaction::NO_SUCH_TABLE`). A session of a version that has the table takes them from there and stores them, in one transaction,
//! so that each is in one of the two places. One that the server refuses is a dead letter again, for the server's reason, and is not
//! taken again.

use super::copy::{Failed, Statements, bisect};
use crate::rollup;
use crate::series::Instant;
use crate::tuple::Group;
use bytes::BytesMut;
use schema::Timestamp;
use schema::micros::HOUR;
use schema::tables::TABLES;
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::{Client, Row};

/// Most rows that a transaction takes: bisecting as many that are all refused stays far below a transaction's deadline.
const AT_ONCE: i32 = 1_000;

/// The rows of one table with the same columns.
type Tuples = BTreeMap<(String, Vec<String>), (u32, BytesMut)>;

/// Stores some dead letters of the host whose table this version has, in a transaction of its own. Returns the rows stored, or that
/// there are no such dead letters.
pub(super) async fn reclaim(
    client: &Client,
    statements: &mut Statements,
    host_id: i32,
) -> Result<Option<u64>, Failed> {
    client.batch_execute("BEGIN").await?;
    let taken = take(client, statements, host_id).await;
    match &taken {
        Ok(_) => client.batch_execute("COMMIT").await?,
        Err(failed) if failed.desynced => {}
        Err(_) => client.batch_execute("ROLLBACK").await?,
    }
    taken
}

/// Moves some rows within the transaction. Returns how many were stored, or that there are none to move.
async fn take(
    client: &Client,
    statements: &mut Statements,
    host_id: i32,
) -> Result<Option<u64>, Failed> {
    let known: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    let ask = "SELECT table_name, columns, tuple FROM collector.take_dead_letters($1, $2, $3)";
    let ask = statements.get(client, ask).await?;
    let rows = client.query(&ask, &[&host_id, &known, &AT_ONCE]).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut tuples = Tuples::new();
    for row in &rows {
        add(&mut tuples, row)?;
    }
    let groups: Vec<Group> = tuples.into_iter().filter_map(group).collect();
    let mut stored = 0;
    for group in &groups {
        // Whatever day they are of.
        let make = "SELECT collector.ensure_partition($1, NULL)";
        let make = statements.get(client, make).await?;
        client.execute(&make, &[&group.table]).await?;
        let (rows, _) = bisect(client, statements, std::slice::from_ref(group), host_id).await?;
        stored += rows;
    }
    note_hours(client, statements, &groups, host_id).await?;
    Ok(Some(stored))
}

fn add(tuples: &mut Tuples, row: &Row) -> Result<(), tokio_postgres::Error> {
    let tuple: &[u8] = row.try_get(2)?;
    let (count, bytes) = tuples
        .entry((row.try_get(0)?, row.try_get(1)?))
        .or_default();
    *count += 1;
    bytes.extend_from_slice(tuple);
    Ok(())
}

/// Returns the rows as those of the table as it is now: a column that is gone is left out.
fn group(
    ((name, columns), (rows, tuples)): ((String, Vec<String>), (u32, BytesMut)),
) -> Option<Group> {
    let table = schema::table(&name)?;
    let typed = columns.into_iter().map(|name| {
        let declared = table.column(&name);
        let pg = declared.map_or(schema::PgType::Text, |column| column.pg);
        (name, pg)
    });
    let group = Group {
        columns: typed.collect(),
        table: name,
        rows,
        tuples: tuples.freeze(),
        host_id: 0,
    };
    Some(group.fit(table))
}

/// Notes the hours that are over, which are rolled up without these rows.
async fn note_hours(
    client: &Client,
    statements: &mut Statements,
    groups: &[Group],
    host_id: i32,
) -> Result<(), tokio_postgres::Error> {
    let sources = groups
        .iter()
        .filter(|group| rollup::is_source(&group.table));
    let hours: BTreeSet<i64> = sources
        .flat_map(Group::instants)
        .map(|ts| ts.as_micros().div_euclid(HOUR) * HOUR)
        .collect();
    let hours: Vec<Instant> = hours.into_iter().map(|at| Instant(Timestamp(at))).collect();
    let note = "INSERT INTO collector.changed_hours (host_id, bucket) \
        SELECT $1, h FROM unnest($2::timestamptz[]) h WHERE h + interval '1 hour' <= clock_timestamp()";
    let note = statements.get(client, note).await?;
    client.execute(&note, &[&host_id, &hours]).await?;
    Ok(())
}
