//! The size of the store: whether its budget will be reached, what it took, and whether it is enough.
//!
//! Evaluated once an hour, by the collector of one host for all that share the store ([`Store::keeper`]).

use crate::judge::Judge;
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::rule::{Life, Rule};
use schema::finding::Kind;
use schema::{Finding, Keep, Severity, Timestamp, Unit};
use store::sizes::{Cut, Forecast, Kept, Store};

const fn rule(id: &'static str, kind: Kind, title: &'static str) -> Rule {
    Rule {
        id,
        kind,
        domain: "collector",
        title,
        life: Life::sampled(0),
        because: &[],
    }
}

/// At the present growth the budget is reached before the configured retention.
pub const FORECAST: Rule = rule(
    "store_budget_forecast",
    Kind::Insight,
    "The size budget will be reached",
);
/// Days were dropped before their time.
pub const CUT: Rule = rule(
    "store_budget",
    Kind::Alert,
    "History is dropped to stay within the size budget",
);
/// Nothing is left that may be dropped.
pub const EXCEEDED: Rule = rule(
    "store_budget_exceeded",
    Kind::Alert,
    "The store exceeds its size budget",
);

/// The rules of this judge.
pub const RULES: &[Rule] = &[FORECAST, CUT, EXCEEDED];

/// A forecast is a warning from so many days before: a week includes a day on which somebody can act.
const WARN_DAYS: i64 = 7;

/// Judges the size of the store.
#[derive(Debug, Default)]
pub struct StoreSizeJudge;

impl Judge for StoreSizeJudge {
    /// `None`: another host reports on it, and what this one had open has ended.
    type Facts<'a> = Option<&'a Store>;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        RULES.iter()
    }

    fn evaluate(&mut self, store: Option<&Store>, _: &Lifecycle, _: Timestamp) -> Evaluation {
        Evaluation {
            rules: RULES.iter().collect(),
            found: store.map(found).unwrap_or_default(),
            ..Evaluation::default()
        }
    }
}

fn found(store: &Store) -> Vec<Finding> {
    let cuts = store.kept.iter().filter_map(|kept| cut(kept, store));
    let mut found: Vec<Finding> = cuts.collect();
    if let Some(budget) = store.budget_bytes {
        if store.kept_bytes() > budget {
            found.push(exceeded(store, budget));
        } else if let Some(forecast) = store.forecast().filter(|_| found.is_empty()) {
            found.push(reached(store, budget, forecast));
        }
    }
    found
}

/// Returns the forecast that the budget will be reached, with its finding; `None` where it is not, or is already.
pub(crate) fn reached_soon(store: &Store) -> Option<(Forecast, Finding)> {
    let mut found = found(store).into_iter();
    store
        .forecast()
        .zip(found.find(|one| one.rule == FORECAST.id))
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
fn size(bytes: i64) -> String {
    words::value(bytes as f64, Unit::Bytes)
}

fn days(days: i64) -> String {
    words::counted(usize::try_from(days).unwrap_or(0), "day")
}

/// Adds what can be done.
fn with_steps(mut finding: Finding) -> Finding {
    finding.steps = vec![
        "Raise retention.max_gb if the disk has room for it, or lower retention.raw_days, hourly_days or log_days so that \
         what goes is your choice. See which tables are large:"
            .to_owned(),
    ];
    finding.command = Some("pqcrypta status".to_owned());
    finding
}

fn reached(store: &Store, budget: i64, forecast: Forecast) -> Finding {
    let Forecast {
        in_days,
        needed_bytes,
        raw_days,
        asked_days,
    } = forecast;
    let severity = if in_days <= WARN_DAYS {
        Severity::Warn
    } else {
        Severity::Info
    };
    let growth = words::value(store.bytes_per_day().unwrap_or(0.0), Unit::Bytes);
    let effect = if raw_days < asked_days {
        format!(
            "raw samples will be kept for {} instead of {asked_days}",
            days(raw_days)
        )
    } else {
        "raw samples will then be dropped before their time".to_owned()
    };
    let message = format!(
        "The store takes {} of its budget of {}, which it reaches in {} at {growth} a day: {effect}",
        size(store.bytes()),
        size(budget),
        days(in_days),
    );
    let mut finding = with_steps(FORECAST.finding("", severity, message));
    finding.steps.insert(
        0,
        format!(
            "The configured retention will need {}.",
            words::value(needed_bytes, Unit::Bytes)
        ),
    );
    finding
}

fn cut(kept: &Kept, store: &Store) -> Option<Finding> {
    let Cut {
        at,
        oldest_day,
        last_day,
        bytes,
        budget_bytes,
    } = kept.cut.as_ref()?;
    let what = match kept.keep {
        Keep::Hourly => "hourly sums",
        _ => "raw samples and log lines",
    };
    let span = if oldest_day == last_day {
        format!("of {oldest_day}")
    } else {
        format!("from {oldest_day} to {last_day}")
    };
    let left = store.at.as_micros().div_euclid(schema::micros::DAY) - kept.first_day;
    let message = format!(
        "To stay within {}, {} of {what} {span} were dropped; they are kept for {} instead of {}",
        size(*budget_bytes),
        size(*bytes),
        days(left),
        kept.days
    );
    let mut finding = with_steps(CUT.finding(kept.keep.as_str(), Severity::Warn, message));
    finding.since = Some(*at);
    Some(finding)
}

fn exceeded(store: &Store, budget: i64) -> Finding {
    let message = format!(
        "The store takes {}, more than its budget of {}, and nothing that may be dropped is left",
        size(store.kept_bytes()),
        size(budget)
    );
    with_steps(EXCEEDED.finding("", Severity::Critical, message))
}

#[cfg(test)]
mod tests;
