//! Stored rows, for tables.

use schema::{Cell, Column, TableDef, Timestamp};
use tokio_postgres::{Client, Row};

use super::ReadError;
use super::sql::{Param, Span, Statement};
use super::value::{Instant, cell, selected};
use super::view;

/// The rows of one instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tick {
    /// The instant; `None` when there is none in the range.
    pub at: Option<Timestamp>,
    /// The rows, each with the requested columns in their order.
    pub rows: Vec<Vec<Cell>>,
}

/// Reads the rows of the newest instant of `table` with `from <= ts < to`. `columns` must be columns of
/// the table; others are left out.
///
/// # Errors
/// When the database does not answer.
pub async fn tick(
    client: &Client,
    table: &'static TableDef,
    host_id: i32,
    from: Timestamp,
    to: Timestamp,
    columns: &[&str],
) -> Result<Tick, ReadError> {
    let (at, rows) = tick_and_before(client, table, host_id, (from, to), 0, columns).await?;
    Ok(Tick {
        at: at.filter(|_| !rows.is_empty()),
        rows: rows.into_iter().map(|(_, cells)| cells).collect(),
    })
}

/// A row with its instant.
pub type TimedRow = (Timestamp, Vec<Cell>);

/// Reads the same and the rows of `before` microseconds before that instant, in no order; each with its instant.
///
/// # Errors
/// When the database does not answer.
pub async fn tick_and_before(
    client: &Client,
    table: &'static TableDef,
    host_id: i32,
    (from, to): (Timestamp, Timestamp),
    before: i64,
    columns: &[&str],
) -> Result<(Option<Timestamp>, Vec<TimedRow>), ReadError> {
    let columns = declared(table, columns);
    // The instant is a value of the statement that reads the rows: of what is sealed only its hour is unpacked then, which takes
    // as long as everything else.
    let Some(at) = newest_instant(client, table, host_id, from, to).await? else {
        return Ok((None, Vec::new()));
    };
    let mut sql = Statement::default();
    let (first, end) = (at.as_micros() - before, at.as_micros() + 1);
    let span = Span::between(&mut sql, Timestamp(first), Timestamp(end));
    finish(&mut sql, table, host_id, &span, &columns);
    Ok((Some(at), read(client, table, &sql, &columns).await?))
}

async fn newest_instant(
    client: &Client,
    table: &'static TableDef,
    host_id: i32,
    from: Timestamp,
    to: Timestamp,
) -> Result<Option<Timestamp>, ReadError> {
    let mut sql = Statement::default();
    let span = Span::newest(&mut sql, table, "", host_id, from, to);
    sql.text = format!("SELECT {}", span.from);
    let rows = sql.query(client, table.name).await?;
    let at = rows.first().map(|row| row.try_get::<_, Option<Instant>>(0));
    let at = at.transpose();
    let at = at.map_err(|source| ReadError::new(table.name, source))?;
    Ok(at.flatten().map(|at| at.0))
}

/// Reads the rows of `table` with `from <= ts < to`, oldest first, at most 20 000.
///
/// # Errors
/// When the database does not answer.
pub async fn rows(
    client: &Client,
    table: &'static TableDef,
    host_id: i32,
    from: Timestamp,
    to: Timestamp,
    columns: &[&str],
) -> Result<Vec<(Timestamp, Vec<Cell>)>, ReadError> {
    let sql = statement(table, host_id, from, to, columns);
    read(client, table, &sql, &declared(table, columns)).await
}

/// Returns the statement of [`rows`].
pub(super) fn statement(
    table: &'static TableDef,
    host_id: i32,
    from: Timestamp,
    to: Timestamp,
    columns: &[&str],
) -> Statement {
    let mut sql = Statement::default();
    let span = Span::between(&mut sql, from, to);
    finish(&mut sql, table, host_id, &span, &declared(table, columns));
    sql.text.push_str("\nORDER BY ts\nLIMIT 20000");
    sql
}

fn declared(table: &'static TableDef, columns: &[&str]) -> Vec<&'static Column> {
    columns
        .iter()
        .filter_map(|name| table.column(name))
        .collect()
}

fn finish(
    sql: &mut Statement,
    table: &TableDef,
    host_id: i32,
    span: &Span,
    columns: &[&'static Column],
) {
    let host = sql.bind(Param::Int4(host_id));
    let narrowed = view::narrowed(sql, table, span, false);
    let list: Vec<String> = std::iter::once("ts".to_owned())
        .chain(
            columns
                .iter()
                .map(|column| selected(column.name, column.pg)),
        )
        .collect();
    sql.text = format!(
        "SELECT {}\nFROM collector.{}\nWHERE host_id = {host} AND ts >= {} AND ts < {}{}",
        list.join(", "),
        table.relation(),
        span.from,
        span.to,
        narrowed
    );
}

async fn read(
    client: &Client,
    table: &TableDef,
    sql: &Statement,
    columns: &[&'static Column],
) -> Result<Vec<(Timestamp, Vec<Cell>)>, ReadError> {
    let rows = sql.query(client, table.name).await?;
    let decode = |row: &Row| {
        let at = row.try_get::<_, Instant>(0)?.0;
        let cells: Result<Vec<Cell>, _> = columns
            .iter()
            .enumerate()
            .map(|(index, column)| cell(row, index + 1, column.pg))
            .collect();
        Ok((at, cells?))
    };
    rows.iter()
        .map(decode)
        .collect::<Result<_, _>>()
        .map_err(|source| ReadError::new(table.name, source))
}
