//! Findings, open and resolved: what the views of alerts and of logs list.

use std::collections::HashMap;

use schema::micros::DAY;
use schema::{Severity, Timestamp};
use store::alerts::{self, Alert, State};
use store::series::{Instant, ReadError};
use tokio_postgres::types::{ToSql, Type};
use words::round;

use super::logs::BY_SEVERITY;
use super::{Col, Filter, Line, Lines, Reading, Source, Tag, View};
use crate::wire::{Cell, Unit};

const COLUMNS: &[Col] = &[
    Col::new(
        "title",
        "Finding",
        Unit::Text,
        "The condition, with its figures.",
    )
    .primary(),
    Col::new(
        "severity",
        "Severity",
        Unit::Text,
        "info, warn or critical; the finding is marked with it as long as it is firing.",
    ),
    Col::new(
        "target",
        "Subject",
        Unit::Text,
        "What it is about: a server, a mount, a process, a source, the text of a pattern, an address.",
    ),
    Col::new(
        "state",
        "State",
        Unit::Text,
        "firing; unknown while there is no data to tell; resolved.",
    )
    .primary(),
    Col::new(
        "since_ms",
        "Since",
        Unit::TimeMs,
        "Since when the condition holds; of logs the time of the first line, attempt or packet.",
    ),
    Col::new(
        "duration_secs",
        "Duration",
        Unit::Secs,
        "How long it lasted, or has lasted.",
    ),
    Col::new(
        "occurrences",
        "Occurrences",
        Unit::Count,
        "How often it began or returned before it was resolved.",
    ),
    Col::new(
        "worst",
        "Worst",
        Unit::Severity,
        "Its worst severity since it was opened.",
    ),
    Col::new(
        "figures",
        "Value and threshold",
        Unit::Text,
        "The measured value against the threshold that it reached, or against the expected value.",
    ),
    Col::new(
        "seen_ms",
        "Last seen",
        Unit::TimeMs,
        "When the condition held last.",
    ),
    Col::new(
        "resolved_ms",
        "Resolved",
        Unit::TimeMs,
        "When it ended; empty while it lasts.",
    ),
    Col::new(
        "message",
        "Observation",
        Unit::Text,
        "The observation, with figures.",
    ),
    Col::new(
        "steps",
        "What to do",
        Unit::Text,
        "Steps to take, in order; one per line, commands between backticks.",
    ),
    Col::new(
        "command",
        "Command",
        Unit::Text,
        "A command or statement that helps, to copy.",
    ),
    Col::new(
        "action_sql",
        "SQL",
        Unit::Text,
        "A statement that helps, to copy.",
    ),
    Col::new(
        "culprit",
        "Cause",
        Unit::Text,
        "Who is to blame: a session, a process, an endpoint, an error.",
    ),
    Col::new(
        "hypotheses",
        "Possible causes",
        Unit::Text,
        "Of problems that began together the possible causes, the likeliest first; what follows each, indented, is the evidence.",
    ),
    Col::new(
        "because",
        "Follows from",
        Unit::Text,
        "The finding that it is an effect of.",
    ),
    Col::new(
        "value",
        "Measured",
        Unit::Count,
        "The measured value, in the unit of the metric or the message.",
    ),
    Col::new(
        "current",
        "Newest sample",
        Unit::Count,
        "The value of the newest sample, where a mean was evaluated.",
    ),
    Col::new(
        "threshold",
        "Threshold",
        Unit::Count,
        "The threshold that was reached.",
    ),
    Col::new(
        "expected",
        "Expected",
        Unit::Count,
        "The expected value; empty without a basis for comparison.",
    ),
    Col::new(
        "direction",
        "Direction",
        Unit::Text,
        "Of what is unusual: spike above what is expected, drop below it.",
    ),
    Col::new(
        "z_score",
        "z-score",
        Unit::Ratio,
        "Of what is unusual: the deviation in multiples of the usual one.",
    ),
    Col::new(
        "drift_pct",
        "Drift",
        Unit::Percent,
        "Of what is unusual: the deviation in percent of what is expected.",
    ),
    Col::new(
        "kind",
        "Kind",
        Unit::Text,
        "alert: act on it. insight: worth knowing. recommendation: what to do.",
    ),
    Col::new("domain", "Domain", Unit::Text, "Part of the system."),
    Col::new(
        "rule",
        "Type",
        Unit::Text,
        "The rule that found it; of a threshold its metric.",
    ),
    Col::new("metric", "Metric", Unit::Text, "The metric it is about."),
    Col::new("metric_key", "Key", Unit::Text, "The key of the metric."),
    Col::new(
        "source",
        "Source",
        Unit::Text,
        "The log with its lines; empty where there are several.",
    ),
    Col::new(
        "pattern",
        "Pattern",
        Unit::Text,
        "Fingerprint of the lines it is about, a row of log_patterns; empty where there is none.",
    ),
    Col::new(
        "acknowledged",
        "Acknowledged",
        Unit::Bool,
        "Whether somebody said so, by pqcrypta alerts ack.",
    ),
    Col::new(
        "verified",
        "A day later",
        Unit::Text,
        "What became of it a day after its end, where it recommended something.",
    ),
    Col::new(
        "position",
        "Order",
        Unit::Count,
        "Firing ones first, then the worst, then the newest.",
    ),
];

pub(super) const VIEW: View = View {
    name: "findings",
    title: "Findings",
    columns: COLUMNS,
    filters: &[
        Filter {
            id: "state",
            label: "State",
            values: &[
                (State::Firing.as_str(), "Firing"),
                (State::Unknown.as_str(), "No data"),
                (State::Resolved.as_str(), "Resolved"),
            ],
        },
        BY_SEVERITY,
        Filter {
            id: "kind",
            label: "Kind",
            values: &[
                ("alert", "Alerts"),
                ("insight", "Insights"),
                ("recommendation", "Recommendations"),
            ],
        },
        Filter {
            id: "domain",
            label: "Domain",
            values: &[],
        },
        Filter {
            id: "rule",
            label: "Type",
            values: &[],
        },
    ],
    default_sort: "position",
    ranged: true,
    empty: "No findings in this range.",
    families: &[],
    source: Source::Current(|reading| Box::pin(read(reading))),
};

/// Findings that ended longer before the end of the range are left out: a list of a month would consist of them.
const LISTED_FOR: i64 = 7 * DAY;
const LEFT_OUT: &str = "Findings that ended more than 7 days before the end of the range are in the timeline of alerts only.";

async fn read(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    let (from, to) = reading.range;
    let since = Timestamp(to.as_micros().saturating_sub(LISTED_FOR));
    let range = (from.max(since), to);
    let found = alerts::list(reading.client, reading.host.id, range, reading.at);
    let found = found.await?;
    let note = match found.len() {
        alerts::LISTED => format!(
            "Only {} findings are listed, the worst and newest; a shorter range has the others.",
            alerts::LISTED
        ),
        _ if from < since && has_ended(reading, from, since).await? => LEFT_OUT.to_owned(),
        _ => String::new(),
    };
    let mut causes: HashMap<(&str, &str), Vec<&Alert>> = HashMap::new();
    for alert in &found {
        let key = (&*alert.rule, &*alert.target);
        causes.entry(key).or_default().push(alert);
    }
    let lines = found.iter().enumerate().map(|(at, alert)| {
        let because = alert.because.as_ref().map(|(rule, target)| {
            let causes = causes.get(&(&**rule, &**target));
            // A cause that ended and came back is another one for what ended with it.
            let cause = causes.and_then(|all| all.iter().find(|cause| held_together(cause, alert)));
            cause.map_or_else(
                || format!("{rule} {target}").trim_end().to_owned(),
                |cause| cause.sentence(),
            )
        });
        line(alert, at + 1, because, reading)
    });
    Ok(Lines {
        lines: lines.collect(),
        note,
        ..Lines::default()
    })
}

/// Returns whether a finding still held when its possible effect began, or began before that ended.
fn held_together(cause: &Alert, effect: &Alert) -> bool {
    let lasts_until = |one: &Alert, at: Timestamp| one.resolved_at.is_none_or(|end| end >= at);
    lasts_until(cause, effect.opened_at) && lasts_until(effect, cause.opened_at)
}

/// Returns whether findings ended within a range.
async fn has_ended(
    reading: &Reading<'_>,
    from: Timestamp,
    to: Timestamp,
) -> Result<bool, ReadError> {
    let (from, to) = (Instant(from), Instant(to));
    let params = [
        (&reading.host.id as &(dyn ToSql + Sync), Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
    ];
    let fault = |source| ReadError::new("findings", source);
    let sql = include_str!("../sql/findings_left_out.sql");
    let rows = reading
        .client
        .query_typed(sql, &params)
        .await
        .map_err(fault)?;
    let some = rows.first().map(|row| row.try_get(0));
    Ok(some.transpose().map_err(fault)?.unwrap_or_default())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a duration in seconds has few digits"
)]
fn line(alert: &Alert, position: usize, because: Option<String>, reading: &Reading<'_>) -> Line {
    let text = |text: &str| Cell::Text(text.to_owned());
    let number = |value: Option<f64>| Cell::of(value, |value| Cell::Float(round(value)));
    let time = |at| Cell::time(at);
    let state = alert.state();
    let cells = vec![
        text(alert.headline()),
        text(alert.severity.as_str()),
        text(alert.subject()),
        text(state.as_str()),
        time(Some(alert.opened_at)),
        Cell::Float((alert.duration(reading.at) / 1_000_000) as f64),
        Cell::Int(alert.occurrences),
        text(alert.worst.as_str()),
        Cell::text(figures(alert)),
        time(Some(alert.seen_at)),
        time(alert.resolved_at),
        text(&alert.message),
        Cell::Text(alert.steps.join("\n")),
        Cell::text(alert.command.clone()),
        Cell::text(alert.action_sql.clone()),
        Cell::text(alert.culprit.clone()),
        Cell::text(hypotheses(alert)),
        Cell::text(because),
        number(alert.value),
        number(alert.current),
        number(alert.threshold),
        number(alert.expected),
        Cell::text(alert.unusual.direction().map(str::to_owned)),
        number(alert.unusual.z_score),
        number(alert.unusual.drift_pct),
        text(&alert.kind),
        text(&alert.domain),
        text(&alert.rule),
        Cell::text(alert.metric.clone()),
        Cell::text(alert.metric_key.clone()),
        Cell::text(alert.source.clone()),
        Cell::text(alert.fingerprint.clone()),
        Cell::Bool(alert.acknowledged),
        Cell::text(alert.verified.clone()),
        Cell::Int(i64::try_from(position).unwrap_or(i64::MAX)),
    ];
    let mut line = Line::new(alert.id.to_string(), cells, COLUMNS);
    line.severities[0] = match state {
        State::Firing => Some(alert.severity),
        State::Unknown => Some(Severity::Unknown),
        State::Resolved => None,
    };
    let tag = |filter, value: &str| Tag {
        filter,
        value: value.to_owned(),
        severity: Severity::Ok,
    };
    line.tags = vec![
        tag("state", state.as_str()),
        tag("severity", alert.severity.as_str()),
        tag("kind", &alert.kind),
        tag("domain", &alert.domain),
        tag("rule", &alert.rule),
    ];
    line
}

/// Lists the possible causes: a line for each, then an indented line for each piece of evidence and for what to do.
fn hypotheses(alert: &Alert) -> Option<String> {
    let lines = alert.hypotheses.iter().flat_map(|one| {
        let step = one.step.iter().map(|step| format!("Do next: {step}"));
        let more = one.evidence.iter().cloned().chain(step);
        let more = more.map(|text| format!("\t{}", text.replace('\n', " ")));
        std::iter::once(one.says.replace('\n', " ")).chain(more)
    });
    let lines: Vec<String> = lines.collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Formats the measured value against its threshold or the expected value. States, counted events and objectives have none: their
/// sentence states all there is.
fn figures(alert: &Alert) -> Option<String> {
    let unit = alert.unit();
    if unit == schema::Unit::Bool || !alert.has_figures() {
        return None;
    }
    let format = |value: f64| words::value(value, unit);
    let mut parts = Vec::new();
    match (alert.current.map(format), alert.value.map(format)) {
        (Some(current), Some(mean)) if current != mean => {
            parts.push(format!("now {current}"));
            parts.push(format!("mean {mean}"));
        }
        (current, value) => parts.extend(value.or(current)),
    }
    let basis = match (alert.threshold, alert.expected) {
        (Some(threshold), _) => format!("threshold {}", format(threshold)),
        (None, Some(expected)) => format!("expected {}", format(expected)),
        (None, None) => return None,
    };
    if parts.is_empty() {
        return None;
    }
    parts.push(basis);
    Some(parts.join(", "))
}
