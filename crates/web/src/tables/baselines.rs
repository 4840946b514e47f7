//! What is usual for each scored metric and key, and where it goes.

use schema::{Metric, Timestamp};
use store::series::{Instant, ReadError};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};
use words::round;

use super::{Col, Filter, Line, Lines, Reading, Source, Tag, View};
use crate::wire::{Cell, Unit};

const METRIC: Col = Col::new("label", "Metric", Unit::Text, "The metric.").primary();
const KEY: Col = Col::new(
    "metric_key",
    "Subject",
    Unit::Text,
    "Its key: a mount, a process, a table, a target.",
)
.primary();
const NOW: Col = Col::new(
    "now",
    "Last hour",
    Unit::Text,
    "The mean of the last full hour.",
)
.primary();
const DOMAIN: Col = Col::new("domain", "Domain", Unit::Text, "Part of the system.");
const UPDATED: Col = Col::new(
    "updated_ms",
    "As of",
    Unit::TimeMs,
    "The end of the last hour that it was computed from.",
);
const BY_DOMAIN: Filter = Filter {
    id: "domain",
    label: "Domain",
    values: &[],
};

const BASELINES: &[Col] = &[
    METRIC,
    KEY,
    NOW,
    Col::new(
        "position",
        "Deviation",
        Unit::Ratio,
        "How far the last hour is from what is usual at this hour, in standard deviations; without enough weeks, from the mean of 7 days.",
    )
    .primary(),
    Col::new(
        "band",
        "Usual",
        Unit::Text,
        "From the 5th to the 95th percentile of the hours of 7 days.",
    ),
    Col::new(
        "within_pct",
        "In the band",
        Unit::Percent,
        "Where the last hour lies between these: 0 at the 5th percentile or below, 100 at the 95th or above.",
    ),
    Col::new(
        "this_hour",
        "At this hour",
        Unit::Text,
        "Mean and standard deviation of this hour of the week, with the hours before and after it, over four weeks.",
    ),
    Col::new("mean", "Mean", Unit::Text, "Mean of the hours of 7 days."),
    Col::new(
        "stddev",
        "Standard deviation",
        Unit::Text,
        "Standard deviation of the hours of 7 days.",
    ),
    Col::new(
        "sample_count",
        "Hours",
        Unit::Count,
        "Hours that count: of 7 days, or since the level has shifted.",
    ),
    Col::new(
        "since_ms",
        "Since",
        Unit::TimeMs,
        "The first of these hours.",
    ),
    DOMAIN,
    UPDATED,
];

/// The baselines.
pub(super) const VIEW: View = View {
    name: "baselines",
    title: "Baselines",
    columns: BASELINES,
    filters: &[BY_DOMAIN],
    default_sort: "-position",
    ranged: false,
    empty: "No baselines yet: they are computed once an hour, from six hours on.",
    families: &[],
    source: Source::Current(|reading| Box::pin(baselines(reading))),
};

const FORECASTS: &[Col] = &[
    METRIC,
    KEY,
    NOW,
    Col::new(
        "trend",
        "Trend",
        Unit::Text,
        "Change per day over 7 days, without the daily season; stable where it is not sure at 95 %.",
    )
    .primary(),
    Col::new(
        "in_1h",
        "In 1 h",
        Unit::Text,
        "Forecast with the band that is to hold 80 % of the values.",
    ),
    Col::new("in_6h", "In 6 h", Unit::Text, "The same for 6 hours."),
    Col::new("in_24h", "In 24 h", Unit::Text, "The same for a day.").primary(),
    Col::new(
        "mase",
        "Error",
        Unit::Ratio,
        "Mean absolute scaled error of the last week's forecasts for a day: 1 is as good as the same hour yesterday, less is better.",
    ),
    Col::new(
        "confidence_pct",
        "Confidence",
        Unit::Percent,
        "How sure it is that the metric changes at all.",
    ),
    DOMAIN,
    UPDATED,
];

/// The trends and forecasts.
pub(super) const TRENDS: View = View {
    name: "forecasts",
    title: "Trends and forecasts",
    columns: FORECASTS,
    filters: &[
        BY_DOMAIN,
        Filter {
            id: "direction",
            label: "Direction",
            values: &[
                ("rising", "Rising"),
                ("falling", "Falling"),
                ("stable", "Stable"),
            ],
        },
    ],
    default_sort: "-confidence_pct",
    ranged: false,
    empty: "No trends yet: they are computed once an hour, from two days on.",
    families: &[],
    source: Source::Current(|reading| Box::pin(trends(reading))),
};

/// A row of the statement, with its metric.
struct Stored<'a> {
    row: &'a Row,
    metric: &'static Metric,
}

impl Stored<'_> {
    fn number(&self, column: &str) -> Result<Option<f64>, tokio_postgres::Error> {
        self.row.try_get(column)
    }

    /// Returns a value with the unit of the metric.
    fn value(&self, column: &str) -> Result<Option<String>, tokio_postgres::Error> {
        let value = self.number(column)?;
        Ok(value.map(|value| words::value(round(value), self.metric.unit)))
    }

    /// Returns `low to high`.
    fn band(&self, low: &str, high: &str) -> Result<Option<String>, tokio_postgres::Error> {
        let ends = self.value(low)?.zip(self.value(high)?);
        Ok(ends.map(|(low, high)| format!("{low} to {high}")))
    }

    /// Returns a forecast with its band.
    fn ahead(&self, hours: &str) -> Result<Option<String>, tokio_postgres::Error> {
        let value = self.value(&format!("forecast_{hours}"))?;
        let band = self.band(&format!("low_{hours}"), &format!("high_{hours}"))?;
        Ok(match (value, band) {
            (Some(value), Some(band)) => Some(format!("{value} ({band})")),
            (value, _) => value,
        })
    }

    fn time(&self, column: &str) -> Result<Cell, tokio_postgres::Error> {
        let at: Option<Instant> = self.row.try_get(column)?;
        Ok(Cell::time(at.map(|at| -> Timestamp { at.0 })))
    }

    fn position(&self) -> Result<Option<f64>, tokio_postgres::Error> {
        let Some(now) = self.number("current_value")? else {
            return Ok(None);
        };
        let slot = self.number("slot_mean")?.zip(self.number("slot_stddev")?);
        let week = self.number("mean")?.zip(self.number("stddev")?);
        let distance = slot
            .or(week)
            .map(|(mean, stddev)| ((now - mean) / stddev).abs());
        Ok(distance.filter(|distance| distance.is_finite()))
    }

    /// Returns where the last hour lies in the band, percent; `None` where the band has no width.
    fn within(&self) -> Result<Option<f64>, tokio_postgres::Error> {
        let ends = self.number("p5")?.zip(self.number("p95")?);
        let share = ends
            .zip(self.number("current_value")?)
            .map(|((low, high), now)| 100.0 * (now - low) / (high - low));
        Ok(share
            .filter(|share| share.is_finite())
            .map(|share| share.clamp(0.0, 100.0)))
    }

    fn label(&self) -> Cell {
        Cell::Text(self.metric.label.to_owned())
    }

    fn key(&self) -> Result<Cell, tokio_postgres::Error> {
        let key: String = self.row.try_get("metric_key")?;
        Ok(Cell::text(Some(key).filter(|key| !key.is_empty())))
    }

    fn line(&self, cells: Vec<Cell>, columns: &[Col]) -> Result<Line, tokio_postgres::Error> {
        let mut line = Line::new(self.row.try_get("id")?, cells, columns);
        line.tags = vec![Tag {
            filter: "domain",
            value: self.metric.domain.as_str().to_owned(),
            severity: schema::Severity::Ok,
        }];
        Ok(line)
    }

    fn domain(&self) -> Cell {
        Cell::Text(self.metric.domain.as_str().to_owned())
    }
}

/// Reads the statement and makes a line of each row; rows of metrics that are not in the catalogue any more are left out.
async fn lines(
    reading: &Reading<'_>,
    line: fn(&Stored<'_>) -> Result<Line, tokio_postgres::Error>,
) -> Result<Lines, ReadError> {
    let fault = |source| ReadError::new("baselines", source);
    let params = [(&reading.host.id as &(dyn ToSql + Sync), Type::INT4)];
    let sql = include_str!("../sql/baselines.sql");
    let rows = reading.client.query_typed(sql, &params).await;
    let rows = rows.map_err(fault)?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in &rows {
        let metric: String = row.try_get("metric").map_err(fault)?;
        if let Some(metric) = schema::metric(&metric) {
            lines.push(line(&Stored { row, metric }).map_err(fault)?);
        }
    }
    Ok(Lines {
        at: None,
        lines,
        ..Lines::default()
    })
}

async fn baselines(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    lines(reading, |one| {
        let slot = one.value("slot_mean")?.zip(one.value("slot_stddev")?);
        let hours: Option<i32> = one.row.try_get("sample_count")?;
        let cells = vec![
            one.label(),
            one.key()?,
            Cell::text(one.value("current_value")?),
            Cell::of(one.position()?, |value| Cell::Float(round(value))),
            Cell::text(one.band("p5", "p95")?),
            Cell::of(one.within()?, |value| Cell::Float(round(value))),
            Cell::text(slot.map(|(mean, stddev)| format!("{mean} ± {stddev}"))),
            Cell::text(one.value("mean")?),
            Cell::text(one.value("stddev")?),
            Cell::of(hours.map(i64::from), Cell::Int),
            one.time("since")?,
            one.domain(),
            one.time("updated_at")?,
        ];
        one.line(cells, BASELINES)
    })
    .await
}

async fn trends(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    lines(reading, |one| {
        let direction: Option<String> = one.row.try_get("trend_direction")?;
        let slope = one.number("slope_per_hour")?;
        let per_day = slope.map(|slope| words::value(round(24.0 * slope.abs()), one.metric.unit));
        let trend = match direction.as_deref() {
            Some("rising") => per_day.map(|change| format!("rising, {change} per day")),
            Some("falling") => per_day.map(|change| format!("falling, {change} per day")),
            direction => direction.map(str::to_owned),
        };
        let number = |value: Option<f64>| Cell::of(value, |value| Cell::Float(round(value)));
        let cells = vec![
            one.label(),
            one.key()?,
            Cell::text(one.value("current_value")?),
            Cell::text(trend),
            Cell::text(one.ahead("1h")?),
            Cell::text(one.ahead("6h")?),
            Cell::text(one.ahead("24h")?),
            number(one.number("mase")?),
            number(one.number("confidence")?.map(|share| 100.0 * share)),
            one.domain(),
            one.time("updated_at")?,
        ];
        let mut line = one.line(cells, FORECASTS)?;
        line.tags.extend(direction.map(|value| Tag {
            filter: "direction",
            value,
            severity: schema::Severity::Ok,
        }));
        Ok(line)
    })
    .await
}
