//! The store itself: its budget is a limit, too. That it will be reached is a finding of [`crate::store_size`], which knows
//! what expires meanwhile; here it is a row beside the others.

use crate::store_size;
use schema::micros::DAY;
use schema::{Domain, Timestamp};
use store::capacity::CapacityRow;
use store::sizes::Store;

/// Name of what is bounded; no metric has it, as the store is measured for all hosts together.
pub const METRIC: &str = "store_bytes";

/// Returns the row about the store, where its budget will be reached within the horizon.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
pub fn row(store: &Store) -> Option<CapacityRow> {
    let (forecast, finding) = store_size::reached_soon(store)?;
    let hours_until = forecast.in_days as f64 * 24.0;
    let slope = store.bytes_per_day()? / 24.0;
    let current = store.bytes() as f64;
    let full_at = Timestamp(store.at.as_micros() + forecast.in_days * DAY);
    (hours_until <= super::HORIZON_HOURS as f64).then(|| CapacityRow {
        domain: Domain::Collector.as_str(),
        metric: METRIC,
        metric_key: String::new(),
        severity: finding.severity,
        current,
        predicted: current + slope * 24.0,
        limit: store.budget_bytes.unwrap_or_default() as f64,
        hours_until,
        // What a day adds is measured, and what expires is known.
        confidence: 1.0,
        message: finding.message,
        earliest: full_at,
        latest: Some(full_at),
        level: current,
        slope,
        history: Vec::new(),
    })
}
