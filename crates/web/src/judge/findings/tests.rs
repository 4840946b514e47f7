use super::*;
use store::alerts::Unusual;

fn finding(target: &str) -> Alert {
    Alert {
        id: 1,
        rule: "ssh_brute_force".to_owned(),
        target: target.to_owned(),
        kind: "alert".to_owned(),
        domain: "security".to_owned(),
        metric: None,
        metric_key: None,
        severity: Severity::Critical,
        worst: Severity::Critical,
        title: "Password guessing over SSH".to_owned(),
        message: "250 failed passwords.".to_owned(),
        steps: vec!["Block it: `ban it`.".to_owned()],
        command: None,
        action_sql: None,
        value: Some(250.0),
        current: None,
        threshold: None,
        expected: None,
        culprit: None,
        because: None,
        source: None,
        fingerprint: None,
        template: None,
        hypotheses: Vec::new(),
        opened_at: Timestamp::from_millis(5),
        seen_at: Timestamp::from_millis(5),
        as_of: Timestamp::from_millis(5),
        unknown_since: None,
        resolved_at: None,
        occurrences: 1,
        unusual: Unusual::default(),
        acknowledged: false,
        verified: None,
    }
}

fn threshold(
    rule: &str,
    key: &str,
    severity: Severity,
    cause: Option<(&str, &str)>,
) -> (Alert, i64) {
    let alert = Alert {
        rule: rule.to_owned(),
        domain: rule.split('.').next().unwrap().to_owned(),
        severity,
        title: "Dead-row share".to_owned(),
        message: format!("{rule} of {key}"),
        metric: Some(rule.to_owned()),
        metric_key: Some(key.to_owned()),
        value: Some(40.2),
        threshold: Some(20.0),
        steps: vec!["See it.".to_owned()],
        command: Some("SELECT 1;".to_owned()),
        because: cause.map(|(rule, target)| (rule.to_owned(), target.to_owned())),
        ..finding(key)
    };
    (alert, 0)
}

fn titles(found: Vec<(Alert, i64)>) -> Vec<String> {
    let problems = arrange(found).into_iter();
    problems.map(|problem| problem.title).collect()
}

#[test]
fn one_and_two_are_named_and_of_more_the_worst_alone() {
    let title = "Password guessing over SSH";
    assert_eq!(
        titles(vec![(finding("10.0.0.1"), 0)]),
        [format!("{title}: 10.0.0.1")]
    );
    assert_eq!(
        titles(vec![(finding("10.0.0.1"), 1), (finding("10.0.0.2"), 0)]),
        [format!("{title}: 10.0.0.1"), format!("{title}: 10.0.0.2")]
    );
    let many = vec![
        (finding("10.0.0.1"), 40),
        (finding("10.0.0.2"), 39),
        (finding("10.0.0.3"), 38),
    ];
    let many = arrange(many);
    assert_eq!(many.len(), 2);
    assert_eq!(many[0].id, "finding.ssh_brute_force@10.0.0.1");
    assert_eq!(
        (many[0].fix.as_str(), many[0].command.as_str()),
        ("Block it:", "ban it")
    );
    assert_eq!(many[1].id, "finding.ssh_brute_force+");
    assert_eq!(
        many[1].title,
        format!("{title}: 40 more, the worst 10.0.0.2")
    );
    assert_eq!((&many[1].key, many[1].since_ms), (&None, None));
}

#[test]
fn of_many_keys_of_a_metric_five_are_named() {
    let keys = |count: i64| {
        (0..count.min(6)).map(move |n| {
            let (alert, _) = threshold("table.dead_pct", &format!("t{n}"), Severity::Warn, None);
            (alert, count - n - 1)
        })
    };
    assert_eq!(arrange(keys(6).collect()).len(), 6);
    let many = arrange(keys(301).collect());
    assert_eq!(many.len(), 6);
    assert_eq!(many[0].id, "table.dead_pct@t0");
    let rest = many.last().unwrap();
    assert_eq!(rest.id, "table.dead_pct+");
    assert_eq!(
        rest.title,
        "Dead-row share: 296 more, the worst t5 with 40.2 %"
    );
    assert_eq!(rest.command, "", "no single table is meant");
}

#[test]
fn what_follows_from_another_problem_is_listed_with_it() {
    let lock = ("db.longest_lock_wait_secs", "main");
    let problems = arrange(vec![
        threshold("api.error_pct", "shop", Severity::Warn, None),
        threshold("db.conn_waiting", "main", Severity::Critical, Some(lock)),
        threshold(lock.0, lock.1, Severity::Warn, None),
        // By way of another one.
        threshold(
            "db.slow_queries",
            "main",
            Severity::Warn,
            Some(("db.conn_waiting", "main")),
        ),
        // Its cause has ended.
        threshold(
            "db.oldest_xact_secs",
            "main",
            Severity::Warn,
            Some(("db.oldest_idle_in_xact_secs", "main")),
        ),
    ]);
    let ids: Vec<&str> = problems.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "db.longest_lock_wait_secs@main",
            "api.error_pct@shop",
            "db.oldest_xact_secs@main"
        ],
        "as severe as the worst effect"
    );
    assert_eq!(problems[0].severity, Severity::Critical);
    let effects: Vec<&str> = problems[0]
        .effects
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    assert_eq!(effects, ["db.conn_waiting@main", "db.slow_queries@main"]);
}

#[test]
fn findings_that_explain_each_other_are_both_shown() {
    let problems = arrange(vec![
        threshold(
            "api.p95_ms",
            "shop",
            Severity::Warn,
            Some(("api.p99_ms", "shop")),
        ),
        threshold(
            "api.p99_ms",
            "shop",
            Severity::Warn,
            Some(("api.p95_ms", "shop")),
        ),
        threshold(
            "api.error_pct",
            "shop",
            Severity::Warn,
            Some(("api.error_pct", "shop")),
        ),
    ]);
    assert_eq!(problems.len(), 3);
}

#[test]
fn a_command_at_the_end_of_a_step_stands_apart() {
    for (step, words, command) in [
        ("Block it: `a b`.", "Block it:", "a b"),
        ("Block it: `a` or `b`", "Block it: `a` or `b`", ""),
        ("Read it", "Read it", ""),
        ("`a`", "`a`", ""),
    ] {
        assert_eq!(apart(step), (words.to_owned(), command.to_owned()));
    }
}

#[test]
fn a_finding_leads_to_the_view_of_its_domain() {
    let of = |domain: &str| {
        let domain = domain.to_owned();
        view(&Alert {
            domain,
            ..finding("nginx")
        })
    };
    for (domain, expected) in [
        ("process", "processes"),
        ("security", "logs"),
        ("logs", "logs"),
        ("db", "postgres"),
        ("mount", "system"),
        ("collector", "collector"),
    ] {
        assert_eq!(of(domain), expected, "{domain}");
    }
}

#[test]
fn the_badge_of_alerts_counts_what_is_active_and_has_the_worst_that_is_known() {
    let active = |severity, state, count| alerts::Active {
        severity,
        state,
        count,
    };
    let unknown = active(Severity::Critical, State::Unknown, 2);
    let warn = active(Severity::Warn, State::Firing, 3);
    let info = active(Severity::Info, State::Firing, 7);
    for (found, expected) in [
        (vec![], Badge::new(Severity::Ok, 0)),
        (vec![info], Badge::new(Severity::Ok, 0)),
        (vec![unknown, info], Badge::new(Severity::Unknown, 2)),
        (vec![unknown, warn, info], Badge::new(Severity::Warn, 5)),
    ] {
        assert_eq!(badge(&found), expected, "{found:?}");
    }
}

#[test]
fn the_figures_of_counted_events_are_in_their_sentence() {
    let problem_of = |rule| problem(threshold(rule, "", Severity::Warn, None).0);
    let kills = problem_of("system.oom_kills_per_sec");
    assert_eq!((kills.value, kills.level), (None, None));
    let memory = problem_of("system.mem_used_pct");
    assert_eq!((memory.value, memory.level), (Some(40.2), Some(20.0)));
}

#[test]
fn a_command_that_would_be_cut_is_left_out() {
    let long = Alert {
        command: Some("x".repeat(LONGEST_TEXT + 1)),
        ..finding("a")
    };
    let problem = problem(long);
    assert_eq!(
        (problem.command.as_str(), problem.fix.as_str()),
        ("", "Block it: `ban it`.")
    );
}
