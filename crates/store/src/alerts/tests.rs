use super::*;

fn alert(domain: &str, target: &str) -> Alert {
    Alert {
        id: 1,
        rule: "log_new_pattern".to_owned(),
        target: target.to_owned(),
        kind: "alert".to_owned(),
        domain: domain.to_owned(),
        metric: None,
        metric_key: None,
        severity: Severity::Warn,
        worst: Severity::Warn,
        title: "More errors".to_owned(),
        message: "30 errors within five minutes".to_owned(),
        steps: Vec::new(),
        command: None,
        action_sql: None,
        value: None,
        current: None,
        threshold: None,
        expected: None,
        culprit: None,
        because: None,
        source: None,
        fingerprint: None,
        template: None,
        hypotheses: Vec::new(),
        opened_at: Timestamp(0),
        seen_at: Timestamp(0),
        as_of: Timestamp(0),
        unknown_since: None,
        resolved_at: None,
        occurrences: 1,
        unusual: Unusual::default(),
        acknowledged: false,
        verified: None,
    }
}

#[test]
fn a_sentence_names_what_helps_and_nothing_twice() {
    let sentence = |title: &str, target: &str, template: Option<&str>| {
        let is_pattern = target.len() == 16;
        let alert = Alert {
            title: title.to_owned(),
            template: template.map(str::to_owned),
            fingerprint: is_pattern.then(|| target.to_owned()),
            ..alert("logs", target)
        };
        alert.sentence()
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
        assert_eq!(sentence(title, target, template), expected);
    }
    assert_eq!(
        sentence("More errors", &"é".repeat(61), None),
        format!("More errors: {}…", "é".repeat(60))
    );
    assert_eq!(
        sentence("More errors", &"é".repeat(60), None),
        format!("More errors: {}", "é".repeat(60))
    );
}

#[test]
fn what_is_not_of_lines_states_its_condition_with_figures() {
    let process = Alert {
        message: "No process nginx is running".to_owned(),
        ..alert("process", "nginx")
    };
    assert_eq!(process.sentence(), "No process nginx is running");
    let silent = Alert {
        message: String::new(),
        ..alert("process", "nginx")
    };
    assert_eq!(silent.sentence(), "More errors");
    assert_eq!(alert("security", "10.0.0.1").headline(), "More errors");
}

#[test]
fn insights_of_lines_and_problems_that_began_together_are_problems() {
    let expected: Vec<&str> = LINE_DOMAINS.iter().copied().chain([CORRELATION]).collect();
    assert_eq!(PROBLEM_DOMAINS, expected);
    let incident = alert(CORRELATION, "2027-01-15T08:00:00Z");
    assert_eq!(incident.subject(), "");
    assert_eq!(incident.sentence(), "30 errors within five minutes");
    // How many there are is in the sentence, and the value of no metric.
    assert!(!incident.has_figures());
}

#[test]
fn figures_in_another_unit_than_the_metric_are_left_to_the_sentence() {
    let of = |rule: &str, metric: Option<&str>| Alert {
        rule: rule.to_owned(),
        metric: metric.map(str::to_owned),
        ..alert("api", "latency")
    };
    let counted = schema::METRICS.iter().find(|metric| metric.counts_events);
    let counted = counted.unwrap().id();
    for (rule, metric, expected) in [
        ("target.p95_ms", Some("target.p95_ms"), true),
        ("slo_burn", Some("target.p95_ms"), false),
        ("slo_violation", Some("target.p95_ms"), false),
        ("log_new_pattern", None, true),
        ("x", Some(counted.as_str()), false),
    ] {
        assert_eq!(of(rule, metric).has_figures(), expected, "{rule}");
    }
}

#[test]
fn what_is_unusual_has_a_direction_where_something_was_expected() {
    let of = |z_score| {
        let unusual = Unusual {
            z_score,
            ..Unusual::default()
        };
        unusual.direction()
    };
    let found = [Some(2.5), Some(-2.5), Some(0.0), None].map(of);
    assert_eq!(found, [Some("spike"), Some("drop"), None, None]);
}
