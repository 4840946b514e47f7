//! Tables whose rows are the result of one statement.
//!
//! A file of `sql/` reads the rows of a table; its columns are matched by name:
//!
//! * a column of the table takes the statement's column of its name. A metric that the statement does
//!   not return is read as facts and problems are, by the line's id, which is the metric's key: so card,
//!   table and problem agree;
//! * `id` names the line;
//! * `sev_<column>` is the severity of a cell that no threshold judges: a state, never a number;
//! * a filter takes `tag_<filter>` (`text` or `text[]`), else the column of its name.

use schema::micros::{DAY, HOUR, MINUTE, SECOND};
use schema::{Every, Metric, SLOW_SECS, Series, Severity, Timestamp};
use store::series::{self, Instant, ReadError, steps};
use store::sums::{self, Origin};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::{Col, Filter, Line, Lines, RAW, Reading, Tag, keyed};
use crate::wire::{Cell, Unit};
use words::round;

/// The range that a statement reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookback {
    /// A few ticks, within which a healthy service was sampled.
    Ticks,
    /// Two slow ticks and a little.
    Slow,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// The asked range, and at least two slow ticks.
    SlowRange,
    /// The asked range.
    Range,
}

/// A threshold of the catalogue, as a parameter of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// The metric.
    pub metric: &'static str,
    /// Which of its thresholds.
    pub severity: Severity,
}

impl Threshold {
    /// Returns the value; `None` where the catalogue has no such threshold.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        let levels = schema::metric(self.metric)?.levels?;
        match self.severity {
            Severity::Info => levels.info,
            Severity::Warn => levels.warn,
            Severity::Critical => levels.critical,
            Severity::Ok | Severity::Unknown => None,
        }
    }
}

/// A statement that gives the rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The statement, with fragments of [`steps`] and relations of [`sums`]: `$1` host (int4), `$2` from, `$3` to (timestamptz).
    pub sql: &'static str,
    /// The range that it reads.
    pub lookback: Lookback,
    /// Whether it reads a single line, whose id is `$4` (text).
    pub detail: bool,
    /// The parameters that follow (float8 each).
    pub thresholds: &'static [Threshold],
}

impl Stored {
    /// Returns a statement that reads all lines and has no threshold.
    #[must_use]
    pub const fn new(sql: &'static str, lookback: Lookback) -> Self {
        Self {
            sql,
            lookback,
            detail: false,
            thresholds: &[],
        }
    }

    /// Adds thresholds of the catalogue as parameters.
    #[must_use]
    pub const fn thresholds(self, thresholds: &'static [Threshold]) -> Self {
        Self { thresholds, ..self }
    }

    /// Makes the statement read a single line.
    #[must_use]
    pub const fn detail(self) -> Self {
        Self {
            detail: true,
            ..self
        }
    }
}

/// Two slow ticks, the second of which may be a minute late.
const TWO_SLOW: i64 = 2 * SLOW_SECS as i64 * SECOND + MINUTE;

impl Lookback {
    fn of(self, reading: &Reading<'_>) -> (Timestamp, Timestamp) {
        let before = |at: Timestamp, micros: i64| Timestamp(at.as_micros().saturating_sub(micros));
        let (from, to) = reading.range;
        let end = reading.end();
        match self {
            Self::Ticks => (
                before(reading.at, (3 * reading.host.app_interval).max(2 * MINUTE)),
                end,
            ),
            Self::Slow => (before(reading.at, TWO_SLOW), end),
            Self::Hour => (before(reading.at, HOUR), end),
            Self::Day => (before(reading.at, DAY), end),
            Self::SlowRange => (from.min(before(to, TWO_SLOW)), to),
            Self::Range => (from, to),
        }
    }
}

/// Returns the window of a metric, seconds: that of its evaluation, else one that certainly has a value.
fn window(metric: &Metric) -> u32 {
    match metric.series {
        _ if metric.evaluated_over_secs > 0 => metric.evaluated_over_secs,
        _ if metric.every() == Every::Slow => 2 * SLOW_SECS,
        Series::Share { .. } => 600,
        _ => 60,
    }
}

pub(super) async fn read(
    reading: &Reading<'_>,
    stored: Stored,
    columns: &'static [Col],
    filters: &'static [Filter],
) -> Result<Lines, ReadError> {
    let Reading { client, host, .. } = *reading;
    let (from, to) = stored.lookback.of(reading);
    let parts = match stored.sql.contains("{sums ") {
        true => Some(sums::parts(client, host.id, host.app_interval, from, to).await?),
        false => None,
    };
    let (from, to) = (Instant(from), Instant(to));
    let id = reading.row.unwrap_or_default();
    let mut params = vec![
        (&host.id as &(dyn ToSql + Sync), Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
    ];
    if stored.detail {
        params.push((&id, Type::TEXT));
    }
    let thresholds: Vec<Option<f64>> = stored.thresholds.iter().map(|one| one.value()).collect();
    for threshold in &thresholds {
        params.push((threshold, Type::FLOAT8));
    }
    let fault = |source| ReadError::new("a table", source);
    let sql = steps::expand(stored.sql);
    let (sql, instants) = match &parts {
        Some(parts) => parts.expand(&sql, params.len()),
        None => (sql, Vec::new()),
    };
    let instants: Vec<Instant> = instants.into_iter().map(Instant).collect();
    params.extend(
        instants
            .iter()
            .map(|at| (at as &(dyn ToSql + Sync), Type::TIMESTAMPTZ)),
    );
    let rows = client.query_typed(&sql, &params);
    let rows = rows.await.map_err(fault)?;
    let places = rows.first().map(|row| Places::of(row, columns, filters));
    let lines = lines(&rows, columns, filters).map_err(fault)?;
    let mut lines = Lines {
        at: (!lines.is_empty()).then_some(reading.at),
        lines,
        source: parts.map_or(RAW, |parts| word(parts.origin())),
        note: String::new(),
    };
    let given = |at: usize| {
        places
            .as_ref()
            .is_some_and(|places| places.cells[at].is_some())
    };
    let lacking: Vec<(usize, &'static Metric)> = columns
        .iter()
        .enumerate()
        .filter(|(at, _)| !given(*at))
        .filter_map(|(at, column)| Some((at, schema::metric(column.metric?)?)))
        .collect();
    if !lines.lines.is_empty() && !lacking.is_empty() {
        fill(reading, &mut lines, &lacking, columns).await?;
    }
    for line in &mut lines.lines {
        let worst = line.severity();
        line.tags.iter_mut().for_each(|tag| tag.severity = worst);
    }
    Ok(lines)
}

/// Returns the word for what sums are made of.
fn word(origin: Origin) -> &'static str {
    match origin {
        Origin::Samples => RAW,
        Origin::Hours => "hourly",
        Origin::Days => "daily",
    }
}

/// Returns the lines of rows, whose columns are matched by name.
pub(super) fn lines(
    rows: &[Row],
    columns: &'static [Col],
    filters: &'static [Filter],
) -> Result<Vec<Line>, tokio_postgres::Error> {
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    let places = Places::of(first, columns, filters);
    let lines = rows.iter().map(|row| places.line(row, columns, filters));
    lines.collect()
}

/// Fills in the columns that are metrics.
async fn fill(
    reading: &Reading<'_>,
    lines: &mut Lines,
    lacking: &[(usize, &'static Metric)],
    columns: &'static [Col],
) -> Result<(), ReadError> {
    let Reading {
        client, host, at, ..
    } = *reading;
    let windows: Vec<_> = lacking
        .iter()
        .map(|(_, metric)| (*metric, window(metric)))
        .collect();
    let values = series::latest_over(client, host.id, &windows, at, host.app_interval).await?;
    let values = keyed::by_metric(values);
    for (at, metric) in lacking {
        let Some(values) = values.get(&metric.id()) else {
            continue;
        };
        for line in &mut lines.lines {
            if let Some(value) = values.get(&line.id) {
                line.severities[*at] = columns[*at].severity_of(&Cell::Float(*value));
                line.cells[*at] = match columns[*at].unit {
                    // True if it was true once within the window, as for its thresholds.
                    Unit::Bool => Cell::Bool(*value > 0.0),
                    _ => Cell::Float(*value),
                };
            }
        }
    }
    Ok(())
}

/// The positions of a table's columns in the result, looked up once rather than for each row.
struct Places {
    id: Option<usize>,
    cells: Vec<Option<usize>>,
    severities: Vec<Option<usize>>,
    tags: Vec<Option<usize>>,
}

impl Places {
    fn of(row: &Row, columns: &[Col], filters: &[Filter]) -> Self {
        let place = |name: &str| {
            row.columns()
                .iter()
                .position(|column| column.name() == name)
        };
        let tag =
            |filter: &Filter| place(&format!("tag_{}", filter.id)).or_else(|| place(filter.id));
        let severity = |column: &Col| place(&format!("sev_{}", column.id));
        Self {
            id: place("id"),
            cells: columns.iter().map(|column| place(column.id)).collect(),
            severities: columns.iter().map(severity).collect(),
            tags: filters.iter().map(tag).collect(),
        }
    }

    fn line(
        &self,
        row: &Row,
        columns: &'static [Col],
        filters: &'static [Filter],
    ) -> Result<Line, tokio_postgres::Error> {
        let text = |at: Option<usize>| -> Result<Option<String>, tokio_postgres::Error> {
            at.map_or(Ok(None), |at| row.try_get(at))
        };
        let id = text(self.id)?.unwrap_or_default();
        let cells = self
            .cells
            .iter()
            .map(|at| at.map_or(Ok(Cell::Null), |at| cell(row, at)))
            .collect::<Result<Vec<_>, _>>()?;
        let mut line = Line::new(id, cells, columns);
        for (severity, at) in line.severities.iter_mut().zip(&self.severities) {
            *severity = match text(*at)?.as_deref() {
                Some(word) => Some(Severity::parse(word).unwrap_or(Severity::Ok)),
                None => *severity,
            };
        }
        for (filter, at) in filters.iter().zip(&self.tags) {
            let Some(at) = *at else { continue };
            let values = if *row.columns()[at].type_() == Type::TEXT_ARRAY {
                row.try_get::<_, Option<Vec<String>>>(at)?
                    .unwrap_or_default()
            } else {
                row.try_get::<_, Option<String>>(at)?.into_iter().collect()
            };
            line.tags.extend(values.into_iter().map(|value| Tag {
                filter: filter.id,
                value,
                severity: Severity::Ok,
            }));
        }
        Ok(line)
    }
}

fn cell(row: &Row, at: usize) -> Result<Cell, tokio_postgres::Error> {
    Ok(match *row.columns()[at].type_() {
        Type::FLOAT8 => Cell::of(row.try_get::<_, Option<f64>>(at)?, |value| {
            Cell::Float(round(value))
        }),
        Type::INT8 => Cell::of(row.try_get(at)?, Cell::Int),
        Type::INT4 => Cell::of(row.try_get::<_, Option<i32>>(at)?, |value| {
            Cell::Int(i64::from(value))
        }),
        Type::BOOL => Cell::of(row.try_get(at)?, Cell::Bool),
        Type::TIMESTAMPTZ => Cell::time(row.try_get::<_, Option<Instant>>(at)?.map(|at| at.0)),
        _ => Cell::text(row.try_get(at)?),
    })
}
