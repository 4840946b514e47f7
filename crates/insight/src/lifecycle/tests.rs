use super::*;
use crate::rule::Life;
use schema::finding::Kind;
use serde_json::json;

const SECS: i64 = SECOND;
/// 2027-01-15.
const NOW: i64 = 1_800_000_000 * SECS;

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

static DOWN: Rule = rule("down", Life::sampled(0), &[]);
static BUSY: Rule = rule("busy", Life::sampled(30), &["down"]);
static LINES: Rule = rule("lines", Life::counted(600), &[]);
static GONE: Rule = rule("gone", Life::sampled(0).no_data(NoData::Clear), &[]);
static SILENT: Rule = rule("silent", Life::sampled(0).no_data(NoData::Alert), &[]);
static RULES: [&Rule; 5] = [&DOWN, &BUSY, &LINES, &GONE, &SILENT];

/// A life cycle driven second by second.
struct Host {
    lifecycle: Lifecycle,
    told: Vec<FindingTransition>,
}

impl Host {
    fn new() -> Self {
        Self {
            lifecycle: Lifecycle::new(RULES.into_iter()),
            told: Vec::new(),
        }
    }

    fn evaluate(&mut self, at: i64, rule: &'static Rule, found: Vec<Finding>) -> Vec<String> {
        self.evaluate_with(at, rule, found, &[])
    }

    fn evaluate_with(
        &mut self,
        at: i64,
        rule: &'static Rule,
        found: Vec<Finding>,
        absent: &[&str],
    ) -> Vec<String> {
        let absent = absent.iter().map(|target| (rule.id, (*target).to_owned()));
        let evaluation = Evaluation {
            rules: vec![rule],
            found,
            absent: absent.collect(),
            unchanged: Vec::new(),
        };
        let rows = self
            .lifecycle
            .reconcile(evaluation, Timestamp(NOW + at * SECS));
        self.keep(rows)
    }

    fn keep(&mut self, rows: Vec<(Timestamp, FindingTransition)>) -> Vec<String> {
        let words = rows.iter().map(|(_, row)| row.transition.clone()).collect();
        self.told.extend(rows.into_iter().map(|(_, row)| row));
        words
    }

    fn last(&self) -> &FindingTransition {
        self.told.last().unwrap()
    }
}

fn warn(rule: &Rule, target: &str) -> Finding {
    rule.finding(target, Severity::Warn, String::new())
}

fn critical(rule: &Rule, target: &str) -> Finding {
    rule.finding(target, Severity::Critical, String::new())
}

fn at(secs: i64) -> Timestamp {
    Timestamp(NOW + secs * SECS)
}

#[test]
fn a_condition_is_confirmed_when_it_has_held_and_resolved_by_two_good_samples() {
    let mut host = Host::new();
    let seen = || vec![warn(&BUSY, "")];
    assert_eq!(host.evaluate(0, &BUSY, seen()), ["opened"]);
    assert_eq!(host.last().confirmed_at, None);
    assert_eq!(host.evaluate(10, &BUSY, seen()), [""; 0]);
    assert_eq!(host.evaluate(20, &BUSY, seen()), [""; 0]);
    assert_eq!(host.evaluate(30, &BUSY, seen()), ["confirmed"]);
    assert_eq!(host.last().opened_at, at(0));
    assert_eq!(host.last().confirmed_at, Some(at(30)));
    assert_eq!(host.evaluate(40, &BUSY, Vec::new()), [""; 0]);
    assert_eq!(host.evaluate(50, &BUSY, Vec::new()), ["resolved"]);
    assert_eq!(
        host.last().resolved_at,
        Some(at(40)),
        "when it was first good"
    );
    assert_eq!(host.evaluate(60, &BUSY, Vec::new()), [""; 0]);
}

#[test]
fn what_does_not_last_is_never_confirmed() {
    let mut host = Host::new();
    host.evaluate(0, &BUSY, vec![warn(&BUSY, "")]);
    host.evaluate(10, &BUSY, Vec::new());
    assert_eq!(host.evaluate(20, &BUSY, Vec::new()), ["resolved"]);
    assert_eq!(host.last().confirmed_at, None);
}

#[test]
fn what_was_never_confirmed_did_not_flap() {
    let mut host = Host::new();
    for secs in (0..600).step_by(50) {
        host.evaluate(secs, &BUSY, vec![warn(&BUSY, "")]);
        host.evaluate(secs + 10, &BUSY, Vec::new());
        assert_eq!(
            host.evaluate(secs + 20, &BUSY, Vec::new()),
            ["resolved"],
            "{secs}"
        );
    }
    for secs in (600..700).step_by(10) {
        host.evaluate(secs, &BUSY, vec![warn(&BUSY, "")]);
    }
    host.evaluate(700, &BUSY, Vec::new());
    assert_eq!(host.evaluate(710, &BUSY, Vec::new()), ["resolved"]);
}

#[test]
fn severity_rises_and_falls_and_the_worst_is_kept() {
    let mut host = Host::new();
    host.evaluate(0, &DOWN, vec![warn(&DOWN, "")]);
    assert_eq!(
        host.evaluate(10, &DOWN, vec![critical(&DOWN, "")]),
        ["worse"]
    );
    assert_eq!(host.evaluate(20, &DOWN, vec![warn(&DOWN, "")]), ["better"]);
    let last = host.last();
    assert_eq!(
        (last.severity, last.worst),
        (Severity::Warn, Severity::Critical)
    );
}

#[test]
fn of_two_findings_of_one_target_the_more_severe_counts() {
    let mut host = Host::new();
    let found = vec![warn(&DOWN, "a"), critical(&DOWN, "a"), warn(&DOWN, "a")];
    assert_eq!(host.evaluate(0, &DOWN, found), ["opened"]);
    assert_eq!(host.last().severity, Severity::Critical);
}

#[test]
fn refreshes_come_at_growing_intervals() {
    let mut host = Host::new();
    let mut times = Vec::new();
    for secs in (0..3600).step_by(10) {
        if host.evaluate(secs, &DOWN, vec![warn(&DOWN, "")]) == ["refreshed"] {
            times.push(secs);
        }
    }
    assert_eq!(times[..6], [30, 90, 210, 450, 750, 1050]);
}

#[test]
fn an_evaluation_changes_findings_of_its_own_rules_only() {
    let mut host = Host::new();
    host.evaluate(0, &DOWN, vec![warn(&DOWN, "a")]);
    for secs in 1..100 {
        assert_eq!(host.evaluate(10 * secs, &GONE, Vec::new()), [""; 0]);
    }
    assert_eq!(host.lifecycle.targets(DOWN.id).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn absent_data_keep_clear_or_alert_as_the_rule_states() {
    for (rule, expected) in [
        (&DOWN, ["unknown", "", "", ""]),
        (&GONE, ["", "resolved", "", ""]),
        (&SILENT, ["", "", "", ""]),
    ] {
        let mut host = Host::new();
        host.evaluate(0, rule, vec![warn(rule, "a")]);
        for (step, expected) in expected.iter().enumerate() {
            let secs = 10 * (step as i64 + 1);
            let words = host.evaluate_with(secs, rule, Vec::new(), &["a"]);
            assert_eq!(words.concat(), *expected, "{} {step}", rule.id);
        }
    }
}

#[test]
fn what_was_unknown_is_known_again_or_gone_after_a_day() {
    let mut host = Host::new();
    host.evaluate(0, &DOWN, vec![warn(&DOWN, "a")]);
    assert_eq!(
        host.evaluate_with(10, &DOWN, Vec::new(), &["a"]),
        ["unknown"]
    );
    assert_eq!(host.last().unknown_since, Some(at(10)));
    assert_eq!(
        host.evaluate(20, &DOWN, vec![warn(&DOWN, "a")]),
        ["refreshed"]
    );
    assert_eq!(host.last().unknown_since, None);
    host.evaluate_with(30, &DOWN, Vec::new(), &["a"]);
    assert_eq!(
        host.evaluate_with(86_429, &DOWN, Vec::new(), &["a"]),
        [""; 0]
    );
    assert_eq!(
        host.evaluate_with(86_430, &DOWN, Vec::new(), &["a"]),
        ["resolved"]
    );
    assert_eq!(host.last().resolved_at, Some(at(30)));
}

#[test]
fn counted_events_count_when_new_ones_come_and_end_with_the_last() {
    let mut host = Host::new();
    let lines = |first, last| {
        let mut finding = warn(&LINES, "api");
        finding.span = Some((at(first), at(last)));
        vec![finding]
    };
    assert_eq!(host.evaluate(100, &LINES, lines(50, 90)), ["opened"]);
    assert_eq!(host.last().opened_at, at(50));
    for (secs, last, occurrences) in [(110, 90, 1), (140, 120, 2), (210, 120, 2)] {
        host.evaluate(secs, &LINES, lines(50, last));
        let known = host.lifecycle.open[LINES.id]["api"].occurrences;
        assert_eq!(known, occurrences, "{secs}");
    }
    assert_eq!(host.evaluate(719, &LINES, Vec::new()), [""; 0]);
    assert_eq!(host.evaluate(720, &LINES, Vec::new()), ["resolved"]);
    assert_eq!(host.last().resolved_at, Some(at(120)));
}

#[test]
fn a_flapping_condition_stays_open() {
    for (on, off, most) in [(60, 60, 3), (120, 120, 3), (20, 20, 2), (10, 10, 1)] {
        let mut host = Host::new();
        for secs in (0..86_400).step_by(10) {
            let is_on = secs % (on + off) < on;
            let found = if is_on {
                vec![warn(&DOWN, "cpu")]
            } else {
                Vec::new()
            };
            host.evaluate(secs, &DOWN, found);
        }
        let count = |word: &str| {
            host.told
                .iter()
                .filter(|row| row.transition == word)
                .count()
        };
        assert!(count("opened") <= most, "{on} {off}: {}", count("opened"));
        assert_eq!(
            count("resolved") + 1,
            count("opened"),
            "{on} {off}: it is open"
        );
        assert!(host.last().occurrences > 100, "{on} {off}");
    }
}

#[test]
fn a_finding_names_the_confirmed_finding_that_explains_it() {
    let mut host = Host::new();
    for secs in [0, 10, 20, 30] {
        host.evaluate(
            secs,
            &BUSY,
            vec![warn(&BUSY, "store.shop"), warn(&BUSY, "storefront")],
        );
    }
    assert_eq!(
        host.told
            .iter()
            .filter(|row| row.cause_rule.is_some())
            .count(),
        0
    );
    assert_eq!(
        host.evaluate(30, &DOWN, vec![warn(&DOWN, "store")]),
        ["refreshed", "opened"]
    );
    let caused: Vec<&FindingTransition> = host
        .told
        .iter()
        .filter(|row| row.cause_rule.is_some())
        .collect();
    assert_eq!(caused.len(), 1, "the other one has another subject");
    assert_eq!(caused[0].target, "store.shop");
    assert_eq!(caused[0].cause_target.as_deref(), Some("store"));
    host.evaluate(40, &DOWN, Vec::new());
    assert_eq!(host.evaluate(50, &DOWN, Vec::new()), ["resolved"]);
    assert_eq!(
        host.evaluate(
            55,
            &BUSY,
            vec![warn(&BUSY, "store.shop"), warn(&BUSY, "storefront")]
        ),
        ["refreshed"]
    );
    assert_eq!(host.last().cause_rule, None);
}

fn stored(rule: &str, target: &str, opened: i64, transition: i64) -> OpenFinding {
    OpenFinding {
        rule: rule.to_owned(),
        target: target.to_owned(),
        kind: "alert".to_owned(),
        domain: "system".to_owned(),
        severity: Severity::Critical,
        worst: Severity::Critical,
        title: "Condition".to_owned(),
        message: "was".to_owned(),
        opened_at: at(opened),
        confirmed_at: Some(at(opened)),
        seen_at: at(transition),
        unknown_since: None,
        occurrences: 3,
        details: None,
        cause: None,
        transition_at: at(transition),
        ..OpenFinding::default()
    }
}

#[test]
fn what_the_database_has_open_is_continued_and_never_opened_twice() {
    let mut host = Host::new();
    host.evaluate(0, &DOWN, vec![warn(&DOWN, "seen")]);
    host.evaluate(0, &DOWN, vec![warn(&DOWN, "seen"), warn(&DOWN, "over")]);
    host.evaluate(10, &DOWN, vec![warn(&DOWN, "seen")]);
    assert_eq!(
        host.evaluate(20, &DOWN, vec![warn(&DOWN, "seen")]),
        ["resolved"]
    );
    let stored = vec![
        stored("down", "seen", -500, -10),
        stored("down", "before", -500, -10),
        stored("down", "over", -500, 5),
        stored("rule_of_old", "x", -500, -10),
    ];
    let rows = host.lifecycle.restore(stored, Vec::new(), at(25));
    assert_eq!(
        host.keep(rows),
        ["resolved"],
        "its rule is not known any more"
    );
    assert_eq!(host.last().rule, "rule_of_old");
    assert_eq!(
        host.lifecycle.targets("down").collect::<Vec<_>>(),
        ["before", "seen"]
    );
    assert_eq!(
        host.evaluate(30, &DOWN, vec![warn(&DOWN, "seen")]),
        ["refreshed"]
    );
    assert_eq!(host.last().opened_at, at(-500));
    assert_eq!(host.last().worst, Severity::Critical);
    assert_eq!(
        host.evaluate(40, &DOWN, vec![warn(&DOWN, "seen")]),
        ["resolved"]
    );
    assert_eq!(host.last().target, "before");
    assert_eq!(host.last().occurrences, 3);
}

/// After a start one row shows that a finding goes on; those that follow come as rarely as before, and what explains it
/// is known.
#[test]
fn what_is_continued_is_written_once() {
    let mut host = Host::new();
    let consequence = OpenFinding {
        cause: Some(("down".to_owned(), "a".to_owned())),
        ..stored("busy", "a", -500, -10)
    };
    let open = vec![stored("down", "a", -500, -10), consequence];
    assert!(host.lifecycle.restore(open, Vec::new(), at(0)).is_empty());
    for secs in (0..330).step_by(10) {
        for rule in [&DOWN, &BUSY] {
            let expected: &[&str] = match secs {
                20 | 320 => &["refreshed"],
                _ => &[],
            };
            let found = vec![critical(rule, "a")];
            assert_eq!(host.evaluate(secs, rule, found), expected, "{secs}");
        }
    }
    assert_eq!(host.last().cause_rule.as_deref(), Some("down"));
}

#[test]
fn a_restart_is_no_flapping() {
    let mut host = Host::new();
    host.evaluate(0, &DOWN, vec![warn(&DOWN, "a")]);
    let recent = Recent {
        rule: "down".to_owned(),
        target: "a".to_owned(),
        began: vec![at(-500)],
        ended_at: None,
    };
    let open = vec![stored("down", "a", -500, -10)];
    assert!(host.lifecycle.restore(open, vec![recent], at(5)).is_empty());
    host.evaluate(10, &DOWN, Vec::new());
    assert_eq!(host.evaluate(20, &DOWN, Vec::new()), ["resolved"]);
    assert_eq!(host.last().opened_at, at(-500));
}

#[test]
fn instants_of_a_finding_increase_when_the_clock_goes_back() {
    let mut host = Host::new();
    let mut newest = Timestamp(i64::MIN);
    for (secs, is_on) in [
        (0, true),
        (-3600, true),
        (-3590, false),
        (-3580, false),
        (-3570, true),
    ] {
        let found = if is_on {
            vec![critical(&DOWN, "a")]
        } else {
            Vec::new()
        };
        let evaluation = Evaluation {
            rules: vec![&DOWN],
            found,
            ..Evaluation::default()
        };
        for (ts, _) in host.lifecycle.reconcile(evaluation, at(secs)) {
            assert!(ts > newest, "{secs}");
            newest = ts;
        }
    }
}

#[test]
fn texts_with_nul_can_be_stored() {
    let mut host = Host::new();
    let mut finding = warn(&DOWN, "a");
    finding.steps = vec!["kill \0".to_owned()];
    finding.details = Some(json!({"cause": "\0"}).to_string());
    host.evaluate(0, &DOWN, vec![finding]);
    assert_eq!(host.last().steps.0, "[\"kill \u{2400}\"]");
    assert_eq!(
        host.last().details.as_ref().unwrap().0,
        "{\"cause\":\"\u{2400}\"}"
    );
}

/// It may end, or become unknown, without being evaluated again.
#[test]
fn a_restart_keeps_what_was_said_of_a_finding() {
    let mut host = Host::new();
    let found = Finding {
        steps: vec!["Look.".to_owned(), "Then act.".to_owned()],
        command: Some("ps".to_owned()),
        action_sql: Some("SELECT 1".to_owned()),
        metric: Some("system.load_1".to_owned()),
        metric_key: Some("a".to_owned()),
        figures: schema::finding::Figures {
            current: Some(3.5),
            threshold: Some(1.0),
            expected: Some(0.5),
            ..schema::finding::Figures::of(2.5)
        },
        ..critical(&DOWN, "a")
    };
    host.evaluate(0, &DOWN, vec![found]);
    let before = host.last().clone();
    let open = OpenFinding::after(at(0), &before);
    let mut host = Host::new();
    assert!(
        host.lifecycle
            .restore(vec![open], Vec::new(), at(5))
            .is_empty()
    );
    assert_eq!(
        host.evaluate_with(10, &DOWN, Vec::new(), &["a"]),
        ["unknown"]
    );
    let after = FindingTransition {
        transition: before.transition.clone(),
        unknown_since: None,
        ..host.last().clone()
    };
    assert_eq!(after, before);
}

/// Who acts on what is shown acts on what is there: another process or session is told within a minute, the same one with other
/// figures at the usual pace.
#[test]
fn what_asks_for_something_else_is_refreshed_sooner() {
    let asking = |pid: u32| Finding {
        command: Some(format!("ps -p {pid}")),
        ..critical(&DOWN, "a")
    };
    let refreshed = |pid: fn(i64) -> u32| {
        let mut host = Host::new();
        let at: Vec<i64> = (0..600)
            .step_by(10)
            .filter(|secs| {
                let found = vec![asking(pid(*secs))];
                host.evaluate(*secs, &DOWN, found) == ["refreshed"]
            })
            .collect();
        at
    };
    assert_eq!(refreshed(|_| 1), [30, 90, 210, 450], "the usual pace");
    assert_eq!(
        refreshed(|secs| if secs < 300 { 1 } else { 2 }),
        [30, 90, 210, 300]
    );
    // One that changes with each sample is told once a minute.
    let restless = refreshed(|secs| (secs / 10) as u32);
    assert_eq!(restless[..4], [30, 90, 150, 210]);
}
