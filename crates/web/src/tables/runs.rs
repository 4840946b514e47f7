//! Starts of the collector.

use schema::Severity;

use store::series::{Instant, ReadError};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::{Col, Line, Lines, Reading, Source, View};
use crate::wire::{Cell, Unit};

const COLUMNS: &[Col] = &[
    Col::new("started_ms", "Started", Unit::TimeMs, "When it started.").primary(),
    Col::new(
        "ended_ms",
        "Ended",
        Unit::TimeMs,
        "When it ended; none while it runs.",
    )
    .primary(),
    Col::new(
        "outcome",
        "Outcome",
        Unit::Text,
        "running, stopped, or crashed (found dead by its successor).",
    )
    .primary(),
    Col::new("version", "Version", Unit::Text, "Its version."),
    Col::new("pid", "PID", Unit::Text, "Its process id."),
];

pub(super) const VIEW: View = View {
    name: "runs",
    title: "Collector restarts",
    columns: COLUMNS,
    filters: &[],
    default_sort: "-started_ms",
    ranged: false,
    empty: "No collector has been started.",
    families: &[],
    source: Source::Current(|reading| Box::pin(read(reading))),
};

pub(super) async fn read(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    let at = Instant(reading.at);
    let params = [
        (&reading.host.id as &(dyn ToSql + Sync), Type::INT4),
        (&at, Type::TIMESTAMPTZ),
    ];
    let fault = |source| ReadError::new("agent_runs", source);
    let sql = include_str!("../sql/runs.sql");
    let rows = reading
        .client
        .query_typed(sql, &params)
        .await
        .map_err(fault)?;
    let lines: Result<Vec<Line>, _> = rows.iter().map(line).collect();
    Ok(Lines {
        at: None,
        lines: lines.map_err(fault)?,
        ..Lines::default()
    })
}

fn line(row: &Row) -> Result<Line, tokio_postgres::Error> {
    let time = |name| -> Result<Cell, tokio_postgres::Error> {
        let at: Option<Instant> = row.try_get(name)?;
        Ok(Cell::time(at.map(|at| at.0)))
    };
    let outcome: Option<String> = row.try_get("outcome")?;
    let outcome = outcome.unwrap_or_else(|| "running".to_owned());
    let severity = match outcome.as_str() {
        "vanished" => Severity::Warn,
        _ => Severity::Ok,
    };
    let outcome = match outcome.as_str() {
        "vanished" => "crashed".to_owned(),
        _ => outcome,
    };
    let cells = vec![
        time("started_at")?,
        time("ended_at")?,
        Cell::Text(outcome),
        Cell::Text(row.try_get("version")?),
        Cell::Text(row.try_get::<_, i32>("pid")?.to_string()),
    ];
    let mut line = Line::new(row.try_get("run_id")?, cells, COLUMNS);
    line.severities[2] = Some(severity);
    Ok(line)
}
