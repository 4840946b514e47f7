//! What will be full, and when.

use schema::micros::HOUR;
use schema::{Severity, Timestamp, Unit as MetricUnit};
use store::series::{Instant, ReadError};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};
use words::round;

use super::{Col, Line, Lines, Reading, Source, View};
use crate::wire::{Cell, Unit};

const COLUMNS: &[Col] = &[
    Col::new(
        "label",
        "Resource",
        Unit::Text,
        "What will reach its limit.",
    )
    .primary(),
    Col::new(
        "metric_key",
        "Subject",
        Unit::Text,
        "Its key: a mount, a process, a server.",
    )
    .primary(),
    Col::new(
        "now",
        "Last hour",
        Unit::Text,
        "The mean of the last full hour.",
    )
    .primary(),
    Col::new(
        "limit",
        "Limit",
        Unit::Text,
        "The value at which it is full.",
    ),
    Col::new(
        "in",
        "Full in",
        Unit::Text,
        "When the limit is reached at the present growth.",
    )
    .primary(),
    Col::new("full_ms", "Full", Unit::TimeMs, "The instant of that."),
    Col::new(
        "earliest_ms",
        "Earliest",
        Unit::TimeMs,
        "With growth at the upper end of its 80 % interval.",
    ),
    Col::new(
        "latest_ms",
        "Latest",
        Unit::TimeMs,
        "With growth at the lower end; none where the limit may never be reached.",
    ),
    Col::new(
        "cone",
        "Course",
        Unit::Text,
        "The last week, and the growth to the limit between earliest and latest.",
    ),
    Col::new(
        "growth",
        "Growth",
        Unit::Text,
        "Change per day, without the daily season.",
    ),
    Col::new(
        "in_24h",
        "In 24 h",
        Unit::Text,
        "The value expected in a day.",
    ),
    Col::new(
        "confidence_pct",
        "Confidence",
        Unit::Percent,
        "How sure it is that it grows at all.",
    ),
    Col::new(
        "updated_ms",
        "As of",
        Unit::TimeMs,
        "The end of the last hour that it was computed from.",
    ),
];

pub(super) const VIEW: View = View {
    name: "capacity",
    title: "Capacity",
    columns: COLUMNS,
    filters: &[],
    default_sort: "full_ms",
    ranged: false,
    empty: "Nothing will be full within 30 days. That is judged once an hour, from four days of samples on.",
    families: &[],
    source: Source::Current(|reading| Box::pin(read(reading))),
};

async fn read(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    let fault = |source| ReadError::new("capacity", source);
    let params = [(&reading.host.id as &(dyn ToSql + Sync), Type::INT4)];
    let sql = include_str!("../sql/capacity.sql");
    let rows = reading.client.query_typed(sql, &params).await;
    let lines = rows
        .map_err(fault)?
        .iter()
        .map(line)
        .collect::<Result<_, _>>();
    Ok(Lines {
        at: None,
        lines: lines.map_err(fault)?,
        ..Lines::default()
    })
}

fn line(row: &Row) -> Result<Line, tokio_postgres::Error> {
    let text = |column| row.try_get::<_, String>(column);
    let number = |column| row.try_get::<_, f64>(column);
    let (domain, metric) = (text("domain")?, text("metric")?);
    // The store has no metric: it is measured for all hosts together.
    let (label, unit) = match schema::metric(&format!("{domain}.{metric}")) {
        Some(metric) => (metric.label, metric.unit),
        None => ("Store", MetricUnit::Bytes),
    };
    let value = |value: f64| words::value(round(value), unit);
    let Instant(updated) = row.try_get("updated_at")?;
    let Instant(earliest) = row.try_get("earliest")?;
    let latest: Option<Instant> = row.try_get("latest")?;
    let (hours, slope) = (number("hours_until")?, number("slope_per_hour")?);
    let lasts = |hours: f64| words::duration(hours * 3600.0);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most a month of microseconds"
    )]
    let full = Timestamp(updated.as_micros() + (hours * HOUR as f64) as i64);
    let sign = if slope < 0.0 { "-" } else { "+" };
    let key = text("metric_key")?;
    let cells = vec![
        Cell::Text(label.to_owned()),
        Cell::text(Some(key).filter(|key| !key.is_empty())),
        Cell::Text(value(number("current_value")?)),
        Cell::Text(value(number("threshold")?)),
        Cell::Text(lasts(hours)),
        Cell::time(Some(full)),
        Cell::time(Some(earliest)),
        Cell::time(latest.map(|at| at.0)),
        Cell::Text(cone(row)?),
        Cell::Text(format!("{sign}{} per day", value(24.0 * slope.abs()))),
        Cell::Text(value(number("predicted_value")?)),
        Cell::Float(round(100.0 * number("confidence")?)),
        Cell::time(Some(updated)),
    ];
    let mut line = Line::new(text("id")?, cells, COLUMNS);
    line.severities[0] = Severity::parse(&text("severity")?);
    Ok(line)
}

/// Returns what the drawing of a line needs: points of the last week, six hours apart and empty for none; level, limit; hours
/// until it is reached, at the earliest, and at the latest, empty for never.
fn cone(row: &Row) -> Result<String, tokio_postgres::Error> {
    let history: Vec<Option<f64>> = row.try_get("history")?;
    let shown =
        |value: Option<f64>| value.map_or_else(String::new, |value| round(value).to_string());
    let points: Vec<String> = history.into_iter().map(shown).collect();
    let latest: Option<f64> = row.try_get("latest_hours")?;
    let figures = [
        row.try_get("level")?,
        row.try_get("threshold")?,
        row.try_get("hours_until")?,
        row.try_get("earliest_hours")?,
    ];
    let figures: Vec<String> = figures
        .into_iter()
        .map(Some)
        .chain([latest])
        .map(shown)
        .collect();
    Ok(format!("{} {}", points.join(","), figures.join(",")))
}
