//! What an operator reads of something unusual.

use super::episode::{Episode, Lead};
use schema::{Metric, Unit};
use stats::moment::Moment;

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
/// Usual deviations on either side of what is expected that are called normal: 95 % of normal values.
const BAND: f64 = 2.0;
/// What is less than this share of the least effect of a metric is written as 0.
const NOTHING: f64 = 0.01;

/// Names of metrics whose label is short because a chart is above it.
const NAMES: &[(&str, &str)] = &[
    ("system.net_rx_bytes_per_sec", "Network received"),
    ("system.net_tx_bytes_per_sec", "Network sent"),
    ("db.wait_io", "Sessions waiting for I/O"),
    ("db.wait_lock", "Sessions waiting for a lock"),
    ("db.wait_lwlock", "Sessions waiting for a lightweight lock"),
    ("api.p95_ms", "p95 latency"),
    ("api.p99_ms", "p99 latency"),
    ("proxy.latency_p50_ms", "p50 latency"),
    ("proxy.latency_p95_ms", "p95 latency"),
    ("proxy.upstream_p95_ms", "p95 latency of upstreams"),
    ("log.lines_per_sec", "Lines"),
    ("log.error_per_sec", "Error lines"),
    ("log.warn_per_sec", "Warning lines"),
];

/// Returns the name of a metric that stands without a chart.
pub(crate) fn name(metric: &Metric) -> &'static str {
    let id = metric.id();
    let known = NAMES.iter().find(|(of, _)| *of == id);
    known.map_or(metric.label, |(_, name)| name)
}

/// Returns the condition: `CPU busy: 82 %, unusually high for Monday 10:00 (normally 20 % to 35 %)`.
pub(super) fn message(metric: &Metric, key: &str, episode: &Episode, moment: Moment) -> String {
    let name = name(metric);
    let subject = match key {
        "" => name.to_owned(),
        key => format!("{name} of {key}"),
    };
    let is_high = episode.value >= episode.expected;
    let side = |high, low| if is_high { high } else { low };
    let value = words::value(words::round(episode.value), metric.unit);
    let unusual = match episode.lead {
        Lead::Deviation => format!("unusually {} for {}", side("high", "low"), hour(moment)),
        Lead::Shift => format!("on a {} level for hours", side("higher", "lower")),
        Lead::Drift => format!("{} than usual for hours", side("higher", "lower")),
    };
    format!(
        "{subject}: {value}, {unusual} (normally {})",
        normally(metric, episode)
    )
}

/// Returns the first thing to do.
pub(super) fn step(metric: &Metric) -> String {
    match metric.fix {
        "" => "See in its chart when it began, and what else changed then: traffic, a deployment, a job.".to_owned(),
        fix => fix.to_owned(),
    }
}

/// Returns what is normal; a band where it has a width, and within what the metric can be.
fn normally(metric: &Metric, episode: &Episode) -> String {
    // A mean that has almost forgotten an event of weeks ago is no figure.
    let least = metric.scoring.least().unwrap_or_default();
    let text = |value: f64| match value.abs() < least * NOTHING {
        true => words::value(0.0, metric.unit),
        false => words::value(words::round(value), metric.unit),
    };
    let (mut low, mut high) = (
        episode.expected - BAND * episode.spread,
        episode.expected + BAND * episode.spread,
    );
    if episode.expected >= 0.0 {
        low = low.max(0.0);
    }
    if metric.unit == Unit::Percent && episode.expected <= 100.0 {
        high = high.min(100.0);
    }
    let (low, high) = (text(low), text(high));
    if low == high || episode.lead != Lead::Deviation {
        return text(episode.expected);
    }
    format!("{low} to {high}")
}

/// Returns the hour of the week, as `Monday 10:00`.
fn hour(moment: Moment) -> String {
    let hour = moment.hour_of_week();
    format!("{} {:02}:00", DAYS[hour / 24 % 7], hour % 24)
}
