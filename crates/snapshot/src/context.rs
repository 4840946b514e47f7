//! What led to a snapshot: a finding, or a point of a chart.

use schema::{Metric, Timestamp};
use stats::order::median;
use store::alerts::{self, Alert};
use store::series::ReadError;
use tokio_postgres::Client;
use words::round;

use crate::changed::Usuals;
use crate::model::{Finding, Focus};
use crate::readings::Readings;
use crate::spans::Window;

/// Reads a finding; `None` without a number, or where it is not known any more.
pub(crate) async fn finding(
    client: &Client,
    host_id: i32,
    id: Option<i64>,
) -> Result<Option<Finding>, ReadError> {
    let Some(id) = id else { return Ok(None) };
    let found = alerts::one(client, host_id, id).await?;
    Ok(found.map(of))
}

/// Returns an alert as a snapshot has it.
fn of(alert: Alert) -> Finding {
    let (has_figures, unusual) = (alert.has_figures(), alert.unusual);
    let figure = |value: Option<f64>| value.filter(|_| has_figures).map(round);
    Finding {
        id: alert.id.to_string(),
        state: alert.state().as_str(),
        title: alert.sentence(),
        severity: alert.severity,
        worst: alert.worst,
        opened_ms: alert.opened_at.as_millis(),
        resolved_ms: alert.resolved_at.map(Timestamp::as_millis),
        kind: alert.kind,
        domain: alert.domain,
        rule: alert.rule,
        metric: alert.metric,
        metric_key: alert.metric_key,
        message: alert.message,
        cause: alert.culprit,
        steps: alert.steps,
        command: alert.command,
        action_sql: alert.action_sql,
        value: figure(alert.current.or(alert.value)),
        threshold: figure(alert.threshold),
        expected: alert.expected.map(round),
        stddev: unusual.stddev.map(round),
        direction: unusual.direction(),
        z_score: unusual.z_score.map(round),
        drift_pct: unusual.drift_pct.map(round),
    }
}

/// Returns a metric at the instant, beside what it was before and what is usual.
pub(crate) fn focus(
    metric: &'static Metric,
    key: Option<&str>,
    readings: &Readings,
    usuals: &Usuals,
    window: Window,
) -> Focus {
    let id = metric.id();
    let reading = readings.of(&id).find(|one| one.key.as_deref() == key);
    let held = |one: &crate::readings::Reading| {
        let until = one.within.iter().filter(|bucket| bucket.at <= window.at);
        until
            .max_by_key(|bucket| bucket.at)
            .map(|bucket| round(bucket.avg))
    };
    let usual = usuals.of(metric, key);
    Focus {
        key: key.map(str::to_owned),
        label: metric.label,
        unit: metric.unit.as_str(),
        value: reading.and_then(held),
        before: reading
            .and_then(|one| median(&one.means_before()))
            .map(round),
        usual: usual.map(|usual| round(usual.mean)),
        usual_spread: usual.map(|usual| round(usual.stddev)),
        metric: id,
    }
}
