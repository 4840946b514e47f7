//! The life cycle against its invariants, over random scripts of several judges with failures, absent data, restarts
//! and clocks that go back.

use super::*;
use crate::rule::Life;
use schema::finding::Kind;
use testkit::Dice;

static RULES: [Rule; 4] = [
    rule("a", Life::sampled(0), &[]),
    rule("b", Life::sampled(25), &["a"]),
    rule("c", Life::sampled(0).no_data(NoData::Clear), &["b"]),
    rule("d", Life::counted(60), &[]),
];
/// Which rules each judge owns.
const JUDGES: [[usize; 2]; 2] = [[0, 1], [2, 3]];
const TARGETS: [&str; 3] = ["", "x", "x.y"];

const fn rule(id: &'static str, life: Life, because: &'static [&'static str]) -> Rule {
    Rule {
        id,
        kind: Kind::Alert,
        domain: "system",
        title: "Condition",
        life,
        because,
    }
}

type Key = (String, String);

/// What follows from the transitions alone, as the database applies them.
#[derive(Default)]
struct Stored {
    open: BTreeMap<Key, (Timestamp, FindingTransition)>,
    newest: HashMap<Key, Timestamp>,
    beginnings: u64,
    ends: u64,
}

impl Stored {
    fn apply(&mut self, ts: Timestamp, row: FindingTransition, may_continue: bool) {
        let key = (row.rule.clone(), row.target.clone());
        let newest = self.newest.insert(key.clone(), ts);
        assert!(newest.is_none_or(|newest| ts > newest), "{key:?} goes back");
        assert!(row.severity <= row.worst);
        assert!(row.opened_at <= ts && row.seen_at <= ts, "{row:?}");
        assert!(
            row.confirmed_at
                .is_none_or(|at| at >= row.opened_at && at <= ts)
        );
        assert_eq!(row.resolved_at.is_some(), row.transition == "resolved");
        assert!(row.resolved_at.is_none_or(|at| at >= row.opened_at));
        match row.transition.as_str() {
            "opened" => {
                let is_open = self.open.contains_key(&key);
                assert!(!is_open || may_continue, "{key:?} is opened twice");
                self.beginnings += u64::from(!is_open);
                self.open.insert(key, (ts, row));
            }
            "resolved" => {
                assert!(
                    self.open.remove(&key).is_some(),
                    "{key:?} ends without a beginning"
                );
                self.ends += 1;
            }
            word => {
                let before = self.open.insert(key.clone(), (ts, row.clone()));
                let Some((_, before)) = before else {
                    panic!("{key:?} is {word} and not open");
                };
                match word {
                    "worse" => assert!(row.severity > before.severity),
                    "better" => assert!(row.severity < before.severity),
                    "confirmed" => assert!(before.confirmed_at.is_none()),
                    "unknown" => assert!(before.unknown_since.is_none()),
                    _ => {}
                }
                assert!(row.occurrences >= before.occurrences || may_continue);
            }
        }
    }

    fn open_findings(&self) -> Vec<OpenFinding> {
        let rows = self.open.values();
        rows.map(|(ts, row)| OpenFinding::after(*ts, row)).collect()
    }
}

fn evaluation(dice: &mut Dice, judge: [usize; 2], at: Timestamp) -> Evaluation {
    let mut evaluation = Evaluation::default();
    for rule in judge.map(|index| &RULES[index]) {
        // A judge may have no data for one of its rules.
        if dice.one_in(8) {
            continue;
        }
        evaluation.rules.push(rule);
        for target in TARGETS {
            match dice.below(6) {
                0..3 => {
                    let severity = match dice.below(3) {
                        0 => Severity::Critical,
                        _ => Severity::Warn,
                    };
                    let mut finding = rule.finding(target, severity, String::new());
                    if rule.id == "d" {
                        let last = at.as_micros() - (dice.below(90) as i64) * SECOND;
                        finding.span = Some((Timestamp(last - 5 * SECOND), Timestamp(last)));
                    }
                    evaluation.found.push(finding);
                }
                3 => evaluation.absent.push((rule.id, target.to_owned())),
                _ => {}
            }
        }
    }
    evaluation
}

#[test]
fn every_beginning_has_one_end_whatever_happens() {
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        let mut lifecycle = Lifecycle::new(RULES.iter());
        let mut stored = Stored::default();
        let mut at = Timestamp(1_800_000_000 * SECOND);
        let mut unread = false;
        for _ in 0..400 {
            at = Timestamp(at.as_micros() + dice.below(60) as i64 * SECOND);
            if dice.one_in(60) {
                // Restarted: memory is empty until the database answers.
                lifecycle = Lifecycle::new(RULES.iter());
                unread = true;
                at = Timestamp(at.as_micros() + SECOND);
            }
            if unread && dice.one_in(4) {
                for (ts, row) in lifecycle.restore(stored.open_findings(), Vec::new(), at) {
                    stored.apply(ts, row, false);
                }
                unread = false;
            }
            // A judge may fail.
            if dice.one_in(10) {
                continue;
            }
            let judge = JUDGES[dice.index(JUDGES.len())];
            let evaluation = evaluation(&mut dice, judge, at);
            let evaluated: Vec<&str> = evaluation.rules.iter().map(|rule| rule.id).collect();
            for (ts, row) in lifecycle.reconcile(evaluation, at) {
                let is_explained = row.transition == "refreshed";
                assert!(
                    is_explained || evaluated.contains(&row.rule.as_str()),
                    "{row:?}"
                );
                stored.apply(ts, row, unread);
            }
        }
        if unread {
            let _resolved = lifecycle.restore(stored.open_findings(), Vec::new(), at);
        }
        assert_eq!(
            stored.beginnings - stored.ends,
            stored.open.len() as u64,
            "seed {seed}"
        );
        let mut remembered: Vec<Key> = lifecycle
            .open()
            .map(|one| (one.rule.to_owned(), one.target.clone()))
            .collect();
        remembered.sort();
        let known: Vec<Key> = stored.open.keys().cloned().collect();
        assert_eq!(remembered, known, "seed {seed}: memory and database agree");
    }
}

#[test]
fn the_same_evaluation_again_changes_nothing() {
    for seed in 0..50 {
        let mut dice = Dice::new(seed);
        let mut lifecycle = Lifecycle::new(RULES.iter());
        let at = Timestamp(1_800_000_000 * SECOND);
        let make = |dice: &mut Dice| evaluation(dice, JUDGES[0], at);
        let script = dice.clone();
        let first = lifecycle.reconcile(make(&mut script.clone()), at);
        let again = lifecycle.reconcile(make(&mut script.clone()), at);
        assert!(again.is_empty(), "seed {seed}: {first:?} {again:?}");
        dice.roll();
    }
}
