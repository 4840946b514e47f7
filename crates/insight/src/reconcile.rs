//! The life cycle of findings.

use crate::rule::Rule;
use schema::{Finding, Timestamp};
use std::collections::{HashMap, HashSet};
use store::findings::{Changes, Open};

/// Returns what a run at `at` changes: everything found is opened or refreshed; what is open and was not
/// found for as long as its rule states is resolved, and so is what belongs to none of `rules`.
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
    let holds: HashMap<&str, i64> = rules.map(|rule| (rule.id, rule.hold_secs)).collect();
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
    let is_over = |one: &&Open| {
        let hold = holds.get(one.rule.as_str()).copied().unwrap_or(0);
        !found.contains(&(one.rule.as_str(), one.target.as_str()))
            && at.as_micros() - one.seen.as_micros() >= hold * 1_000_000
    };
    changes.over = open.iter().filter(is_over).map(|one| one.id).collect();
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
        hold_secs: 600,
    };

    const NOW: i64 = 1_800_000_000_000_000;

    fn found(target: &str, severity: Severity) -> Finding {
        SPIKE.says(target, severity, String::new())
    }

    fn open(id: i64, rule: &str, target: &str, ago_secs: i64) -> Open {
        Open {
            id,
            rule: rule.to_owned(),
            target: target.to_owned(),
            seen: Timestamp(NOW - ago_secs * 1_000_000),
        }
    }

    #[test]
    fn what_is_found_stays_and_what_is_not_ends_when_its_rule_no_longer_holds() {
        let hold = SPIKE.hold_secs;
        for (ago, is_found, is_over) in [
            (hold, true, false),
            (hold + 1, false, true),
            (hold, false, true),
            (hold - 1, false, false),
            (-60, false, false),
        ] {
            let open = [open(1, SPIKE.id, "api error", ago)];
            let found = if is_found {
                vec![found("api error", Severity::Warn)]
            } else {
                Vec::new()
            };
            let changes = reconcile([&SPIKE].into_iter(), &open, found, Timestamp(NOW));
            assert_eq!(changes.over == [1], is_over, "{ago} {is_found}");
            assert_eq!(changes.found.len(), usize::from(is_found));
        }
    }

    #[test]
    fn the_graver_of_two_counts_and_others_are_others() {
        let given = vec![
            found("a", Severity::Info),
            found("a", Severity::Critical),
            found("a", Severity::Warn),
            found("b", Severity::Info),
        ];
        let changes = reconcile([&SPIKE].into_iter(), &[], given, Timestamp(NOW));
        let said: Vec<(&str, Severity)> = changes
            .found
            .iter()
            .map(|one| (one.target.as_str(), one.severity))
            .collect();
        assert_eq!(said, [("a", Severity::Critical), ("b", Severity::Info)]);
    }

    #[test]
    fn what_no_rule_says_any_longer_is_over() {
        let changes = reconcile(
            [&SPIKE].into_iter(),
            &[open(7, "of_another_version", "x", 0)],
            Vec::new(),
            Timestamp(NOW),
        );
        assert_eq!(changes.over, [7]);
    }
}
