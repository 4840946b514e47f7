//! What will reach its limit, as stored: the rows of `capacity_alerts`.

use crate::series::{Instant, ReadError};
use schema::{Severity, Timestamp};
use serde_json::json;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

/// Something that will reach its limit.
#[derive(Clone, Debug, PartialEq)]
pub struct CapacityRow {
    /// Domain of the metric.
    pub domain: &'static str,
    /// Its name within the domain.
    pub metric: &'static str,
    /// Its key; empty for a metric without.
    pub metric_key: String,
    /// Info or warn.
    pub severity: Severity,
    /// Mean of the last hour.
    pub current: f64,
    /// The value expected in a day.
    pub predicted: f64,
    /// The limit.
    pub limit: f64,
    /// Hours until it is reached.
    pub hours_until: f64,
    /// How sure it is that the metric grows, from 0 to 1.
    pub confidence: f64,
    /// The condition in a sentence.
    pub message: String,
    /// When it is reached at the earliest.
    pub earliest: Timestamp,
    /// At the latest; `None`: it may never be.
    pub latest: Option<Timestamp>,
    /// The level that the growth goes on from.
    pub level: f64,
    /// Change per hour.
    pub slope: f64,
    /// Medians of six hours each, oldest first.
    pub history: Vec<Option<f64>>,
}

/// Replaces what is stored of a host by what was computed from hours up to `until`.
///
/// # Errors
/// When the statement fails; then what was stored remains.
pub async fn replace(
    client: &Client,
    host_id: i32,
    rows: &[CapacityRow],
    until: Timestamp,
) -> Result<(), ReadError> {
    let rows: Vec<_> = rows.iter().map(row).collect();
    let (rows, until) = (json!(rows).to_string(), Instant(until));
    let params: [(&(dyn ToSql + Sync), Type); 3] = [
        (&host_id, Type::INT4),
        (&rows, Type::TEXT),
        (&until, Type::TIMESTAMPTZ),
    ];
    let sql = "SELECT collector.replace_capacity($1, $2::json, $3)";
    let stored = client.query_typed(sql, &params).await;
    stored.map_err(|source| ReadError::new("storing capacity_alerts", source))?;
    Ok(())
}

fn row(row: &CapacityRow) -> serde_json::Value {
    json!({
        "domain": row.domain, "metric": row.metric, "metric_key": row.metric_key,
        "severity": row.severity.as_str(), "current_value": row.current, "predicted_value": row.predicted,
        "threshold": row.limit, "hours_until": row.hours_until, "confidence": row.confidence,
        "message": row.message.replace('\0', "\u{2400}"), "earliest_ms": row.earliest.as_millis(),
        "latest_ms": row.latest.map(Timestamp::as_millis), "level": row.level, "slope_per_hour": row.slope,
        "history": row.history,
    })
}
