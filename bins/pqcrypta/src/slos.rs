//! `pqcrypta slos`: are the objectives met?

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Context, Result};
use schema::Timestamp;
use serde_json::{Value, json};
use store::migrations;
use store::series::Instant;
use store::slos::{self, Latest};

use crate::settings::{Source, connect, refuse};
use crate::status;

/// List the service level objectives of all hosts
///
/// One line per objective: whether it is met over 30 days, how much of its error budget is spent (of that of the time with
/// data, and of that of 30 days), and how fast it is being spent (1 spends it exactly in 30 days). Objectives are rows of
/// collector.slo_definitions.
///
/// Exit status: 0 when every objective with data is met, 1 when one is missed, 2 when the database does not answer, 74 when
/// the output cannot be written.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    source: Source,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const HEADS: [&str; 9] = [
    "objective",
    "of",
    "status",
    "target %",
    "good %",
    "budget spent",
    "of 30 days",
    "burn 1 h",
    "burn 3 d",
];
/// Widths of the columns, with the gap in front of them.
const WIDTHS: [usize; 9] = [20, 14, 8, 10, 10, 14, 12, 10, 10];

/// Prints the objectives.
///
/// # Errors
/// When standard output cannot be written; a database that does not answer is a status.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let loaded = match options.source.load() {
        Ok(loaded) => loaded,
        Err(faults) => return Ok(refuse(&faults)),
    };
    let hosts = match read(&loaded).await {
        Ok(hosts) => hosts,
        Err(error) => return crate::report_failure(&error, options.json),
    };
    if options.json {
        let hosts = hosts.iter().map(|(name, slos)| {
            json!({"host": name, "slos": slos.iter().map(as_json).collect::<Vec<_>>()})
        });
        crate::print(&format!("{:#}\n", Value::from(hosts.collect::<Vec<_>>())))?;
    } else {
        crate::print(&text(&hosts))?;
    }
    let is_missed = hosts
        .iter()
        .flat_map(|(_, slos)| slos)
        .any(|one| one.met == Some(false));
    Ok(ExitCode::from(u8::from(is_missed)))
}

async fn read(loaded: &config::Loaded) -> Result<Vec<(String, Vec<Latest>)>> {
    let session = connect(loaded, "pqcrypta slos").await?;
    let client = &session.client;
    migrations::check(client).await?;
    let at = client.query_one("SELECT now()", &[]).await;
    let at = at.map_err(crate::roles::server_words);
    let Instant(at) = at.context("cannot read the time")?.try_get(0)?;
    // What was judged a moment ago by a clock that is ahead counts.
    let at = Timestamp(at.as_micros() + schema::micros::MINUTE);
    let mut hosts = Vec::new();
    for host in status::hosts(client).await? {
        let slos = slos::latest(client, host.id, at).await;
        hosts.push((host.name, slos.context("cannot read the objectives")?));
    }
    Ok(hosts)
}

fn text(hosts: &[(String, Vec<Latest>)]) -> String {
    let mut out = String::new();
    for (name, slos) in hosts {
        let _infallible = writeln!(out, "{name}");
        line(&mut out, &HEADS.map(str::to_owned));
        for one in slos {
            line(&mut out, &cells(one));
        }
        if slos.is_empty() {
            out.push_str("  no objective is defined\n");
        }
    }
    if hosts.is_empty() {
        out.push_str("no host has stored anything yet\n");
    }
    out
}

fn line(out: &mut String, cells: &[String; 9]) {
    let mut text = String::from("  ");
    for (at, (cell, width)) in cells.iter().zip(WIDTHS).enumerate() {
        // Words to the left, figures to the right.
        let _infallible = match at {
            0..=2 => write!(text, "{cell:<width$}"),
            _ => write!(text, "{cell:>width$}"),
        };
    }
    out.push_str(text.trim_end());
    out.push('\n');
}

fn cells(one: &Latest) -> [String; 9] {
    let figure = |value: Option<f64>, digits: usize| match value {
        Some(value) => format!("{value:.digits$}"),
        None => "–".to_owned(),
    };
    let percent =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |spent| format!("{spent:.0} %"));
    [
        one.slo_name.clone(),
        one.metric_key.clone(),
        status_of(one).to_owned(),
        one.target_pct.to_string(),
        figure(one.good_pct, 3),
        percent(one.budget_consumed),
        percent(one.spent_of_window()),
        figure(one.burn[0], 2),
        figure(one.burn[2], 2),
    ]
}

fn status_of(one: &Latest) -> &'static str {
    match one.met {
        Some(true) => "met",
        Some(false) => "missed",
        None => "no data",
    }
}

fn as_json(one: &Latest) -> Value {
    json!({
        "slo_name": one.slo_name,
        "metric_key": one.metric_key,
        "status": status_of(one),
        "severity": one.severity.map(schema::Severity::as_str),
        "domain": one.domain,
        "metric": one.metric,
        "target": one.target_value,
        "comparison": one.comparison,
        "target_pct": one.target_pct,
        "counted": one.counted,
        "actual": one.actual,
        "good_pct": one.good_pct,
        "met": one.met,
        "budget_consumed": one.budget_consumed,
        "budget_of_window": one.spent_of_window(),
        "violations": one.violations,
        "total_periods": one.total_periods,
        "covered_minutes": one.covered_minutes,
        "burn_1h": one.burn[0],
        "burn_6h": one.burn[1],
        "burn_3d": one.burn[2],
        "at_ms": one.at.map(Timestamp::as_millis),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_data_is_not_met() {
        let one = Latest {
            slo_name: "api_uptime".to_owned(),
            metric_key: "main".to_owned(),
            at: None,
            domain: "api".to_owned(),
            metric: "success_pct".to_owned(),
            target_value: 99.9,
            comparison: "gte".to_owned(),
            target_pct: 99.9,
            description: String::new(),
            counted: None,
            actual: None,
            good_pct: None,
            met: None,
            budget_consumed: None,
            violations: None,
            total_periods: None,
            covered_minutes: None,
            burn: [None; 3],
            severity: None,
        };
        let missed = Latest {
            met: Some(false),
            good_pct: Some(99.25),
            budget_consumed: Some(750.0),
            // A day of 30.
            covered_minutes: Some(1440.0),
            burn: [Some(0.0), None, Some(7.5)],
            ..one.clone()
        };
        let text = text(&[("db-1".to_owned(), vec![one, missed])]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "db-1");
        assert_eq!(
            lines[2],
            "  api_uptime          main          no data       99.9         –             –           –         –         –"
        );
        assert_eq!(
            lines[3],
            "  api_uptime          main          missed        99.9    99.250         750 %        25 %      0.00      7.50"
        );
    }
}
