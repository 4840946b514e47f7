//! The life cycle of findings.

use crate::rule::Rule;
use schema::{Finding, Timestamp};
use std::collections::{HashMap, HashSet};
use store::findings::{Changes, Open};

/// Returns the changes of a run at `at`: findings of the run are opened or refreshed; open ones that were not
/// found for as long as their rule states are resolved, and so are those of none of `rules`.
///
/// `open` are the findings of the domains that were evaluated, all of them. Of two findings of one rule and
/// target the more severe counts, of two equally severe ones the first.
#[must_use]
pub fn reconcile(
    rules: impl Iterator<Item = &'static Rule>,
    open: &[Open],
    found: Vec<Finding>,
    at: Timestamp,
) -> Changes {
    let resolve_after: HashMap<&str, i64> = rules
        .map(|rule| (rule.id, rule.resolve_after_secs))
        .collect();
    let mut changes = Changes::default();
    for finding in found {
        let same = |one: &&mut Finding| one.rule == finding.rule && one.target == finding.target;
        match changes.found.iter_mut().find(same) {
            Some(one) if one.severity < finding.severity => *one = finding,
            Some(_) => {}
            None => changes.found.push(finding),
        }
    }
    let found: HashSet<(&str, &str)> = changes
        .found
        .iter()
        .map(|one| (one.rule, one.target.as_str()))
        .collect();
    let is_resolved = |one: &&Open| {
        let secs = resolve_after.get(one.rule.as_str()).copied().unwrap_or(0);
        !found.contains(&(one.rule.as_str(), one.target.as_str()))
            && at.as_micros() - one.last_seen.as_micros() >= secs * 1_000_000
    };
    changes.resolved = open.iter().filter(is_resolved).map(|one| one.id).collect();
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Severity;
    use schema::finding::Kind;

    const SPIKE: Rule = Rule {
        id: "spike",
        kind: Kind::Alert,
        domain: "logs",
        title: "Spike",
        resolve_after_secs: 600,
    };

    const NOW: i64 = 1_800_000_000_000_000;

    fn found(target: &str, severity: Severity) -> Finding {
        SPIKE.finding(target, severity, String::new())
    }

    fn open(id: i64, rule: &str, target: &str, ago_secs: i64) -> Open {
        Open {
            id,
            rule: rule.to_owned(),
            target: target.to_owned(),
            last_seen: Timestamp(NOW - ago_secs * 1_000_000),
        }
    }

    #[test]
    fn a_finding_stays_while_it_is_found_and_resolves_after_the_time_of_its_rule() {
        let after = SPIKE.resolve_after_secs;
        for (ago, is_found, is_resolved) in [
            (after, true, false),
            (after + 1, false, true),
            (after, false, true),
            (after - 1, false, false),
            (-60, false, false),
        ] {
            let open = [open(1, SPIKE.id, "api error", ago)];
            let found = if is_found {
                vec![found("api error", Severity::Warn)]
            } else {
                Vec::new()
            };
            let changes = reconcile([&SPIKE].into_iter(), &open, found, Timestamp(NOW));
            assert_eq!(changes.resolved == [1], is_resolved, "{ago} {is_found}");
            assert_eq!(changes.found.len(), usize::from(is_found));
        }
    }

    #[test]
    fn the_more_severe_of_two_findings_of_one_target_counts() {
        let given = vec![
            found("a", Severity::Info),
            found("a", Severity::Critical),
            found("a", Severity::Warn),
            found("b", Severity::Info),
        ];
        let changes = reconcile([&SPIKE].into_iter(), &[], given, Timestamp(NOW));
        let severities: Vec<(&str, Severity)> = changes
            .found
            .iter()
            .map(|one| (one.target.as_str(), one.severity))
            .collect();
        assert_eq!(
            severities,
            [("a", Severity::Critical), ("b", Severity::Info)]
        );
    }

    #[test]
    fn a_finding_without_a_rule_is_resolved() {
        let changes = reconcile(
            [&SPIKE].into_iter(),
            &[open(7, "of_another_version", "x", 0)],
            Vec::new(),
            Timestamp(NOW),
        );
        assert_eq!(changes.resolved, [7]);
    }
}
