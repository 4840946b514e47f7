//! Generated statements.
//!
//! A statement is built from the inside out: [`samples`] gives one row per instant and key with
//! one value per metric (`ts, k, v0, v1 …`), and the questions reduce it. Weighted values
//! come with their weight: steps and amounts with the time they cover (`dt`), quotients with both parts
//! (`p0, w0 …`). `share.rs` has the quotients; [`mean`] averages each kind.

use std::fmt::Write as _;

use schema::{Metric, TableDef, Timestamp};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::scan::{Kind, Scan};
use super::share;
use super::steps::{elapsed, previous};
use super::value::Instant;
use super::view;
use super::{MAX_STEP_INTERVALS, ReadError};

/// A value of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Param {
    /// `int4`
    Int4(i32),
    /// `int8`
    Int8(i64),
    /// `float8`
    Float8(f64),
    /// `timestamptz`
    Time(Timestamp),
    /// `text`
    Text(String),
    /// `text[]`
    Texts(Vec<String>),
    /// `int8[]`
    Int8s(Vec<i64>),
}

/// SQL with its values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statement {
    /// The text, with `$1 …`.
    pub text: String,
    /// The values.
    pub params: Vec<Param>,
}

impl Statement {
    /// Adds a value and returns its placeholder; equal values share one.
    pub(crate) fn bind(&mut self, param: Param) -> String {
        let found = self.params.iter().position(|known| *known == param);
        let at = found.unwrap_or_else(|| {
            self.params.push(param);
            self.params.len() - 1
        });
        format!("${}", at + 1)
    }

    /// Runs the statement. The plan is made for these values, so partitions are pruned while planning.
    pub(crate) async fn query(&self, client: &Client, what: &str) -> Result<Vec<Row>, ReadError> {
        let owned: Vec<(Box<dyn ToSql + Sync + Send>, Type)> =
            self.params.iter().map(typed).collect();
        let params: Vec<(&(dyn ToSql + Sync), Type)> = owned
            .iter()
            .map(|(value, ty)| (value.as_ref() as &(dyn ToSql + Sync), ty.clone()))
            .collect();
        client
            .query_typed(&self.text, &params)
            .await
            .map_err(|source| ReadError::new(what, source))
    }

    /// Returns the text with its values written out, for COPY, which takes none. Only numbers and instants can be; a text
    /// becomes NULL.
    pub(crate) fn written_out(&self) -> String {
        let literal = |param: &Param| match param {
            Param::Int4(value) => value.to_string(),
            Param::Int8(value) => value.to_string(),
            Param::Float8(value) => format!("{value:?}::float8"),
            Param::Time(at) => format!("to_timestamp({:?})", secs(at.as_micros())),
            Param::Text(_) | Param::Texts(_) | Param::Int8s(_) => "NULL".to_owned(),
        };
        // The last first, as $1 begins $10.
        let numbered = self.params.iter().enumerate().rev();
        numbered.fold(self.text.clone(), |text, (at, param)| {
            text.replace(&format!("${}", at + 1), &literal(param))
        })
    }

    /// Returns the types of the values, for PREPARE.
    #[must_use]
    pub fn types(&self) -> Vec<Type> {
        self.params.iter().map(|param| typed(param).1).collect()
    }
}

fn typed(param: &Param) -> (Box<dyn ToSql + Sync + Send>, Type) {
    match param {
        Param::Int4(value) => (Box::new(*value), Type::INT4),
        Param::Int8(value) => (Box::new(*value), Type::INT8),
        Param::Float8(value) => (Box::new(*value), Type::FLOAT8),
        Param::Time(value) => (Box::new(Instant(*value)), Type::TIMESTAMPTZ),
        Param::Text(value) => (Box::new(value.clone()), Type::TEXT),
        Param::Texts(value) => (Box::new(value.clone()), Type::TEXT_ARRAY),
        Param::Int8s(value) => (Box::new(value.clone()), Type::INT8_ARRAY),
    }
}

/// Where the samples of a scan begin and end: SQL giving `timestamptz`.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) from: String,
    pub(crate) to: String,
    /// No sample of it lies before this, whatever `from` gives: known while planning.
    pub(super) least: Timestamp,
}

impl Span {
    /// Returns the span `from <= ts < to`.
    pub(crate) fn between(sql: &mut Statement, from: Timestamp, to: Timestamp) -> Self {
        Self {
            from: sql.bind(Param::Time(from)),
            to: sql.bind(Param::Time(to)),
            least: from,
        }
    }

    /// Returns the span of the newest instant of `table` in `from <= ts < to` at which `filled` (` AND …`) holds.
    pub(crate) fn newest(
        sql: &mut Statement,
        table: &TableDef,
        filled: &str,
        host_id: i32,
        from: Timestamp,
        to: Timestamp,
    ) -> Self {
        let host = sql.bind(Param::Int4(host_id));
        let span = Self::between(sql, from, to);
        Self {
            from: view::newest(sql, table, &host, filled, &span),
            ..span
        }
    }

    /// Returns the span that begins so many microseconds earlier, of which `margin` is the placeholder of the seconds.
    pub(super) fn earlier(&self, micros: i64, margin: &str) -> Self {
        Self {
            from: format!("{} - make_interval(secs => {margin})", self.from),
            to: self.to.clone(),
            least: Timestamp(self.least.as_micros().saturating_sub(micros)),
        }
    }
}

/// Whose samples are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) host_id: i32,
    /// The sampling interval, microseconds.
    pub(crate) interval: i64,
    /// Only these keys.
    pub(crate) keys: Option<&'a [String]>,
}

/// Converts microseconds to seconds for `make_interval`.
pub(crate) fn secs(micros: i64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "spans of time are far below 2^53 µs"
    )]
    let micros = micros as f64;
    micros / 1e6
}

/// Returns `SELECT ts, k, v0 …` with one row per instant and key, `k` being NULL for a single series.
pub(super) fn samples(
    sql: &mut Statement,
    scan: &Scan,
    source: &Source<'_>,
    span: &Span,
) -> String {
    match scan.kind {
        Kind::Level { folded } => levels(sql, scan, source, span, folded),
        Kind::Steps { identity } => steps(sql, scan, source, span, identity),
        Kind::Share { identity } => share::of_steps(sql, scan, source, span, identity),
        Kind::Amounts => share::amounts(sql, scan, source, span),
        Kind::AmountShare => share::of_amounts(sql, scan, source, span),
        Kind::Elements { column, shape } => elements(sql, scan, source, span, column, shape),
    }
}

/// Returns SQL for the mean of the samples of one group. `cover` names the seconds for which amounts of
/// any key are stored: a tick with amounts of other keys only counts as 0 of this one.
pub(super) fn mean(kind: Kind, at: usize, cover: &str) -> String {
    match kind {
        Kind::Level { .. } | Kind::Elements { .. } => format!("avg(v{at})"),
        Kind::Steps { .. } => {
            format!("sum(v{at} * dt) / nullif(sum(dt) FILTER (WHERE v{at} IS NOT NULL), 0)")
        }
        Kind::Amounts => format!("sum(v{at} * dt) / nullif(max(sum(dt)) {cover}, 0)"),
        Kind::Share { .. } | Kind::AmountShare => format!("sum(p{at}) / nullif(sum(w{at}), 0)"),
    }
}

pub(crate) fn key_sql(scan: &Scan) -> String {
    scan.key
        .map_or_else(|| "NULL::text".to_owned(), |key| format!("({key})::text"))
}

/// Formats the expression of each metric by `template` from expression, position and metric.
pub(super) fn each(
    metrics: &[&Metric],
    template: impl Fn(&str, usize, &Metric) -> String,
) -> String {
    let mut text = String::new();
    for (at, metric) in metrics.iter().enumerate() {
        // Writing to a String cannot fail.
        let _infallible = write!(text, ", {}", template(Scan::expr(metric).0, at, metric));
    }
    text
}

pub(crate) fn filter(sql: &mut Statement, scan: &Scan, source: &Source<'_>, span: &Span) -> String {
    let host = sql.bind(Param::Int4(source.host_id));
    let by_key = source.keys.is_some() && scan.key_columns().is_some();
    let mut text = format!(
        "host_id = {host} AND ts >= {} AND ts < {}{}",
        span.from,
        span.to,
        view::narrowed(sql, scan.table, span, by_key)
    );
    let Some(keys) = source.keys else { return text };
    // The first column of a compound key has an index; its values are the first parts.
    if let Some(columns) = scan.key_columns() {
        let firsts = keys
            .iter()
            .filter_map(|key| key.split('.').next()?.parse().ok())
            .collect();
        let firsts = sql.bind(Param::Int8s(firsts));
        let _infallible = write!(text, " AND {} = ANY({firsts})", columns[0]);
    } else if let Some(column) = scan.last_number() {
        let lasts = keys
            .iter()
            .filter_map(|key| key.rsplit('.').next()?.parse().ok())
            .collect();
        let lasts = sql.bind(Param::Int8s(lasts));
        let _infallible = write!(text, " AND {column} = ANY({lasts})");
    }
    if !matches!(scan.kind, Kind::Elements { .. }) {
        let keys = sql.bind(Param::Texts(keys.to_vec()));
        let _infallible = write!(text, " AND {} = ANY({keys})", key_sql(scan));
    }
    text
}

fn levels(
    sql: &mut Statement,
    scan: &Scan,
    source: &Source<'_>,
    span: &Span,
    folded: bool,
) -> String {
    let filter = filter(sql, scan, source, span);
    let values = each(&scan.metrics, |expr, at, metric| {
        if folded {
            format!("{}(({expr})::float8) AS v{at}", Scan::fold(metric).sql())
        } else {
            format!("({expr})::float8 AS v{at}")
        }
    });
    let group = if folded { "\n  GROUP BY 1, 2" } else { "" };
    format!(
        "SELECT ts, {} AS k{values}\n  FROM collector.{}\n  WHERE {filter}{group}",
        key_sql(scan),
        scan.table.relation()
    )
}

/// Returns the longest interval of a step, microseconds.
pub(crate) fn margin(scan: &Scan, source: &Source<'_>) -> i64 {
    scan.every.micros(source.interval) * MAX_STEP_INTERVALS
}

/// Returns the columns by which samples of one source are partitioned: numbers of an identity first, as they are sorted
/// sooner than text.
pub(super) fn partition(key: &str, identity: &str) -> String {
    if identity.is_empty() {
        return key.to_owned();
    }
    format!("{identity}, {key}")
}

fn steps(
    sql: &mut Statement,
    scan: &Scan,
    source: &Source<'_>,
    span: &Span,
    identity: &str,
) -> String {
    let micros = margin(scan, source);
    let margin = sql.bind(Param::Float8(secs(micros)));
    let filter = filter(sql, scan, source, &span.earlier(micros, &margin));
    let key = key_sql(scan);
    let partition = partition(&key, identity);
    let counters = each(&scan.metrics, |expr, at, _| {
        let counter = format!("({expr})::float8");
        format!("{counter} AS c{at}, {} AS p{at}", previous(&counter))
    });
    let rates = each(&scan.metrics, |_, at, metric| {
        let scale = Scan::expr(metric).1;
        format!(
            "CASE WHEN c{at} >= p{at} AND dt > 0 AND dt <= {margin} \
             THEN (c{at} - p{at}) / dt * {scale:?}::float8 END AS v{at}"
        )
    });
    // A source that comes back after a gap does not lengthen the step of others.
    let each_step = format!(
        "SELECT ts, k, CASE WHEN dt > 0 AND dt <= {margin} THEN dt END AS dt{rates}\n  FROM (SELECT ts, {key} AS k{counters}, \
         {} AS dt\n    FROM collector.{}\n    \
         WHERE {filter}\n    WINDOW w AS (PARTITION BY {partition} ORDER BY ts)) c\n  \
         WHERE ts >= {}",
        elapsed(),
        scan.table.relation(),
        span.from
    );
    if identity.is_empty() {
        return each_step;
    }
    let sums = each(&scan.metrics, |_, at, _| format!("sum(v{at}) AS v{at}"));
    format!("SELECT ts, k, max(dt) AS dt{sums}\n  FROM ({each_step}) i\n  GROUP BY 1, 2")
}

fn elements(
    sql: &mut Statement,
    scan: &Scan,
    source: &Source<'_>,
    span: &Span,
    column: &str,
    shape: &str,
) -> String {
    let filter = filter(sql, scan, source, span);
    let values = each(&scan.metrics, |expr, at, _| {
        format!("({expr})::float8 AS v{at}")
    });
    let key = key_sql(scan);
    let only = source.keys.map_or_else(String::new, |keys| {
        let keys = sql.bind(Param::Texts(keys.to_vec()));
        format!("\n  WHERE {key} = ANY({keys})")
    });
    format!(
        "SELECT ts, {key} AS k{values}\n  FROM (SELECT ts, {column} AS document\n    \
         FROM collector.{}\n    WHERE {filter}) d\n  CROSS JOIN LATERAL jsonb_to_recordset(\n    \
         CASE WHEN jsonb_typeof(document) = 'array' THEN document END) AS e({shape}){only}",
        scan.table.relation()
    )
}
