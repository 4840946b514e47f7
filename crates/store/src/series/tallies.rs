//! What objectives count: metrics by the minute, from samples, and by the hour, from roll-ups, each with the weight of its
//! mean.

use schema::{Metric, Timestamp};
use tokio_postgres::{Client, Row};

use super::ReadError;
use super::history::{self, Layouts};
use super::pieces::{Form, Piece};
use super::scan::{Kind, Scan, group};
use super::sql::{Param, Source, Span, Statement, mean, samples, secs};
use super::value::Instant;

/// A metric to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The metric.
    pub metric: &'static Metric,
    /// Only this key; `None`: each, or the single series.
    pub key: Option<String>,
    /// The interval at which its source is sampled, microseconds.
    pub interval: i64,
    /// The width of a bucket, microseconds; hours are read as they are stored.
    pub step: i64,
}

/// What the weight of a mean counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Samples.
    Samples,
    /// Seconds.
    Seconds,
    /// Events: steps of the divisor.
    Events,
    /// Seconds with rows of this key; the metric is 0 in the others.
    Amounts,
}

/// A bucket of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Tallied {
    /// The metric.
    pub metric: &'static Metric,
    /// Its key.
    pub key: Option<String>,
    /// The start of the bucket.
    pub at: Timestamp,
    /// The least value; `None` where a ratio had no events.
    pub lo: Option<f64>,
    /// The greatest value.
    pub hi: Option<f64>,
    /// The mean.
    pub mean: Option<f64>,
    /// The weight of the mean; 0 where a ratio was sampled and had no events.
    pub weight: f64,
}

/// Returns what the weight of a metric's mean counts.
#[must_use]
pub fn weight(metric: &'static Metric) -> Weight {
    match Scan::of(metric).kind {
        Kind::Level { .. } | Kind::Elements { .. } => Weight::Samples,
        Kind::Steps { .. } => Weight::Seconds,
        Kind::Share { .. } | Kind::AmountShare => Weight::Events,
        Kind::Amounts => Weight::Amounts,
    }
}

/// Reads buckets of `from <= ts < to` from samples.
///
/// # Errors
/// What the server reported.
pub async fn minutes(
    client: &Client,
    host_id: i32,
    wanted: &[Wanted],
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Tallied>, ReadError> {
    let apart = |one: &Wanted| (one.key.clone(), one.interval, one.step);
    let (scans, _) = group(wanted.iter().map(|one| (one.metric, apart(one))));
    let mut found = Vec::new();
    for (scan, (key, interval, step)) in &scans {
        // An absent amount is 0 where other keys have rows, so samples of all keys are read.
        let keys = key.as_ref().filter(|_| scan.kind != Kind::Amounts);
        let keys = keys.map(std::slice::from_ref);
        let source = Source {
            host_id,
            interval: *interval,
            keys,
        };
        let sql = minute_statement(scan, &source, *step, from, to);
        let rows = sql.query(client, scan.table.name).await?;
        let mut of_scan = tallied(scan, &rows, None)?;
        if scan.kind == Kind::Amounts {
            fill(&mut of_scan);
            of_scan.retain(|one| key.is_none() || one.key == *key);
        }
        found.extend(of_scan);
    }
    Ok(found)
}

/// Reads the stored hours of `from <= bucket < to`, rolled up anew or not.
///
/// # Errors
/// What the server reported.
pub async fn hours(
    client: &Client,
    host_id: i32,
    wanted: &[Wanted],
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Tallied>, ReadError> {
    let names = wanted.iter().map(|one| one.metric.id()).collect();
    let layouts = Layouts::read(client, host_id, names).await?;
    let (scans, _) = group(wanted.iter().map(|one| (one.metric, one.key.clone())));
    let piece = Piece {
        from: from.as_micros(),
        to: to.as_micros(),
        form: Form::Hours,
    };
    let mut found = Vec::new();
    for (scan, key) in &scans {
        let source = Source {
            host_id,
            interval: 0,
            keys: key.as_ref().map(std::slice::from_ref),
        };
        for (layout, places) in layouts.with(&scan.metrics) {
            let mut sql = Statement::default();
            sql.text = history::stored(&mut sql, &source, &piece, layout, &places);
            let rows = sql.query(client, "metric_hours").await?;
            // A ratio that had no events has no weight there.
            let idle = matches!(scan.kind, Kind::Share { .. } | Kind::AmountShare).then_some(0.0);
            found.extend(tallied(scan, &rows, idle)?);
        }
    }
    // The time that amounts of any key cover has no key.
    found.retain(|one| one.metric.key.is_none() || one.key.is_some());
    Ok(found)
}

/// Returns the statement for `ts, k, lo0, hi0, avg0, w0 …` of samples.
fn minute_statement(
    scan: &Scan,
    source: &Source<'_>,
    step: i64,
    from: Timestamp,
    to: Timestamp,
) -> Statement {
    let mut sql = Statement::default();
    let span = Span::between(&mut sql, from, to);
    let inner = samples(&mut sql, scan, source, &span);
    let step = sql.bind(Param::Float8(secs(step)));
    let bucket = format!("date_bin(make_interval(secs => {step}), ts, 'epoch'::timestamptz)");
    let cover = format!("OVER (PARTITION BY {bucket})");
    let figures: String = (0..scan.metrics.len())
        .map(|at| {
            let mean = mean(scan.kind, at, &cover);
            let weight = match scan.kind {
                Kind::Level { .. } | Kind::Elements { .. } => {
                    format!("nullif(count(v{at}), 0)::float8")
                }
                Kind::Steps { .. } => format!("sum(dt) FILTER (WHERE v{at} IS NOT NULL)"),
                Kind::Share { .. } | Kind::AmountShare => format!("sum(w{at})"),
                Kind::Amounts => "sum(dt)".to_owned(),
            };
            format!(", min(v{at}), max(v{at}), {mean}, {weight}")
        })
        .collect();
    sql.text = format!("SELECT {bucket}, k{figures}\nFROM (\n  {inner}\n) samples\nGROUP BY 1, 2");
    sql
}

/// Returns the buckets of these rows; `idle` is the weight of one that has none.
fn tallied(scan: &Scan, rows: &[Row], idle: Option<f64>) -> Result<Vec<Tallied>, ReadError> {
    let fault = |source| ReadError::new(scan.table.name, source);
    let mut found = Vec::with_capacity(rows.len() * scan.metrics.len());
    for row in rows {
        let at: Instant = row.try_get(0).map_err(fault)?;
        let key: Option<String> = row.try_get(1).map_err(fault)?;
        for (place, metric) in scan.metrics.iter().enumerate() {
            let figure = |figure: usize| {
                let value = row.try_get::<_, Option<f64>>(2 + 4 * place + figure);
                value.map_err(fault)
            };
            let (mean, weight) = (figure(2)?, figure(3)?);
            let Some(weight) = weight.or(idle) else {
                continue;
            };
            found.push(Tallied {
                metric,
                key: key.clone(),
                at: at.0,
                lo: figure(0)?,
                hi: figure(1)?,
                mean,
                weight,
            });
        }
    }
    Ok(found)
}

/// Adds the buckets in which a key has no amount, and another one has.
fn fill(found: &mut Vec<Tallied>) {
    let ats: std::collections::BTreeSet<Timestamp> = found.iter().map(|one| one.at).collect();
    let mut keys: Vec<(&'static Metric, Option<String>)> = Vec::new();
    for one in found.iter() {
        let key = (one.metric, one.key.clone());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    for (metric, key) in keys {
        for at in &ats {
            let is_there = |one: &Tallied| one.at == *at && one.metric == metric && one.key == key;
            if !found.iter().any(is_there) {
                found.push(Tallied {
                    metric,
                    key: key.clone(),
                    at: *at,
                    lo: Some(0.0),
                    hi: Some(0.0),
                    mean: Some(0.0),
                    weight: 0.0,
                });
            }
        }
    }
}
