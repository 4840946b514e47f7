//! Shapes of incidents, each with its cause.

use super::*;

/// A shape of an incident: its troubles, and the rule of the likely cause, or none.
pub(super) struct Shape {
    name: &'static str,
    pub(super) troubles: &'static [Trouble],
    cause: Option<&'static str>,
}

pub(super) const SHAPES: &[Shape] = &[
    Shape {
        name: "a lock that delays the API",
        troubles: &[
            ("db.longest_lock_wait_secs", "main", 10, 25),
            ("api.p95_ms", "api", 12, 27),
        ],
        cause: Some("db.longest_lock_wait_secs"),
    },
    Shape {
        name: "a full disk before failing writes",
        troubles: &[
            ("mount.used_pct", "/srv", 10, 60),
            ("api.error_pct", "api", 14, 40),
            ("log_error_spike", "app error", 13, 30),
        ],
        cause: Some("mount.used_pct"),
    },
    Shape {
        name: "PostgreSQL is gone",
        troubles: &[
            ("process_missing", "postgres", 10, 20),
            ("db.up", "main", 10, 20),
            ("api.error_pct", "api", 11, 22),
            ("proxy.error_pct", "proxy", 11, 22),
            ("log_error_spike", "app error", 10, 20),
        ],
        cause: Some("process_missing"),
    },
    Shape {
        name: "PostgreSQL does not answer, before errors of the API",
        troubles: &[("db.up", "main", 10, 20), ("api.error_pct", "api", 12, 22)],
        cause: Some("db.up"),
    },
    Shape {
        name: "a leak that takes twenty minutes to reach the users",
        troubles: &[
            ("unusual.process.rss_bytes", "java", 1, 60),
            ("system.mem_used_pct", "", 8, 60),
            ("system.swap_used_pct", "", 10, 60),
            ("system.pressure_io_full_pct", "", 15, 55),
            ("api.p95_ms", "api", 19, 55),
            ("proxy.latency_p95_ms", "proxy", 23, 55),
        ],
        cause: Some("unusual.process.rss_bytes"),
    },
    Shape {
        name: "a process that takes the CPU",
        troubles: &[
            ("unusual.process.cpu_pct", "ffmpeg", 10, 30),
            ("system.cpu_busy_pct", "", 10, 30),
            ("unusual.system.cpu_busy_pct", "", 10, 30),
            ("api.p95_ms", "api", 17, 30),
        ],
        cause: Some("unusual.process.cpu_pct"),
    },
    Shape {
        name: "an application that is gone, before errors of the proxy",
        troubles: &[
            ("target.up", "api", 10, 20),
            ("proxy.error_pct", "proxy", 11, 21),
            ("log_error_spike", "proxy error", 10, 20),
        ],
        cause: Some("target.up"),
    },
    Shape {
        name: "checkpoints before slow disks",
        troubles: &[
            ("unusual.db.wal_bytes_per_sec", "main", 1, 40),
            ("disk.busy_pct", "sda", 8, 40),
            ("io.read_ms", "main.client backend", 11, 40),
        ],
        cause: Some("unusual.db.wal_bytes_per_sec"),
    },
    Shape {
        name: "a standby that lags, before WAL is retained",
        troubles: &[
            ("replication.replay_lag_ms", "main.standby", 10, 60),
            ("replication.retained_bytes", "main.slot", 17, 60),
            ("mount.used_pct", "/var", 24, 60),
        ],
        cause: Some("replication.replay_lag_ms"),
    },
    Shape {
        name: "more requests than usual",
        troubles: &[
            ("unusual.api.requests_per_sec", "api", 10, 40),
            ("unusual.db.conn_active", "main", 10, 40),
            ("unusual.process.cpu_pct", "api", 10, 40),
            ("api.p95_ms", "api", 16, 40),
        ],
        cause: Some("unusual.api.requests_per_sec"),
    },
    Shape {
        name: "a killed process",
        troubles: &[
            ("system.oom_kills_per_sec", "", 10, 20),
            ("process_missing", "api", 10, 20),
            ("target.up", "api", 10, 20),
            ("proxy.error_pct", "proxy", 11, 20),
        ],
        cause: Some("system.oom_kills_per_sec"),
    },
    Shape {
        name: "two problems that have nothing to do with each other",
        troubles: &[
            ("mount.used_pct", "/srv", 10, 60),
            ("ssh_brute_force", "203.0.113.9", 11, 40),
        ],
        cause: None,
    },
    Shape {
        name: "what could be linked, half an hour apart",
        troubles: &[
            ("db.longest_lock_wait_secs", "main", 10, 60),
            ("api.p95_ms", "api", 35, 60),
        ],
        cause: None,
    },
    Shape {
        name: "one problem, with what it explains",
        troubles: &[
            ("system.cpu_busy_pct", "", 10, 40),
            ("unusual.system.cpu_busy_pct", "", 10, 40),
            ("system.load_per_core", "", 11, 40),
        ],
        cause: None,
    },
    Shape {
        name: "a slow disk, whose waits Linux counts as load",
        troubles: &[
            ("system.pressure_io_full_pct", "", 11, 40),
            ("unusual.system.load_per_core", "", 11, 40),
            ("unusual.disk.queue_depth", "sdb", 11, 40),
            ("db.slow_queries", "main", 11, 40),
            ("api.db_response_ms", "api", 11, 40),
        ],
        cause: Some("system.pressure_io_full_pct"),
    },
    Shape {
        name: "many keys of one part",
        troubles: &[
            ("unusual.process.cpu_pct", "a", 10, 40),
            ("unusual.process.cpu_pct", "b", 10, 40),
            ("unusual.process.cpu_pct", "c", 10, 40),
            ("process_cpu", "d 1", 10, 40),
        ],
        cause: None,
    },
];

#[test]
fn each_shape_has_its_cause() {
    for shape in SHAPES {
        let mut host = Host::new(shape.troubles);
        host.run(0, 120);
        let found = host.found_incidents();
        assert_eq!(
            found.len(),
            usize::from(shape.cause.is_some()),
            "{}: {found:#?}",
            shape.name
        );
        let (Some(expected), Some(row)) = (shape.cause, found.first()) else {
            continue;
        };
        assert_eq!(cause(row), expected, "{}: {row:#?}", shape.name);
        // What another one explains by its rule is that one's effect, and every other is a member.
        let explained = |id: &str| {
            shape
                .troubles
                .iter()
                .any(|(other, ..)| host.lifecycle.rule(id).unwrap().because.contains(other))
        };
        let mut roots: Vec<String> = shape
            .troubles
            .iter()
            .filter(|(id, ..)| !explained(id))
            .map(|(id, ..)| (*id).to_owned())
            .collect();
        roots.sort();
        for root in &roots {
            assert!(
                members(row).contains(root),
                "{}: {root} is missing",
                shape.name
            );
        }
        assert_eq!(
            row.steps.0,
            format!("[\"Look at {expected}\"]"),
            "{}",
            shape.name
        );
        assert!(row.message.contains("likely cause of "), "{}", row.message);
        assert_eq!(row.worst, Severity::Critical);
        assert!(
            host.lifecycle.open().next().is_none(),
            "{} has not ended",
            shape.name
        );
    }
}

#[test]
fn a_finding_says_what_the_cause_is_since_when_and_why() {
    let mut host = Host::new(SHAPES[1].troubles);
    host.run(0, 30);
    let row = host.found_incidents()[0].clone();
    assert_eq!(
        row.message,
        "mount.used_pct of /srv, likely cause of 2 more problems"
    );
    assert_eq!(row.opened_at, Timestamp(minutes(10)));
    let details = details(&row);
    let why = "Began before 1 of 2 others; writes to a full file system fail, \
               which explains errors of the API and lines of logs.";
    assert_eq!(details["cause"], why);
    let best = &details["hypotheses"][0];
    assert_eq!(best["step"], "Look at mount.used_pct");
    assert_eq!(best["evidence"].as_array().unwrap().len(), 2);
    // Members follow from it.
    for (_, row) in host.stored.open.values() {
        let expected = (row.rule != CORRELATION).then_some(CORRELATION);
        assert_eq!(row.cause_rule.as_deref(), expected, "{}", row.rule);
    }
}

#[test]
fn two_incidents_at_once_are_two_half_an_hour_apart() {
    let mut host = Host::new(&[
        ("db.longest_lock_wait_secs", "main", 10, 70),
        ("api.p95_ms", "api", 12, 70),
        ("db.archive_failing", "main", 10, 90),
        ("mount.used_pct", "/var", 12, 90),
    ]);
    host.run(0, 30);
    assert_eq!(host.found_incidents().len(), 1);
    host.run(30, 100);
    let found = host.found_incidents();
    let of: Vec<Vec<String>> = found.iter().map(|row| members(row)).collect();
    assert_eq!(of.len(), 2, "{of:?}");
    assert!(of.contains(&vec![
        "api.p95_ms".to_owned(),
        "db.longest_lock_wait_secs".to_owned()
    ]));
    assert!(of.contains(&vec![
        "db.archive_failing".to_owned(),
        "mount.used_pct".to_owned()
    ]));
    let at = |nth: usize| found[nth].confirmed_at.unwrap().as_micros();
    assert!(at(1) - at(0) >= APART);
}

fn change(minute: i64, kind: &str, subject: &str, action: &str) -> Change {
    Change {
        at: Timestamp(minutes(minute)),
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        action: action.to_owned(),
        before: Some("1.24".to_owned()).filter(|_| action == "upgraded"),
        after: Some("1.26".to_owned()).filter(|_| action == "upgraded"),
        source: "dpkg".to_owned(),
    }
}

#[test]
fn a_change_before_it_is_the_cause_if_it_concerns_a_member() {
    let troubles: &[Trouble] = &[
        ("proxy.error_pct", "edge", 10, 40),
        ("log_error_spike", "edge error", 10, 40),
    ];
    let mut host = Host::new(troubles);
    host.judge
        .note_changes([change(7, "package", "nginx", "upgraded")]);
    host.run(0, 30);
    let row = host.found_incidents()[0].clone();
    assert_eq!(cause(&row), "nginx was upgraded from 1.24 to 1.26");
    let details = details(&row);
    let evidence = details["hypotheses"][1]["evidence"].to_string();
    assert!(
        evidence.contains("began up to 3 min after nginx was upgraded from 1.24 to 1.26"),
        "{evidence}"
    );
    assert!(
        row.steps.0.contains("take it back") && row.steps.0.contains("Look at proxy.error_pct")
    );

    // One that concerns none of them is mentioned behind what the structure says.
    let mut host = Host::new(troubles);
    host.run(0, 20);
    host.judge
        .note_changes([change(7, "package", "tzdata", "upgraded")]);
    host.run(20, 30);
    let row = host.found_incidents()[0].clone();
    assert_eq!(cause(&row), "proxy.error_pct");
    assert!(row.details.unwrap().0.contains("tzdata was upgraded"));
}

#[test]
fn a_change_alone_or_with_one_problem_is_no_incident() {
    let mut host = Host::new(&[("proxy.error_pct", "edge", 30, 40)]);
    host.judge.note_changes([
        change(7, "package", "nginx", "upgraded"),
        change(28, "unit", "nginx.service", "restarted"),
    ]);
    host.run(0, 60);
    assert!(host.incidents.is_empty());
}

/// What a stop of the whole host leaves behind.
fn stall() -> Vec<Trouble> {
    const PROCESSES: [&str; 30] = [
        "p00", "p01", "p02", "p03", "p04", "p05", "p06", "p07", "p08", "p09", "p10", "p11", "p12",
        "p13", "p14", "p15", "p16", "p17", "p18", "p19", "p20", "p21", "p22", "p23", "p24", "p25",
        "p26", "p27", "p28", "p29",
    ];
    let processes = PROCESSES
        .iter()
        .map(|name| ("unusual.process.cpu_pct", *name, 10, 30));
    let metrics = crate::rules().filter(|rule| {
        let of_host = ["system.", "disk.", "db.", "api.", "proxy."];
        let subject = rule.id.strip_prefix("unusual.");
        subject.is_some_and(|id| of_host.iter().any(|domain| id.starts_with(domain)))
    });
    let others = metrics.map(|rule| (rule.id, "one", 10, 30)).take(40);
    std::iter::once(("collector_stalled", "", 10, 30))
        .chain(processes)
        .chain(others)
        .collect()
}

#[test]
fn fifty_findings_of_one_stop_of_the_host_are_one() {
    let troubles = stall();
    assert!(troubles.len() > 50);
    let mut host = Host::new(&troubles);
    host.run(0, 60);
    let found = host.found_incidents();
    assert_eq!(found.len(), 1);
    assert_eq!(cause(found[0]), "collector_stalled");
    let members = members(found[0]);
    let lost: Vec<&Trouble> = troubles
        .iter()
        .filter(|(id, ..)| !members.iter().any(|member| member == id))
        .collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(members.len(), troubles.len());
    // The texts of one member of each part are stored.
    assert!(found[0].details.as_ref().unwrap().0.len() < 20_000);
    assert!(host.lifecycle.open().next().is_none());
}

#[test]
fn many_that_nothing_links_are_one_without_a_known_cause() {
    let mut host = Host::new(&[
        ("ssh_brute_force", "203.0.113.9", 10, 30),
        ("index.invalid", "main.shop.orders_idx", 10, 30),
        ("db.wraparound_pct", "main", 11, 30),
        ("system.clock_synced", "", 11, 30),
        ("sudo_failure", "eve", 12, 30),
    ]);
    host.run(0, 60);
    let found = host.found_incidents();
    assert_eq!(found.len(), 1);
    assert!(
        found[0].message.contains("cause unknown"),
        "{}",
        found[0].message
    );
}

#[test]
fn late_errors_of_logs_belong_to_it_and_those_of_later_do_not() {
    let mut host = Host::new(&[
        ("db.longest_lock_wait_secs", "main", 10, 50),
        ("api.p95_ms", "api", 12, 50),
        ("log_error_spike", "app error", 18, 50),
        ("log_error_spike", "cron error", 55, 58),
        ("mount.used_pct", "/srv", 95, 100),
    ]);
    host.run(0, 120);
    let found = host.found_incidents();
    assert_eq!(found.len(), 1);
    assert_eq!(
        members(found[0]),
        ["api.p95_ms", "db.longest_lock_wait_secs", "log_error_spike"]
    );
}

#[test]
fn what_a_part_had_hours_before_is_another_trouble() {
    let mut host = Host::new(&[
        ("slo_burn", "api.api_uptime", 10, 330),
        ("api.p95_ms", "api", 200, 230),
        ("proxy.latency_p95_ms", "proxy", 200, 230),
        ("slo_burn", "api.api_latency_p95", 203, 230),
    ]);
    host.run(0, 340);
    let found = host.found_incidents();
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(cause(found[0]), "api.p95_ms");
    let expected = ["api.p95_ms", "proxy.latency_p95_ms", "slo_burn"];
    assert_eq!(members(found[0]), expected);
}

#[test]
fn what_begins_once_more_belongs_to_what_begins_then() {
    let mut host = Host::new(&[
        ("db.longest_lock_wait_secs", "main", 10, 330),
        ("api.p95_ms", "api", 12, 30),
        ("system.pressure_io_full_pct", "", 200, 230),
        ("api.db_response_ms", "api", 200, 230),
        ("api.p95_ms", "api", 202, 230),
    ]);
    host.run(0, 340);
    let found = host.found_incidents();
    assert_eq!(found.len(), 2, "{found:#?}");
    assert_eq!(cause(found[0]), "db.longest_lock_wait_secs");
    assert_eq!(cause(found[1]), "system.pressure_io_full_pct");
    assert!(members(found[1]).contains(&"api.p95_ms".to_owned()));
}

#[test]
fn what_usually_preceded_it_here_links_what_the_structure_does_not() {
    // Every day one follows from the other for a reason that only this host knows.
    let pair = |day: i64| -> [Trouble; 2] {
        let at = day * 1440 + 30;
        [
            ("sudo_failure", "deploy", at, at + 10),
            ("ssh_brute_force", "203.0.113.9", at + 4, at + 12),
        ]
    };
    let mut host = Host::new(&[pair(0), pair(1), pair(2), pair(3)].concat());
    for day in 0..3 {
        host.run(day * 1440, day * 1440 + 90);
        assert!(host.incidents.is_empty(), "day {day}");
    }
    host.restart(minutes(3 * 1440));
    host.run(3 * 1440 + 15, 3 * 1440 + 60);
    let found = host.found_incidents();
    assert_eq!(found.len(), 1);
    assert_eq!(cause(found[0]), "sudo_failure");
    let details = found[0].details.as_ref().unwrap();
    assert!(
        details.0.contains("3 of 3 times on this host"),
        "{}",
        details.0
    );
}
