use super::*;

fn about(rule: &str, target: &str) -> About {
    About {
        rule: rule.to_owned(),
        target: target.to_owned(),
        domain: "security".to_owned(),
        severity: Severity::Critical,
        title: "Password guessing over SSH".to_owned(),
        message: "250 failed passwords.".to_owned(),
        metric: None,
        fingerprint: None,
        template: None,
        opened: Timestamp::from_millis(5),
    }
}

fn finding(target: &str, more: i64) -> Open {
    Open {
        about: about("ssh_brute_force", target),
        metric_key: None,
        value: Some(250.0),
        current: None,
        threshold: None,
        culprit: String::new(),
        step: "Block it: `ban it`.".to_owned(),
        command: String::new(),
        cause: None,
        unknown_since: None,
        more,
    }
}

fn threshold(rule: &str, key: &str, severity: Severity, cause: Option<(&str, &str)>) -> Open {
    Open {
        about: About {
            domain: rule.split('.').next().unwrap().to_owned(),
            severity,
            title: "Dead-row share".to_owned(),
            message: format!("{rule} of {key}"),
            metric: Some(rule.to_owned()),
            ..about(rule, key)
        },
        metric_key: Some(key.to_owned()),
        value: Some(40.2),
        threshold: Some(20.0),
        step: "See it.".to_owned(),
        command: "SELECT 1;".to_owned(),
        cause: cause.map(|(rule, target)| (rule.to_owned(), target.to_owned())),
        ..finding(key, 0)
    }
}

fn titles(found: Vec<Open>) -> Vec<String> {
    let problems = arrange(found).into_iter();
    problems.map(|problem| problem.title).collect()
}

#[test]
fn one_and_two_are_named_and_of_more_the_worst_alone() {
    let title = "Password guessing over SSH";
    assert_eq!(
        titles(vec![finding("10.0.0.1", 0)]),
        [format!("{title}: 10.0.0.1")]
    );
    assert_eq!(
        titles(vec![finding("10.0.0.1", 1), finding("10.0.0.2", 0)]),
        [format!("{title}: 10.0.0.1"), format!("{title}: 10.0.0.2")]
    );
    let many = vec![
        finding("10.0.0.1", 40),
        finding("10.0.0.2", 39),
        finding("10.0.0.3", 38),
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
        (0..count.min(6)).map(move |n| Open {
            more: count - n - 1,
            ..threshold("table.dead_pct", &format!("t{n}"), Severity::Warn, None)
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
        assert_eq!(
            apart(step.to_owned()),
            (words.to_owned(), command.to_owned())
        );
    }
}

#[test]
fn a_title_names_what_helps_and_nothing_twice() {
    let named = |title: &str, target: &str, template: Option<&str>| {
        let is_pattern = target.len() == 16;
        let about = About {
            title: title.to_owned(),
            template: template.map(str::to_owned),
            fingerprint: is_pattern.then(|| target.to_owned()),
            ..about("log_new_pattern", target)
        };
        about.sentence()
    };
    for (title, target, template, expected) in [
        ("More errors", "nginx", None, "More errors: nginx"),
        (
            "More errors in nginx",
            "nginx",
            None,
            "More errors in nginx",
        ),
        ("New error", "aaaaaaaaaaaaaaaa", None, "New error"),
        (
            "New error",
            "aaaaaaaaaaaaaaaa",
            Some("disk <*> failed"),
            "New error: disk <*> failed",
        ),
        // The template does not belong in the title of a finding about a source.
        (
            "More errors",
            "app",
            Some("disk <*> failed"),
            "More errors: app",
        ),
        ("New errors", "", None, "New errors"),
    ] {
        assert_eq!(named(title, target, template), expected);
    }
    assert_eq!(
        named("More errors", &"x".repeat(90), None).chars().count(),
        "More errors: ".len() + 60
    );
}

#[test]
fn a_finding_that_is_not_of_logs_is_named_by_its_message() {
    let process = About {
        domain: "process".to_owned(),
        message: "No process nginx is running".to_owned(),
        ..about("process_missing", "nginx")
    };
    assert_eq!(process.sentence(), "No process nginx is running");
    assert_eq!(process.view(), "processes");
    assert_eq!(about("ssh_brute_force", "10.0.0.1").view(), "logs");
}
