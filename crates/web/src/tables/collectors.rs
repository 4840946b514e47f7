//! Collectors and their runs within the last hour.

use std::collections::BTreeMap;

use schema::tables::CollectorRun;
use schema::{Cell as Stored, RunOutcome, Sample, Severity};
use store::series::{self, ReadError};

use super::{Col, Filter, Line, Lines, Reading, Source, Tag, View};
use crate::wire::{Cell, Unit};

const COLUMNS: &[Col] = &[
    Col::new("collector", "Collector", Unit::Text, "What is read.").primary(),
    Col::new(
        "outcome",
        "Last run",
        Unit::Text,
        "ok, no_data (there is nothing of the kind here), failed or timeout.",
    )
    .primary(),
    Col::new(
        "duration_ms",
        "Duration",
        Unit::Ms,
        "Time the last run took.",
    )
    .primary(),
    Col::new(
        "longest_ms",
        "Longest",
        Unit::Ms,
        "Time the longest run of the last hour took.",
    ),
    Col::new("rows", "Rows", Unit::Count, "Rows the last run gave."),
    Col::new("runs", "Runs", Unit::Count, "Runs within the last hour."),
    Col::new(
        "failures",
        "Failures",
        Unit::Count,
        "Runs of the last hour that failed or took too long.",
    ),
    Col::new("last_ms", "At", Unit::TimeMs, "When it ran last."),
    Col::new(
        "error",
        "Error",
        Unit::Text,
        "What failed, on what; of the last failure within the hour.",
    ),
];

pub(super) const VIEW: View = View {
    name: "collectors",
    title: "Collectors",
    columns: COLUMNS,
    filters: &[Filter {
        id: "outcome",
        label: "Last run",
        values: &[
            (RunOutcome::Ok.as_str(), "OK"),
            (RunOutcome::NoData.as_str(), "No data"),
            (RunOutcome::Failed.as_str(), "Failed"),
            (RunOutcome::Timeout.as_str(), "Time-out"),
        ],
    }],
    default_sort: "-failures",
    ranged: false,
    empty: "No collector has run within the last hour.",
    families: &[],
    source: Source::Sampled(|reading| Box::pin(read(reading))),
};

/// One collector's hour.
#[derive(Default)]
struct Hour {
    last: Option<(i64, String, f64, i64)>,
    longest: f64,
    runs: i64,
    failures: i64,
    error: Option<String>,
}

pub(super) async fn read(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    let columns = ["collector", "outcome", "duration_ms", "rows", "error"];
    let Reading {
        client, host, at, ..
    } = *reading;
    let table = CollectorRun::TABLE;
    let rows = series::rows(
        client,
        table,
        host.id,
        reading.reach(),
        reading.end(),
        &columns,
    )
    .await?;
    let mut hours: BTreeMap<String, Hour> = BTreeMap::new();
    for (ts, cells) in rows {
        let [
            Stored::Text(name),
            Stored::Text(outcome),
            Stored::Float(took),
            Stored::Int(rows),
            error,
        ] = cells.as_slice()
        else {
            continue;
        };
        let hour = hours.entry(name.to_string()).or_default();
        hour.last = Some((ts.as_millis(), outcome.to_string(), *took, *rows));
        hour.longest = hour.longest.max(*took);
        hour.runs += 1;
        if is_failure(outcome) {
            hour.failures += 1;
            if let Stored::Text(text) = error {
                hour.error = Some(text.to_string());
            }
        }
    }
    Ok(Lines {
        at: (!hours.is_empty()).then_some(at),
        lines: hours
            .into_iter()
            .filter_map(|(name, hour)| line(name, hour))
            .collect(),
        ..Lines::default()
    })
}

/// Returns whether a stored outcome is a failure; unknown outcomes are.
fn is_failure(outcome: &str) -> bool {
    RunOutcome::parse(outcome).is_none_or(RunOutcome::is_failure)
}

/// Makes the line of a collector: failing is a warning, having failed within the hour is informational.
fn line(name: String, hour: Hour) -> Option<Line> {
    let (last_ms, outcome, took, rows) = hour.last?;
    let severity = if is_failure(&outcome) {
        Severity::Warn
    } else {
        Severity::Ok
    };
    let cells = vec![
        Cell::Text(name.clone()),
        Cell::Text(outcome.clone()),
        Cell::Float(words::round(took)),
        Cell::Float(words::round(hour.longest)),
        Cell::Int(rows),
        Cell::Int(hour.runs),
        Cell::Int(hour.failures),
        Cell::Int(last_ms),
        Cell::text(hour.error),
    ];
    let mut line = Line::new(name, cells, COLUMNS);
    line.severities[1] = Some(severity);
    line.severities[6] = Some(if hour.failures > 0 {
        Severity::Info
    } else {
        Severity::Ok
    });
    line.tags.push(Tag {
        filter: "outcome",
        value: outcome,
        severity,
    });
    Some(line)
}
