//! Kinds of errors and warnings that were never seen before, or hardly ever.

use crate::Rule;
use schema::finding::Kind;
use schema::micros::DAY;
use schema::{Finding, LogLevel, Severity, Timestamp};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};

/// A kind of error or warning that the source had never written.
pub const NEW: Rule = Rule {
    id: "log_new_pattern",
    kind: Kind::Insight,
    domain: "logs",
    title: "New kind of message",
    hold_secs: 3600,
};

/// A kind of error that comes every few weeks at most.
pub const RARE: Rule = Rule {
    id: "log_rare_pattern",
    kind: Kind::Insight,
    domain: "logs",
    title: "Rare error came back",
    hold_secs: 3600,
};

/// Seen so often before it is said, as the reference has it: what comes once may be anything.
const TWICE: i64 = 2;
/// Seen so often at most in all is rare; the tag of the Logs view says the same.
pub const RARELY: i64 = 3;
/// So many new kinds of one source are said one by one; more are one finding: a deployment.
const ONE_BY_ONE: usize = 5;
/// Characters of a template that a sentence has room for.
const SHOWN: usize = 160;

/// A pattern that was seen in the last hour, with all that was merged into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub fingerprint: String,
    /// Source.
    pub source: String,
    /// Level.
    pub level: LogLevel,
    /// What its messages have in common.
    pub template: String,
    /// One of its messages; one that the topic was found in, where there is one.
    pub sample: String,
    /// What its messages are about, where that is known.
    pub topic: Option<String>,
    /// When it was seen first.
    pub first: Timestamp,
    /// Lines in all.
    pub lines: i64,
    /// Lines in an hour: the fuller of this one and the one before.
    pub per_hour: i64,
    /// Lines of both.
    pub recent: i64,
    /// The first of these.
    pub since: Timestamp,
    /// The last of them.
    pub last: Timestamp,
}

/// Findings about patterns of the hour before `at`; `known_since` is when each source began.
#[must_use]
pub fn judge(
    seen: &[Seen],
    known_since: &HashMap<String, Timestamp>,
    at: Timestamp,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut new: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
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
        if is_young && is_known && one.lines >= TWICE {
            new.entry(&one.source).or_default().push(one);
        } else if !is_young && one.level == LogLevel::Error && one.lines <= RARELY {
            found.push(rare(one, at));
        }
    }
    for (source, patterns) in new {
        if patterns.len() > ONE_BY_ONE {
            found.push(many(source, &patterns));
        } else {
            found.extend(patterns.into_iter().map(one_new));
        }
    }
    found
}

/// An error that keeps coming is worth a warning before it is understood.
fn severity(one: &Seen) -> Severity {
    if one.level == LogLevel::Error && one.per_hour > super::advice::RECURRING_PER_HOUR {
        Severity::Warn
    } else {
        Severity::Info
    }
}

fn one_new(one: &Seen) -> Finding {
    let message = format!(
        "{} wrote {} times what it had not written before: {}",
        one.source,
        one.lines,
        cut(&one.template)
    );
    Finding {
        steps: vec![
            "Read its lines, and those around the first of them, in the Logs view".to_owned(),
            "See what changed at the time of the first: a deployment, a configuration, an update"
                .to_owned(),
        ],
        value: Some(one.lines as f64),
        details: Some(details(one)),
        span: Some((one.first, one.last)),
        ..NEW.says(&one.fingerprint, severity(one), message)
    }
}

fn many(source: &str, patterns: &[&Seen]) -> Finding {
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
            "See what changed when the first came: many at once are a deployment or an update, as a rule"
                .to_owned(),
        ],
        value: Some(patterns.len() as f64),
        details: most.map(details),
        span: patterns.iter().map(|one| (one.first, one.last)).reduce(both),
        ..NEW.says(source, worst.unwrap_or(Severity::Info), message)
    }
}

fn rare(one: &Seen, at: Timestamp) -> Finding {
    let days = (at.as_micros() - one.first.as_micros()) / DAY;
    let message = format!(
        "{} wrote what it has written {} times in {days} days: {}",
        one.source,
        one.lines,
        cut(&one.template)
    );
    Finding {
        steps: vec![
            "Read it in its surroundings: the lines a minute before and after, in the Logs view"
                .to_owned(),
            "Compare with the time before: what both have in common is its cause, often a job or a restart"
                .to_owned(),
        ],
        value: Some(one.lines as f64),
        details: Some(details(one)),
        span: Some((one.since, one.last)),
        ..RARE.says(&one.fingerprint, Severity::Info, message)
    }
}

/// From the first to the last line of the last hours.
pub(super) fn span(seen: &[&Seen]) -> Option<(Timestamp, Timestamp)> {
    seen.iter().map(|one| (one.since, one.last)).reduce(both)
}

fn both(one: (Timestamp, Timestamp), other: (Timestamp, Timestamp)) -> (Timestamp, Timestamp) {
    (one.0.min(other.0), one.1.max(other.1))
}

pub(super) fn details(one: &Seen) -> String {
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

    fn seen(name: &str, level: &str, hours_ago: i64, lines: i64) -> Seen {
        Seen {
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

    fn judged(seen: &[Seen], known_hours: i64) -> Vec<(&'static str, String, Severity)> {
        let known = HashMap::from([("api".to_owned(), Timestamp(NOW - known_hours * HOUR))]);
        judge(seen, &known, Timestamp(NOW))
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
                judged(&given, known),
                expected,
                "{level} {hours_ago} {lines} {known}"
            );
        }
    }

    #[test]
    fn many_at_once_are_one() {
        let given: Vec<Seen> = (0..40)
            .map(|n| seen(&format!("p{n}"), "error", 1, 2 + n))
            .collect();
        assert_eq!(
            judged(&given, 500),
            [(NEW.id, "api".to_owned(), Severity::Warn)]
        );
        assert_eq!(judged(&given[..5], 500).len(), 5);
    }

    #[test]
    fn a_source_that_is_not_known_has_nothing_new() {
        let given = [seen("p", "error", 1, 20)];
        assert!(judge(&given, &HashMap::new(), Timestamp(NOW)).is_empty());
    }
}
