//! Kinds of errors and warnings that are new or rare.

use crate::{Life, Rule};
use schema::finding::{Figures, Kind};
use schema::micros::DAY;
use schema::{Finding, LogLevel, Severity, Timestamp};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use words::counted;

/// A kind of error or warning that the source had never written.
pub const NEW: Rule = Rule {
    id: "log_new_pattern",
    kind: Kind::Insight,
    domain: "logs",
    title: "New kind of message",
    life: Life::counted(3600),
    because: &[],
};

/// A kind of error that comes every few weeks at most.
pub const RARE: Rule = Rule {
    id: "log_rare_pattern",
    kind: Kind::Insight,
    domain: "logs",
    title: "Rare error came back",
    life: Life::counted(3600),
    because: &[],
};

/// Fewest lines of a new pattern that is reported, as the reference has it: a single line may be anything.
const LEAST_LINES: i64 = 2;
/// Most lines in all of a rare pattern; the tag of the Logs view has the same limit.
pub const RARELY: i64 = 3;
/// Up to so many new kinds of one source have a finding each; more are one finding: a deployment.
const LISTED_SINGLY: usize = 5;
/// Most characters of a template in a message.
const SHOWN: usize = 160;

/// A pattern of lines of the last hour, with all patterns that were merged into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentPattern {
    /// Its fingerprint.
    pub fingerprint: String,
    /// Source.
    pub source: String,
    /// Level.
    pub level: LogLevel,
    /// Template of its messages.
    pub template: String,
    /// One of its messages; where it has a topic, one with it.
    pub sample: String,
    /// Topic of its messages, where that is known.
    pub topic: Option<String>,
    /// Time of its first line.
    pub first: Timestamp,
    /// Lines in all.
    pub lines: i64,
    /// Lines in an hour: the fuller of this one and the one before.
    pub per_hour: i64,
    /// Lines of both hours.
    pub recent: i64,
    /// Time of the first of these.
    pub since: Timestamp,
    /// Time of the last of these.
    pub last: Timestamp,
}

/// Returns the findings about patterns of the hour before `at`; `known_since` is when each source began.
#[must_use]
pub fn evaluate(
    seen: &[RecentPattern],
    known_since: &HashMap<String, Timestamp>,
    at: Timestamp,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut new: BTreeMap<&str, Vec<&RecentPattern>> = BTreeMap::new();
    for one in seen {
        if one.level < LogLevel::Warn {
            continue;
        }
        let Some(began) = known_since.get(&one.source) else {
            continue;
        };
        // On the first day everything is new.
        let is_known = one.first.as_micros() - began.as_micros() >= DAY;
        let is_young = at.as_micros() - one.first.as_micros() < DAY;
        if is_young && is_known && one.lines >= LEAST_LINES {
            new.entry(&one.source).or_default().push(one);
        } else if !is_young && one.level == LogLevel::Error && one.lines <= RARELY {
            found.push(rare(one, at));
        }
    }
    for (source, patterns) in new {
        if patterns.len() > LISTED_SINGLY {
            found.push(many(source, &patterns));
        } else {
            found.extend(patterns.into_iter().map(one_new));
        }
    }
    found
}

/// Returns the severity of a new pattern: a recurring error is worth a warning.
fn severity(one: &RecentPattern) -> Severity {
    if one.level == LogLevel::Error && one.per_hour > super::advice::RECURRING_PER_HOUR {
        Severity::Warn
    } else {
        Severity::Info
    }
}

/// Returns the finding about one new pattern.
fn one_new(one: &RecentPattern) -> Finding {
    let message = format!(
        "{} wrote a new kind of message {}: {}",
        one.source,
        counted(one.lines, "time"),
        cut(&one.template)
    );
    Finding {
        steps: vec![
            "Read its lines, and those around the first of them, in the Logs view".to_owned(),
            "See what changed at the time of the first: a deployment, a configuration, an update"
                .to_owned(),
        ],
        figures: Figures::of(one.lines as f64),
        details: Some(details(one)),
        span: Some((one.first, one.last)),
        ..NEW.finding(&one.fingerprint, severity(one), message)
    }
}

/// Returns the one finding about many new patterns of a source.
fn many(source: &str, patterns: &[&RecentPattern]) -> Finding {
    let worst = patterns.iter().copied().map(severity).max();
    let most = patterns.iter().copied().max_by_key(|one| one.lines);
    let message = format!(
        "{source} wrote {} new kinds of warnings and errors within a day; the most frequent: {}",
        patterns.len(),
        most.map_or(String::new(), |one| cut(&one.template))
    );
    Finding {
        steps: vec![
            "See the patterns with the tag new of this source, in the Logs view".to_owned(),
            "See what changed when the first came: many at once usually come with a deployment or an update"
                .to_owned(),
        ],
        figures: Figures::of(patterns.len() as f64),
        details: most.map(details),
        span: patterns.iter().map(|one| (one.first, one.last)).reduce(both),
        ..NEW.finding(source, worst.unwrap_or(Severity::Info), message)
    }
}

/// Returns the finding about a rare pattern.
fn rare(one: &RecentPattern, at: Timestamp) -> Finding {
    let days = (at.as_micros() - one.first.as_micros()) / DAY;
    let message = format!(
        "{} wrote an error that came {} in {days} days: {}",
        one.source,
        counted(one.lines, "time"),
        cut(&one.template)
    );
    Finding {
        steps: vec![
            "Read it in context: the lines a minute before and after, in the Logs view"
                .to_owned(),
            "Compare with the time before: a common event is the likely cause, often a job or a restart"
                .to_owned(),
        ],
        figures: Figures::of(one.lines as f64),
        details: Some(details(one)),
        span: Some((one.since, one.last)),
        ..RARE.finding(&one.fingerprint, Severity::Info, message)
    }
}

/// Returns the span from the first to the last line of the last hours.
pub(super) fn span(seen: &[&RecentPattern]) -> Option<(Timestamp, Timestamp)> {
    seen.iter().map(|one| (one.since, one.last)).reduce(both)
}

/// Returns the span that covers two.
fn both(one: (Timestamp, Timestamp), other: (Timestamp, Timestamp)) -> (Timestamp, Timestamp) {
    (one.0.min(other.0), one.1.max(other.1))
}

/// Returns the details of a finding about a pattern, as JSON.
pub(super) fn details(one: &RecentPattern) -> String {
    json!({
        "source": one.source,
        "level": one.level.as_str(),
        "fingerprint": one.fingerprint,
        "template": one.template,
    })
    .to_string()
}

pub(super) fn cut(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::micros::HOUR;

    const NOW: i64 = 1_800_000_000_000_000;

    fn seen(name: &str, level: &str, hours_ago: i64, lines: i64) -> RecentPattern {
        RecentPattern {
            fingerprint: name.to_owned(),
            source: "api".to_owned(),
            level: LogLevel::parse(level).unwrap(),
            template: format!("{name} <*>"),
            sample: format!("{name} 7"),
            topic: None,
            first: Timestamp(NOW - hours_ago * HOUR),
            lines,
            per_hour: lines,
            recent: lines,
            since: Timestamp(NOW - HOUR),
            last: Timestamp(NOW),
        }
    }

    fn evaluated(
        seen: &[RecentPattern],
        known_hours: i64,
    ) -> Vec<(&'static str, String, Severity)> {
        let known = HashMap::from([("api".to_owned(), Timestamp(NOW - known_hours * HOUR))]);
        evaluate(seen, &known, Timestamp(NOW))
            .into_iter()
            .map(|one| (one.rule, one.target, one.severity))
            .collect()
    }

    #[test]
    fn what_is_new_and_what_is_rare() {
        let new = |severity| vec![(NEW.id, "p".to_owned(), severity)];
        let rare = vec![(RARE.id, "p".to_owned(), Severity::Info)];
        for (level, hours_ago, lines, known, expected) in [
            ("error", 1, 2, 100, new(Severity::Info)),
            ("error", 1, 11, 100, new(Severity::Warn)),
            ("warn", 1, 500, 100, new(Severity::Info)),
            ("info", 1, 500, 100, vec![]),
            ("error", 1, 1, 100, vec![]),
            // Known for less than a day when it came: everything was new then.
            ("error", 1, 5, 24, vec![]),
            ("error", 1, 5, 25, new(Severity::Info)),
            ("error", 24, 5, 500, vec![]),
            ("error", 24, 3, 500, rare.clone()),
            ("error", 200, 1, 500, rare),
            ("warn", 200, 1, 500, vec![]),
        ] {
            let given = [seen("p", level, hours_ago, lines)];
            assert_eq!(
                evaluated(&given, known),
                expected,
                "{level} {hours_ago} {lines} {known}"
            );
        }
    }

    #[test]
    fn many_at_once_are_one() {
        let given: Vec<RecentPattern> = (0..40)
            .map(|n| seen(&format!("p{n}"), "error", 1, 2 + n))
            .collect();
        assert_eq!(
            evaluated(&given, 500),
            [(NEW.id, "api".to_owned(), Severity::Warn)]
        );
        assert_eq!(evaluated(&given[..5], 500).len(), 5);
    }

    #[test]
    fn a_source_that_is_not_known_has_nothing_new() {
        let given = [seen("p", "error", 1, 20)];
        assert!(evaluate(&given, &HashMap::new(), Timestamp(NOW)).is_empty());
    }
}
