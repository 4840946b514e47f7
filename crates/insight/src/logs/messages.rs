//! Recommendations about messages of the last hour.

use super::advice::{self, Advice};
use super::patterns::{RecentPattern, cut, details, span};
use super::steps::Facts;
use schema::finding::Figures;
use schema::{Finding, LogLevel, Severity};
use std::collections::BTreeMap;
use words::{counted, within};

/// Returns a recommendation for each advice and source, with the most frequent of its messages.
#[must_use]
pub fn evaluate(seen: &[RecentPattern]) -> Vec<Finding> {
    let mut by_advice: BTreeMap<(&str, &str), (&Advice, Vec<&RecentPattern>)> = BTreeMap::new();
    for one in seen {
        if let Some(advice) = advice::of(one.topic.as_deref(), one.level, one.per_hour) {
            let entry = by_advice
                .entry((advice.rule.id, &one.source))
                .or_insert((advice, Vec::new()));
            entry.1.push(one);
        }
    }
    by_advice
        .into_values()
        .filter_map(|(advice, messages)| recommend(advice, &messages))
        .collect()
}

/// Returns the recommendation for the messages that one advice covers, when there are enough of them.
fn recommend(advice: &Advice, messages: &[&RecentPattern]) -> Option<Finding> {
    let per_hour: i64 = messages.iter().map(|one| one.per_hour).sum();
    if per_hour < advice.at_least {
        return None;
    }
    let most = messages.iter().copied().max_by_key(|one| one.per_hour)?;
    let lines: i64 = messages.iter().map(|one| one.recent).sum();
    let keeps_coming = most.level == LogLevel::Error && most.per_hour > advice::RECURRING_PER_HOUR;
    let severity = if advice.urgent || keeps_coming {
        Severity::Warn
    } else {
        Severity::Info
    };
    let others = match messages.len() - 1 {
        0 => String::new(),
        1 => ", and one more kind".to_owned(),
        more => format!(", and {more} more kinds"),
    };
    let span = span(messages)?;
    let message = format!(
        "{} of {} {}: {}{others}",
        counted(lines, "line"),
        most.source,
        within(span),
        // The message shows what its pattern may have masked.
        cut(most.topic.as_ref().map_or(&most.template, |_| &most.sample))
    );
    Some(Finding {
        steps: Facts::of(&most.sample).steps(advice.steps),
        figures: Figures::of(lines as f64),
        details: Some(details(most)),
        span: Some(span),
        ..advice.rule.finding(&most.source, severity, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Timestamp;

    fn seen(template: &str, level: &str, per_hour: i64) -> RecentPattern {
        RecentPattern {
            fingerprint: template.to_owned(),
            source: "api".to_owned(),
            level: LogLevel::parse(level).unwrap(),
            template: template.to_owned(),
            sample: template.replace("<*>", "x"),
            topic: None,
            first: Timestamp(0),
            lines: per_hour,
            per_hour,
            recent: per_hour,
            since: Timestamp(5_000_000),
            last: Timestamp(38_000_000),
        }
    }

    fn about(topic: &str, template: &str, level: &str, per_hour: i64) -> RecentPattern {
        RecentPattern {
            topic: Some(topic.to_owned()),
            ..seen(template, level, per_hour)
        }
    }

    #[test]
    fn one_for_each_advice_and_source() {
        let given = [
            seen("a strange thing", "error", 11),
            seen("another strange thing", "error", 300),
            about("disk_io", "write <*>: No space left on device", "info", 4),
            about("disk_io", "<*> error (device <*>)", "info", 2),
            about("deadlock", "deadlock detected", "error", 1),
            about("unreachable", "connect to <*> timed out", "warn", 1),
            seen("GET /", "info", 100_000),
        ];
        let found = evaluate(&given);
        let reported: Vec<(&str, Severity, Option<f64>)> = found
            .iter()
            .map(|one| (one.rule, one.severity, one.figures.value))
            .collect();
        assert_eq!(
            reported,
            [
                ("advice.deadlock", Severity::Info, Some(1.0)),
                ("advice.disk_io", Severity::Warn, Some(6.0)),
                ("advice.recurring", Severity::Warn, Some(311.0)),
            ]
        );
        let recurring = found.last().unwrap();
        assert!(recurring.message.contains("another strange thing"));
        assert!(recurring.message.ends_with("and one more kind"));
        assert!(found.iter().all(|one| one.steps.len() >= 2));
        assert_eq!(
            found[1].message,
            "6 lines of api within 33 s: write x: No space left on device, and one more kind"
        );
        assert_eq!(
            found[1].span,
            Some((Timestamp(5_000_000), Timestamp(38_000_000)))
        );
    }

    #[test]
    fn kinds_of_one_advice_count_together() {
        let given: Vec<RecentPattern> = (0..3)
            .map(|n| about("unreachable", &format!("{n} timed out"), "warn", 1))
            .collect();
        assert!(evaluate(&given[..2]).is_empty());
        assert_eq!(evaluate(&given)[0].figures.value, Some(3.0));
    }
}
