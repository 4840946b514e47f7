//! Rows whose content the database refused.

use schema::Timestamp;
use schema::micros::DAY;
use store::series::{Instant, ReadError};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::{Col, Line, Lines, Reading, Source, View};
use crate::wire::{Cell, Unit};

const COLUMNS: &[Col] = &[
    Col::new(
        "noticed_ms",
        "Noticed",
        Unit::TimeMs,
        "When it was dead-lettered.",
    )
    .primary(),
    Col::new("table_name", "Table", Unit::Text, "Where it was to go.").primary(),
    Col::new("error", "Error", Unit::Text, "The error of the database.").primary(),
    Col::new("sqlstate", "Code", Unit::Text, "The error's SQLSTATE."),
    Col::new("ts_ms", "Sample", Unit::TimeMs, "When it was sampled."),
    Col::new(
        "row",
        "Row",
        Unit::Text,
        "The row as JSON, cut to 2,000 characters.",
    ),
];

pub(super) const VIEW: View = View {
    name: "dead_letters",
    title: "Dead letters",
    columns: COLUMNS,
    filters: &[],
    default_sort: "-noticed_ms",
    ranged: false,
    empty: "No row was rejected by the database in the last 30 days.",
    families: &[],
    source: Source::Current(|reading| Box::pin(read(reading))),
};

/// How far back they are listed, microseconds.
const BACK: i64 = 30 * DAY;

pub(super) async fn read(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    let from = Instant(Timestamp(reading.at.as_micros().saturating_sub(BACK)));
    let to = Instant(reading.end());
    let params = [
        (&reading.host.id as &(dyn ToSql + Sync), Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
    ];
    let fault = |source| ReadError::new("dead_letter", source);
    let sql = include_str!("../sql/dead_letters.sql");
    let rows = reading
        .client
        .query_typed(sql, &params)
        .await
        .map_err(fault)?;
    let lines: Result<Vec<Line>, _> = rows.iter().enumerate().map(line).collect();
    Ok(Lines {
        at: None,
        lines: lines.map_err(fault)?,
        ..Lines::default()
    })
}

fn line((at, row): (usize, &Row)) -> Result<Line, tokio_postgres::Error> {
    let time = |name| -> Result<Timestamp, tokio_postgres::Error> {
        Ok(row.try_get::<_, Instant>(name)?.0)
    };
    let text = |name| -> Result<String, tokio_postgres::Error> { row.try_get(name) };
    let (noticed, sampled, table) = (time("noticed_at")?, time("ts")?, text("table_name")?);
    // Rows of one batch share every instant; their order distinguishes them.
    let id = format!(
        "{}.{table}.{}.{at}",
        noticed.as_micros(),
        sampled.as_micros()
    );
    let cells = vec![
        Cell::Int(noticed.as_millis()),
        Cell::Text(table),
        Cell::Text(text("error")?),
        Cell::Text(text("sqlstate")?),
        Cell::Int(sampled.as_millis()),
        Cell::Text(text("row")?),
    ];
    Ok(Line::new(id, cells, COLUMNS))
}
