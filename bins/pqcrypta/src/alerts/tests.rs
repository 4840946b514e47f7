use super::*;
use crate::status::Presence;

fn alert(severity: Severity, unknown: bool, resolved: bool) -> Alert {
    let at = |is: bool| is.then_some(Timestamp(1_790_000_100_000_000));
    Alert {
        id: 1,
        rule: "db.locks_waiting".to_owned(),
        target: "main".to_owned(),
        kind: "alert".to_owned(),
        domain: "db".to_owned(),
        metric: None,
        metric_key: None,
        severity,
        worst: Severity::Critical,
        title: "Sessions waiting for a lock".to_owned(),
        message: "PID 9150 blocks 2\u{1b}[31m sessions".to_owned(),
        steps: vec!["Cancel it.".to_owned(), "Look why.".to_owned()],
        command: None,
        action_sql: Some("SELECT pg_cancel_backend(9150)".to_owned()),
        value: Some(2.0),
        current: None,
        threshold: Some(1.0),
        expected: None,
        culprit: None,
        because: None,
        source: None,
        fingerprint: None,
        template: None,
        hypotheses: Vec::new(),
        opened_at: Timestamp(1_790_000_000_000_000),
        seen_at: Timestamp(1_790_000_000_000_000),
        as_of: Timestamp(1_790_000_030_000_000),
        unknown_since: at(unknown),
        resolved_at: at(resolved),
        occurrences: 1,
        unusual: store::alerts::Unusual::default(),
        acknowledged: false,
        verified: None,
    }
}

fn report(hosts: Vec<(Presence, Vec<Alert>)>) -> Report {
    let host = |(presence, alerts)| HostAlerts {
        name: "alpha".to_owned(),
        presence,
        age_secs: Some(4.0),
        alerts,
        changes: Vec::new(),
    };
    Report {
        at: Timestamp(1_790_000_045_000_000),
        hosts: hosts.into_iter().map(host).collect(),
    }
}

#[test]
fn the_worst_that_is_known_decides_and_what_is_unknown_is_never_well() {
    let firing = |severity| vec![alert(severity, false, false)];
    let cases = [
        (vec![], 3),
        (vec![(Presence::Running, vec![])], 0),
        (vec![(Presence::Running, firing(Severity::Info))], 0),
        (vec![(Presence::Running, firing(Severity::Warn))], 1),
        (vec![(Presence::Running, firing(Severity::Critical))], 2),
        (vec![(Presence::Silent, vec![])], 3),
        (vec![(Presence::Stopped, firing(Severity::Critical))], 3),
        (
            vec![
                (Presence::Silent, vec![]),
                (Presence::Running, firing(Severity::Warn)),
            ],
            1,
        ),
        (
            vec![(
                Presence::Running,
                vec![alert(Severity::Critical, true, false)],
            )],
            3,
        ),
        (
            vec![(Presence::Running, vec![alert(Severity::Info, true, false)])],
            0,
        ),
        (
            vec![(
                Presence::Running,
                vec![alert(Severity::Critical, false, true)],
            )],
            0,
        ),
    ];
    for (hosts, code) in cases {
        let report = report(hosts);
        assert_eq!(report.verdict().code(), code, "{}", print::text(&report));
    }
}

#[test]
fn a_line_has_the_condition_since_when_and_what_to_do() {
    let firing = report(vec![(
        Presence::Running,
        vec![alert(Severity::Warn, false, false)],
    )]);
    let text = print::text(&firing);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "WARNING: 1 warning; alpha: PID 9150 blocks 2 [31m sessions"
    );
    assert!(
        lines[1].starts_with("WARN      alpha: PID 9150 blocks 2 [31m sessions (since "),
        "{text}"
    );
    assert!(lines[1].ends_with(", 45 s, number 1)"), "{text}");
    assert_eq!(
        lines[2..],
        [
            "          Cancel it.",
            "          SQL> SELECT pg_cancel_backend(9150)"
        ]
    );
    let mut old = firing;
    old.at = Timestamp(1_790_000_100_000_000);
    let text = print::text(&old);
    let line = text.lines().nth(1).unwrap();
    let figures = line.split(", figures of ").nth(1).unwrap();
    assert!(figures.ends_with(":50, number 1)"), "{line}");
    let silent = print::text(&report(vec![(Presence::Silent, vec![])]));
    assert_eq!(
        silent,
        "UNKNOWN: no data from 1 host; alpha: the collector is silent, newest sample 4 s ago\nUNKNOWN   alpha: the collector is silent, newest sample 4 s ago\n"
    );
    assert_eq!(
        print::text(&report(vec![(Presence::Running, vec![])])),
        "OK: no active alerts\n"
    );
}

#[test]
fn the_first_line_names_what_decides_and_is_a_status_line() {
    let named = |severity, unknown, message: &str| Alert {
        message: message.to_owned(),
        ..alert(severity, unknown, false)
    };
    let first = |hosts| {
        let text = print::text(&report(hosts));
        text.lines().next().unwrap().to_owned()
    };
    let warn = named(Severity::Warn, false, "Disk is full");
    let critical = named(Severity::Critical, false, "`ps | head` fails");
    let lost = named(Severity::Critical, true, "Is it down?");
    assert_eq!(
        first(vec![
            (Presence::Silent, vec![lost.clone()]),
            (Presence::Running, vec![warn.clone(), warn.clone()]),
            (Presence::Running, vec![warn, critical]),
        ]),
        "CRITICAL: 1 critical, 3 warnings, 1 without data, no data from 1 host; alpha: `ps / head` fails"
    );
    assert_eq!(
        first(vec![
            (Presence::Running, vec![]),
            (Presence::Running, vec![lost])
        ]),
        "UNKNOWN: 1 without data; alpha: Is it down?"
    );
    let long = named(Severity::Warn, false, &"x".repeat(4000));
    assert!(first(vec![(Presence::Running, vec![long])]).chars().count() < 200);
}

#[test]
fn effects_are_below_their_cause_and_none_is_lost() {
    let named = |id, rule: &str, because: Option<&str>| Alert {
        id,
        rule: rule.to_owned(),
        message: format!("{rule} is high"),
        steps: vec![],
        action_sql: None,
        culprit: Some(format!("Most {rule}.")),
        because: because.map(|rule| (rule.to_owned(), "main".to_owned())),
        ..alert(Severity::Warn, false, false)
    };
    let shown = |alerts: Vec<Alert>| {
        let text = print::text(&report(vec![(Presence::Running, alerts)]));
        let lines = text.lines().skip(1).map(|line| {
            let cut = line.find(" (since").unwrap_or(line.len());
            line[..cut].split_whitespace().collect::<Vec<_>>().join(" ")
        });
        lines.collect::<Vec<_>>()
    };
    assert_eq!(
        shown(vec![
            named(3, "load", Some("cpu")),
            named(2, "errors", Some("slow")),
            named(1, "cpu", None),
            named(4, "slow", Some("load")),
            named(5, "lonely", Some("gone")),
        ]),
        [
            "WARN alpha: cpu is high",
            "Most cpu.",
            "leads to warn: load is high",
            "leads to warn: slow is high",
            "leads to warn: errors is high",
            "WARN alpha: lonely is high",
            "Most lonely.",
        ]
    );
    // What is its own cause, or ended, is not hidden.
    let ended = Alert {
        resolved_at: Some(Timestamp(1_790_000_100_000_000)),
        ..named(1, "cpu", None)
    };
    assert_eq!(
        shown(vec![named(3, "load", Some("cpu")), ended])
            .first()
            .unwrap(),
        "WARN alpha: load is high"
    );
    assert_eq!(
        shown(vec![named(3, "load", Some("load"))]).first().unwrap(),
        "WARN alpha: load is high"
    );
    let circle = shown(vec![
        named(3, "load", Some("cpu")),
        named(4, "cpu", Some("load")),
    ]);
    assert!(
        circle.contains(&"WARN alpha: load is high".to_owned()),
        "{circle:?}"
    );
    assert!(
        circle.contains(&"WARN alpha: cpu is high".to_owned()),
        "{circle:?}"
    );
}

#[test]
fn what_was_changed_lately_is_listed_with_the_way_to_what_followed() {
    let mut report = report(vec![(Presence::Running, vec![])]);
    let mark = |secs: i64, text: &str| snapshot::marks::Mark {
        at: Timestamp((1_790_000_000 + secs) * 1_000_000),
        text: text.to_owned(),
        severity: Severity::Info,
    };
    report.hosts[0].changes = vec![
        mark(0, "nginx\u{1b} upgraded to 1.26.2"),
        mark(20, "work_mem changed to 8MB"),
    ];
    let text = print::text(&report);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("OK: no active alerts"), "{text}");
    assert!(
        lines[1].starts_with("CHANGED   alpha: work_mem changed to 8MB ("),
        "{text}"
    );
    assert!(
        lines[2].starts_with("CHANGED   alpha: nginx  upgraded to 1.26.2 ("),
        "{text}"
    );
    assert!(
        lines[4].starts_with("          $ pqcrypta explain --at 2026-"),
        "{text}"
    );
    let json: serde_json::Value = serde_json::from_str(&print::json(&report)).unwrap();
    assert_eq!(
        json["hosts"][0]["changes"][1]["text"],
        "work_mem changed to 8MB"
    );
}
