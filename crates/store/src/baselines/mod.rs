//! What is normal, as it is stored: baselines, those of each hour of the week, and where a metric goes.
//!
//! Rows are computed elsewhere and replaced here, thousands in a statement. None travels through the queue: all of them can be
//! computed again.

use crate::series::{Instant, ReadError};
use schema::{Metric, Timestamp};
use serde_json::{Value, json};
use std::collections::HashMap;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

/// Rows in a statement: half a megabyte.
const AT_ONCE: usize = 2000;

/// Whose rows: a metric and a key, empty of a single series.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Of {
    /// The metric.
    pub domain: &'static str,
    /// Its name within the domain.
    pub metric: &'static str,
    /// The key.
    pub key: String,
}

impl Of {
    /// Names a series.
    #[must_use]
    pub fn new(metric: &'static Metric, key: Option<&str>) -> Self {
        Self {
            domain: metric.domain.as_str(),
            metric: metric.name,
            key: key.unwrap_or_default().to_owned(),
        }
    }

    fn row(&self, rest: Value) -> Value {
        let mut row = json!({"domain": self.domain, "metric": self.metric, "metric_key": self.key});
        if let (Value::Object(row), Value::Object(rest)) = (&mut row, rest) {
            row.extend(rest);
        }
        row
    }
}

/// A distribution over some days.
#[derive(Clone, Debug, PartialEq)]
pub struct BaselineRow {
    /// Whose.
    pub of: Of,
    /// `7d` or `30d`.
    pub window: &'static str,
    /// Mean and standard deviation.
    pub mean: f64,
    /// Standard deviation.
    pub stddev: f64,
    /// Percentiles 5, 25, 50, 75 and 95.
    pub percentiles: [f64; 5],
    /// Median distance from the median, scaled to a standard deviation.
    pub robust_spread: f64,
    /// Hours that count.
    pub count: usize,
    /// The first of them.
    pub since: Timestamp,
}

/// The distribution of an hour of the week.
#[derive(Clone, Debug, PartialEq)]
pub struct SlotRow {
    /// Whose.
    pub of: Of,
    /// Hours since Monday 00:00.
    pub hour_of_week: usize,
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub stddev: f64,
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// Values that count.
    pub count: usize,
}

/// A forecast with its band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ahead {
    /// Expected value.
    pub value: f64,
    /// Ends of the band.
    pub band: Option<(f64, f64)>,
}

/// Where a metric goes.
#[derive(Clone, Debug, PartialEq)]
pub struct TrendRow {
    /// Whose.
    pub of: Of,
    /// Mean of the last hour.
    pub current: Option<f64>,
    /// Change per hour, share of the variance that it explains, `rising`, `falling` or `stable`, and its confidence.
    pub slope: Option<(f64, f64, &'static str, f64)>,
    /// In 1, 6 and 24 hours.
    pub ahead: [Ahead; 3],
    /// Skill of the forecasts for a day.
    pub mase: Option<f64>,
    /// The hour of the week that follows the last one read.
    pub hour_of_week: usize,
}

/// What a run computed.
#[derive(Debug, Default)]
pub struct Computed {
    /// Distributions.
    pub baselines: Vec<BaselineRow>,
    /// Hours of the week.
    pub slots: Vec<SlotRow>,
    /// Trends.
    pub trends: Vec<TrendRow>,
}

impl Computed {
    /// Returns the number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.baselines.len() + self.slots.len() + self.trends.len()
    }

    /// Returns whether nothing was computed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Returns the end of the last hour that the stored baselines of each series of a host were computed from.
///
/// # Errors
/// When the statement fails.
pub async fn known(
    client: &Client,
    host_id: i32,
) -> Result<HashMap<(String, String, String), Timestamp>, ReadError> {
    let fault = |source| ReadError::new("baselines", source);
    let params: [(&(dyn ToSql + Sync), Type); 1] = [(&host_id, Type::INT4)];
    let sql = "SELECT domain, metric, metric_key, updated_at FROM collector.trend_forecasts WHERE host_id = $1";
    let rows = client.query_typed(sql, &params).await.map_err(fault)?;
    let known = rows.iter().map(|row| {
        let key = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        Ok((key, row.try_get::<_, Instant>(3)?.0))
    });
    known
        .collect::<Result<_, tokio_postgres::Error>>()
        .map_err(fault)
}

/// Replaces rows of a host by what was computed from hours up to `until`.
///
/// # Errors
/// When a statement fails; rows of earlier ones are stored.
pub async fn replace(
    client: &Client,
    host_id: i32,
    computed: &Computed,
    until: Timestamp,
) -> Result<(), ReadError> {
    let baselines = computed.baselines.iter().map(baseline).collect();
    let slots = computed.slots.iter().map(slot).collect();
    let trends = computed.trends.iter().map(trend).collect();
    let files: [(&str, &str, Vec<Value>); 3] = [
        ("baselines", include_str!("baselines.sql"), baselines),
        ("baselines_hourly", include_str!("slots.sql"), slots),
        ("trend_forecasts", include_str!("trends.sql"), trends),
    ];
    let until = Instant(until);
    for (table, sql, rows) in files {
        for rows in rows.chunks(AT_ONCE) {
            let rows = json!(rows).to_string();
            let params: [(&(dyn ToSql + Sync), Type); 3] = [
                (&host_id, Type::INT4),
                (&rows, Type::TEXT),
                (&until, Type::TIMESTAMPTZ),
            ];
            let stored = client.query_typed(sql, &params).await;
            stored.map_err(|source| ReadError::new(format!("storing {table}"), source))?;
        }
    }
    Ok(())
}

/// Removes what was not computed for 30 days before `until`. Returns the number of rows.
///
/// # Errors
/// When the statement fails.
pub async fn prune(client: &Client, host_id: i32, until: Timestamp) -> Result<i64, ReadError> {
    let until = Instant(until);
    let params: [(&(dyn ToSql + Sync), Type); 2] =
        [(&host_id, Type::INT4), (&until, Type::TIMESTAMPTZ)];
    let sql = "SELECT collector.prune_baselines($1, $2)";
    let rows = client.query_typed(sql, &params).await;
    let rows = rows.map_err(|source| ReadError::new("stale baselines", source))?;
    Ok(rows.first().map_or(0, |row| row.get(0)))
}

/// What is usual for a series at some hours.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// The metric, `domain.name`.
    pub metric: String,
    /// The key, empty of a single series.
    pub key: String,
    /// Of each hour, in their order.
    pub hours: Vec<HourBand>,
}

/// What is usual at an hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HourBand {
    /// The start of the hour.
    pub at: Timestamp,
    /// Mean and standard deviation of this hour of the week; `None` before its third week.
    pub slot: Option<(f64, f64)>,
    /// From the 5th to the 95th percentile: of this hour of the week, else of 7 days.
    pub band: Option<(f64, f64)>,
}

/// Distance of the 5th percentile of normal values from their mean, in standard deviations.
const SIGMAS_TO_P5: f64 = 1.645;

/// Reads what is usual at these hours: of these metrics, or of all. An hour's place in the week is counted from the hour that the
/// baselines were computed for last, so beyond a change to or from summer time it is that of the hour beside it.
///
/// # Errors
/// When the statement fails.
pub async fn bands(
    client: &Client,
    host_id: i32,
    metrics: Option<&[String]>,
    hours: &[Timestamp],
) -> Result<Vec<Band>, ReadError> {
    let fault = |source| ReadError::new("baselines", source);
    let hours: Vec<Instant> = hours.iter().copied().map(Instant).collect();
    let params: [(&(dyn ToSql + Sync), Type); 3] = [
        (&host_id, Type::INT4),
        (&metrics, Type::TEXT_ARRAY),
        (&hours, Type::TIMESTAMPTZ_ARRAY),
    ];
    let rows = client.query_typed(include_str!("bands.sql"), &params);
    let mut found: Vec<Band> = Vec::new();
    for row in rows.await.map_err(fault)? {
        let (metric, key, hour) = band(&row).map_err(fault)?;
        match found.last_mut() {
            Some(last) if last.metric == metric && last.key == key => last.hours.push(hour),
            _ => found.push(Band {
                metric,
                key,
                hours: vec![hour],
            }),
        }
    }
    Ok(found)
}

fn band(row: &Row) -> Result<(String, String, HourBand), tokio_postgres::Error> {
    let number = |column: &str| row.try_get::<_, Option<f64>>(column);
    let slot = number("mean")?.zip(number("stddev")?);
    // Only the upper end is kept of an hour of the week. No metric of the catalogue is negative.
    let of_slot = slot.zip(number("p95")?).map(|((mean, stddev), p95)| {
        let low = (mean - SIGMAS_TO_P5 * stddev).max(0.0).min(mean);
        (low, p95.max(mean))
    });
    let of_week = number("week_p5")?.zip(number("week_p95")?);
    let hour = HourBand {
        at: row.try_get::<_, Instant>("hour")?.0,
        slot,
        band: of_slot.or(of_week),
    };
    Ok((row.try_get("metric")?, row.try_get("metric_key")?, hour))
}

fn baseline(row: &BaselineRow) -> Value {
    let [p5, p25, p50, p75, p95] = row.percentiles;
    row.of.row(json!({
        "time_window": row.window, "mean": row.mean, "stddev": row.stddev,
        "p5": p5, "p25": p25, "p50": p50, "p75": p75, "p95": p95,
        "robust_spread": row.robust_spread, "sample_count": row.count,
        "since_ms": row.since.as_millis(),
    }))
}

fn slot(row: &SlotRow) -> Value {
    row.of.row(json!({
        "hour_of_week": row.hour_of_week, "mean": row.mean, "stddev": row.stddev,
        "p50": row.p50, "p95": row.p95, "sample_count": row.count,
    }))
}

fn trend(row: &TrendRow) -> Value {
    let [one, six, day] = row.ahead;
    let low = |ahead: Ahead| ahead.band.map(|(low, _)| low);
    let high = |ahead: Ahead| ahead.band.map(|(_, high)| high);
    row.of.row(json!({
        "current_value": row.current,
        "slope_per_hour": row.slope.map(|(slope, ..)| slope),
        "r_squared": row.slope.map(|(_, r_squared, ..)| r_squared),
        "trend_direction": row.slope.map(|(_, _, direction, _)| direction),
        "confidence": row.slope.map(|(.., confidence)| confidence),
        "forecast_1h": one.value, "forecast_6h": six.value, "forecast_24h": day.value,
        "low_1h": low(one), "high_1h": high(one), "low_6h": low(six), "high_6h": high(six),
        "low_24h": low(day), "high_24h": high(day),
        "mase": row.mase, "hour_of_week": row.hour_of_week,
    }))
}
