//! Spikes of errors and warnings.
//!
//! The count of the last five minutes, by source and level, is compared with the hours of the last
//! four weeks. The expectation for an hour has two parts. One is the count at this hour: the median of the
//! last seven days or of the same hour of the last four weeks, whichever is more, so that lines that come every
//! night or every Monday are expected then, and only then. The other is the rest,
//! at any hour: its mean over all hours or over the last day, without the most extreme fiftieth, so that a
//! burst of the past does not hide one of today. The expectation for five minutes is the part of it that the
//! fullest five minutes of an hour have had recently: a twelfth and more where lines trickle, the whole
//! where a job writes them at once.
//!
//! A spike is `LEAST` lines at least, `TIMES` times the expectation, and so unlikely that chance makes it
//! once in years ([`stats::counts`]), given how much the hours vary. A source that is
//! not known for a day has no expectation yet, and nothing is reported.

use crate::rule::{Life, Rule};
use schema::finding::{Figures, Kind};
use schema::micros::HOUR;
use schema::{Finding, LogLevel, Severity, Timestamp};
use serde_json::json;
use stats::{counts, order};
use std::collections::HashMap;

/// Far more errors or warnings of a source than expected.
pub const SPIKE: Rule = Rule {
    id: "log_error_spike",
    kind: Kind::Insight,
    domain: "logs",
    title: "Error spike",
    // A spike that pauses for less is the same.
    life: Life::counted(900),
    because: &[],
};

/// Length of the evaluated window, microseconds: the reference's five minutes.
pub(super) const WINDOW: i64 = 300_000_000;
/// Hours that the expectation is derived from: four weeks, so that each hour of the week is there four times.
pub(super) const HOURS: usize = 28 * 24;
/// Hours before there is an expectation.
const KNOWN: usize = 24;
/// Days before there is an expectation by time of day.
const DAYS: usize = 3;
/// Fewest lines of a spike, as the reference has it.
const LEAST: i64 = 5;
/// Least ratio to the expectation, as the reference has it: less is not worth a look, however unlikely.
const TIMES: f64 = 3.0;
/// Least -log10 of the probability. A host with thirteen sources has 7,500 windows a day to be evaluated; at a
/// millionth each, chance alone makes one finding in four months.
const MIN_SURPRISE: f64 = 6.0;
/// Ratio, lines and surprise from which on a spike is severe and needs attention now.
const SEVERE: (f64, i64, f64) = (10.0, 50, 12.0);
/// Share of the hours whose count is clipped.
const EXTREME: f64 = 0.02;

/// The expectation for one source and level at one hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// Lines in five minutes.
    pub lines: f64,
    /// Variance over mean of its hours.
    pub dispersion: f64,
}

/// Lines of one source and level in the last five minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// Source.
    pub source: String,
    /// Errors or warnings.
    pub level: LogLevel,
    /// Lines.
    pub lines: i64,
    /// The first and the last of them.
    pub span: (Timestamp, Timestamp),
    /// The pattern that most of them have.
    pub pattern: Option<String>,
}

/// Returns the hour that most of the window before `at` lies in.
pub(super) fn hour_of(at: Timestamp) -> i64 {
    (at.as_micros() - WINDOW / 2).div_euclid(HOUR)
}

/// Returns the expectation after these hours, the last of which is the previous one. `burst` is the share that the
/// fullest five minutes of an hour have of it. `None` before a day is known.
#[must_use]
pub fn expect(hours: &[f64], burst: f64) -> Option<Expected> {
    if hours.len() < KNOWN {
        return None;
    }
    let hours = hours.get(hours.len().saturating_sub(HOURS)..)?;
    let clipped = clip(hours);
    let regular = by_time_of_day(hours, 0.0, |same| order::median(same).unwrap_or_default());
    // The rest does not belong to a time of day.
    let irregular: Vec<f64> = hours
        .iter()
        .zip(&regular)
        .map(|(lines, regular)| (lines - regular).max(0.0))
        .collect();
    let of_all = mean(&clip(&irregular));
    let of_day = irregular
        .get(irregular.len() - KNOWN..)
        .map_or(of_all, |day| mean(&clip(day)));
    let every = |step: usize, most: usize, least: usize| {
        let same = hours.iter().rev().skip(step - 1).step_by(step).take(most);
        let same: Vec<f64> = same.copied().collect();
        let middle = order::median(&same).filter(|_| same.len() >= least);
        middle.unwrap_or_default()
    };
    // One line in all the known time is the least that can be inferred from it.
    let floor = 1.0 / hours.len() as f64;
    let hour = every(24, 7, DAYS).max(every(168, 4, 2)) + of_all.max(of_day).max(floor);
    let usual = by_time_of_day(&clipped, mean(&clipped), mean);
    Some(Expected {
        lines: hour * burst.clamp(WINDOW as f64 / HOUR as f64, 1.0),
        dispersion: counts::dispersion(&clipped, &usual).unwrap_or(1.0),
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Clips the most extreme hours to the greatest of the others.
fn clip(hours: &[f64]) -> Vec<f64> {
    let most = order::quantile(hours, 1.0 - EXTREME).unwrap_or(f64::MAX);
    hours.iter().map(|hour| hour.min(most)).collect()
}

/// Returns for each hour the `fold` of all hours at its time of day; `otherwise` before three days are known.
fn by_time_of_day(hours: &[f64], otherwise: f64, fold: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    if hours.len() < DAYS * 24 {
        return vec![otherwise; hours.len()];
    }
    let profile: Vec<f64> = (0..24)
        .map(|offset| {
            let same: Vec<f64> = hours.iter().skip(offset).step_by(24).copied().collect();
            fold(&same)
        })
        .collect();
    profile.iter().cycle().take(hours.len()).copied().collect()
}

/// Returns the spikes of the last five minutes.
#[must_use]
pub fn evaluate(
    recent: &[Recent],
    expected: &HashMap<(String, LogLevel), Expected>,
) -> Vec<Finding> {
    recent
        .iter()
        .filter_map(|one| {
            let key = (one.source.clone(), one.level);
            evaluate_one(one, expected.get(&key)?)
        })
        .collect()
}

/// Evaluates one source and level.
fn evaluate_one(recent: &Recent, expected: &Expected) -> Option<Finding> {
    let lines = recent.lines as f64;
    let times = lines / expected.lines;
    if recent.lines < LEAST || times < TIMES {
        return None;
    }
    let surprise = counts::surprise(
        recent.lines.unsigned_abs(),
        expected.lines,
        expected.dispersion,
    );
    if surprise < MIN_SURPRISE {
        return None;
    }
    let (severe_times, severe_lines, severe_surprise) = SEVERE;
    let is_severe =
        times >= severe_times && recent.lines >= severe_lines && surprise >= severe_surprise;
    let (severity, what) = match (recent.level, is_severe) {
        (LogLevel::Error, true) => (Severity::Critical, "errors"),
        (LogLevel::Error, false) => (Severity::Warn, "errors"),
        _ => (Severity::Info, "warnings"),
    };
    let message = format!(
        "{source} wrote {} {what} in five minutes; {} are usual at this hour.",
        recent.lines,
        few(expected.lines),
        source = recent.source,
    );
    let target = format!("{} {}", recent.source, recent.level.as_str());
    Some(Finding {
        steps: vec![
            "Read the lines of this source since the spike began, in the Logs view"
                .to_owned(),
            "See what changed at that time: deployments, configuration, and the other findings"
                .to_owned(),
        ],
        figures: Figures {
            expected: Some(expected.lines),
            score: Some(surprise),
            ..Figures::of(lines)
        },
        details: Some(
            json!({"source": recent.source, "level": recent.level.as_str(), "fingerprint": recent.pattern})
                .to_string(),
        ),
        span: Some(recent.span),
        ..SPIKE.finding(&target, severity, message)
    })
}

/// Formats an expected number of lines.
fn few(lines: f64) -> String {
    if lines < 0.1 {
        "hardly any".to_owned()
    } else if lines < 10.0 {
        format!("{lines:.1}")
    } else {
        format!("{lines:.0}")
    }
}

#[cfg(test)]
mod tests;
