//! The table of rules in docs/ALERTS.md is that of the registry.
//!
//! `UPDATE_ALERTS=1 cargo test -p pqcrypta-insight --test reference` rewrites it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use insight::Rule;
use schema::finding::Kind;
use schema::{Better, METRICS, Metric, Unit};

/// What is generated begins after this line.
const MARK: &str =
    "<!-- generated: UPDATE_ALERTS=1 cargo test -p pqcrypta-insight --test reference -->\n";

#[test]
fn the_documented_rules_are_those_of_the_registry() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ALERTS.md");
    let found = fs::read_to_string(&path).unwrap();
    let (prose, _) = found.split_once(MARK).unwrap();
    let expected = format!("{prose}{MARK}{}", reference());
    if std::env::var_os("UPDATE_ALERTS").is_some() {
        fs::write(&path, &expected).unwrap();
        return;
    }
    assert!(
        found == expected,
        "docs/ALERTS.md is stale: run UPDATE_ALERTS=1 cargo test -p pqcrypta-insight --test reference"
    );
}

fn reference() -> String {
    let mut text = String::new();
    for (kind, heading) in [
        (Kind::Alert, "Alerts"),
        (Kind::Insight, "Insights"),
        (Kind::Recommendation, "Recommendations"),
    ] {
        let _infallible = write!(
            text,
            "\n### {heading}\n\n\
             | rule | condition | warning | critical | confirmed after | resolved after | follows from |\n\
             |---|---|---|---|---|---|---|\n"
        );
        // Of what is unusual there is a rule for each scored metric, with the same times.
        let listed = |rule: &&Rule| {
            rule.kind == kind
                && !["unusual.", "capacity."]
                    .iter()
                    .any(|prefix| rule.id.starts_with(prefix))
        };
        for rule in insight::rules().filter(listed) {
            text.push_str(&line(rule));
        }
    }
    text
}

fn line(rule: &Rule) -> String {
    let metric = METRICS.iter().find(|metric| metric.id() == rule.id);
    let because: Vec<String> = rule.because.iter().map(|id| format!("`{id}`")).collect();
    let [warn, critical] = metric.map_or_else(Default::default, thresholds);
    format!(
        "| `{}` | {} | {warn} | {critical} | {} | {} | {} |\n",
        rule.id,
        condition(rule, metric),
        match rule.life.confirm_secs {
            0 => "at once".to_owned(),
            secs => duration(secs),
        },
        resolution(rule),
        because.join(", ")
    )
}

fn condition(rule: &Rule, metric: Option<&Metric>) -> String {
    match metric {
        Some(metric) if metric.counts_events => format!(
            "{}, within {}",
            rule.title,
            duration(metric.evaluated_over_secs)
        ),
        Some(metric) if metric.is_windowed() => format!(
            "{}, mean of {}",
            rule.title,
            duration(metric.evaluated_over_secs)
        ),
        _ => rule.title.to_owned(),
    }
}

/// Returns the warning and the critical threshold; empty where there is none.
fn thresholds(metric: &Metric) -> [String; 2] {
    let levels = metric.levels.unwrap_or_default();
    let sign = match metric.better {
        Better::Higher => "≤",
        Better::Lower | Better::Neither => "≥",
    };
    [levels.warn, levels.critical].map(|level| match level {
        None => String::new(),
        Some(level) if metric.unit == Unit::Bool => words::value(level, metric.unit),
        // As a number of events, of which a part of one is one.
        Some(level) if metric.counts_events && metric.unit == Unit::PerSec => format!(
            "{sign} {}",
            (level * f64::from(metric.evaluated_over_secs)).ceil()
        ),
        Some(level) => format!("{sign} {}", words::value(level, metric.unit)),
    })
}

fn resolution(rule: &Rule) -> String {
    let life = rule.life;
    let samples = match life.clear_evaluations {
        1 => "1 evaluation".to_owned(),
        n => format!("{n} evaluations"),
    };
    match life.clear_secs {
        0 => samples,
        secs => duration(secs),
    }
}

fn duration(secs: u32) -> String {
    words::duration(f64::from(secs))
}
