//! What to do about messages of the last hour.

use super::advice::{self, Advice};
use super::patterns::{Seen, cut, details};
use schema::{Finding, Severity};
use std::collections::BTreeMap;

/// Recommendations: one for each advice and source, with the most frequent of its messages.
#[must_use]
pub fn judge(seen: &[Seen]) -> Vec<Finding> {
    let mut by_advice: BTreeMap<(&str, &str), (&Advice, Vec<&Seen>)> = BTreeMap::new();
    for one in seen {
        if let Some(advice) = advice::of(&one.source, &one.level, &one.template, one.per_hour) {
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

fn recommend(advice: &Advice, messages: &[&Seen]) -> Option<Finding> {
    let most = messages.iter().copied().max_by_key(|one| one.per_hour)?;
    let per_hour: i64 = messages.iter().map(|one| one.per_hour).sum();
    let keeps_coming = most.level == "error" && most.per_hour > advice::RECURRING_PER_HOUR;
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
    let message = format!(
        "{}, {per_hour} in an hour: {}{others}",
        most.source,
        cut(&most.template)
    );
    Some(Finding {
        steps: advice.steps.iter().map(|&step| step.to_owned()).collect(),
        value: Some(per_hour as f64),
        details: Some(details(most)),
        ..advice.rule.says(&most.source, severity, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Timestamp;

    fn seen(template: &str, level: &str, per_hour: i64) -> Seen {
        Seen {
            fingerprint: template.to_owned(),
            source: "api".to_owned(),
            level: level.to_owned(),
            template: template.to_owned(),
            first: Timestamp(0),
            lines: per_hour,
            per_hour,
        }
    }

    #[test]
    fn one_for_each_advice_and_source() {
        let given = [
            seen("a strange thing", "error", 11),
            seen("another strange thing", "error", 300),
            seen("write: No space left on device", "error", 1),
            seen("deadlock detected", "error", 1),
            seen("GET /", "info", 100_000),
        ];
        let found = judge(&given);
        let said: Vec<(&str, Severity, Option<f64>)> = found
            .iter()
            .map(|one| (one.rule, one.severity, one.value))
            .collect();
        assert_eq!(
            said,
            [
                ("advice.deadlock", Severity::Info, Some(1.0)),
                ("advice.disk_io", Severity::Warn, Some(1.0)),
                ("advice.recurring", Severity::Warn, Some(311.0)),
            ]
        );
        let recurring = found.last().unwrap();
        assert!(recurring.message.contains("another strange thing"));
        assert!(recurring.message.ends_with("and one more kind"));
        assert!(found.iter().all(|one| one.steps.len() >= 2));
    }
}
