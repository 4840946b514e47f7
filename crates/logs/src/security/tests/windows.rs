//! Counts within windows of time, and the findings they make.

use super::*;

#[test]
fn an_attempt_counts_once_and_six_in_five_minutes_are_reported() {
    let attempts: Vec<Event> = (0..6)
        .flat_map(|n| attempt(n, i64::from(n) * 10, "ann", "192.0.2.7"))
        .collect();
    assert!(watch(&attempts[..25]).is_empty());
    let rows = watch(&attempts);
    assert_eq!(rows.len(), 1);
    assert_eq!(
        summary(&rows[0]),
        ("ssh_brute_force".into(), Some("192.0.2.7".into()), None, 6)
    );
    assert_eq!(rows[0].first_ts, Timestamp(0));
    let details: serde_json::Value =
        serde_json::from_str(&rows[0].details.as_ref().unwrap().0).unwrap();
    assert_eq!(details["users"][0], "ann");
}

#[test]
fn what_goes_on_is_reported_once_in_a_window_and_the_counts_add_up() {
    let mut events: Vec<Event> = (0..1000)
        .map(|n| {
            event(
                "sshd",
                n,
                i64::from(n),
                "Failed password for root from 192.0.2.7 port 4 ssh2",
            )
        })
        .collect();
    events.push(event("cron", 1, 5000, "the clock moves"));
    let rows = watch(&events);
    // At once, then after pauses of 15 s that double up to 300 s.
    assert_eq!(rows.len(), 8);
    assert_eq!(rows.iter().map(|row| row.count).sum::<i64>(), 1000);
    assert!(rows.iter().all(|row| row.event_type == "ssh_brute_force"));
}

#[test]
fn tries_of_one_connection_and_repeated_lines_count_as_many() {
    let tries: Vec<Event> = (0..6)
        .map(|n| {
            event(
                "sshd",
                1,
                n,
                "Failed password for root from 192.0.2.7 port 4 ssh2",
            )
        })
        .collect();
    assert_eq!(watch(&tries).len(), 1);
    let line = "message repeated 5 times: [ Failed password for root from 192.0.2.7 port 4 ssh2]";
    assert_eq!(
        watch(&[tries[0].clone(), event("sshd", 1, 9, line)])[0].count,
        6
    );
}

#[test]
fn a_pam_failure_alone_counts_unless_somebody_gets_in() {
    let failure = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root";
    let mut events: Vec<Event> = (0..6)
        .map(|n| event("sshd", n, i64::from(n), failure))
        .collect();
    let accepted = event(
        "sshd",
        5,
        6,
        "Accepted password for root from 192.0.2.7 port 4 ssh2",
    );
    let later = event("cron", 1, 100, "the clock moves");
    events.push(later.clone());
    assert_eq!(watch(&events)[0].count, 6);
    events.insert(6, accepted);
    assert!(watch(&events).is_empty());
}

#[test]
fn ten_in_a_day_are_slow() {
    let events: Vec<Event> = (0..10)
        .flat_map(|n| attempt(n, i64::from(n) * 3600, "ann", "192.0.2.7"))
        .collect();
    let rows = watch(&events);
    assert_eq!(
        rows.iter().map(summary).collect::<Vec<_>>(),
        [(
            "ssh_slow_brute_force".into(),
            Some("192.0.2.7".into()),
            None,
            10
        )]
    );
}

#[test]
fn one_network_of_ipv6_is_one_address() {
    let events: Vec<Event> = (0..6)
        .flat_map(|n| attempt(n, i64::from(n), "ann", &format!("2001:db8:0:1::{n:x}")))
        .collect();
    let rows = watch(&events);
    assert_eq!(rows.len(), 1);
    assert!(
        rows[0]
            .details
            .as_ref()
            .unwrap()
            .0
            .contains("2001:db8:0:1::/64")
    );
    let apart: Vec<Event> = (0..6)
        .flat_map(|n| attempt(n, i64::from(n), "ann", &format!("2001:db8:0:{n:x}::1")))
        .collect();
    assert!(watch(&apart).is_empty());
}

#[test]
fn ten_addresses_against_one_account_are_reported() {
    let events: Vec<Event> = (0..10)
        .flat_map(|n| attempt(n, i64::from(n) * 30, "root", &format!("192.0.2.{n}")))
        .collect();
    assert_eq!(
        watch(&events).iter().map(summary).collect::<Vec<_>>(),
        [("ssh_distributed".into(), None, Some("root".into()), 10)]
    );
}

#[test]
fn a_password_that_is_right_after_five_that_were_wrong_is_critical() {
    let mut events: Vec<Event> = (0..5)
        .flat_map(|n| attempt(n, i64::from(n) * 600, "ann", "192.0.2.7"))
        .collect();
    let key = event(
        "sshd",
        99,
        4000,
        "Accepted publickey for ann from 192.0.2.7 port 4 ssh2: RSA SHA256:x",
    );
    assert!(watch(&[events.clone(), vec![key]].concat()).is_empty());
    events.push(event(
        "sshd",
        99,
        4000,
        "Accepted password for bob from 192.0.2.7 port 4 ssh2",
    ));
    let rows = watch(&events);
    assert_eq!(
        summary(&rows[0]),
        (
            "ssh_success_after_failures".into(),
            Some("192.0.2.7".into()),
            Some("bob".into()),
            5
        )
    );
    assert_eq!(rows[0].severity, Severity::Critical);
}

#[test]
fn a_slow_attack_is_counted_to_its_end_and_a_quick_one_not_twice() {
    let failed = |pid: u32, ts: i64| {
        let line = "Failed password for root from 192.0.2.7 port 4 ssh2";
        event("sshd", pid, ts, line)
    };
    let mut events: Vec<Event> = (0..20).map(|n| failed(n, i64::from(n) * 600)).collect();
    events.push(event("cron", 1, 13_000, "the clock moves"));
    let rows = watch(&events);
    assert!(
        rows.iter()
            .all(|row| row.event_type == "ssh_slow_brute_force")
    );
    assert_eq!(rows.iter().map(|row| row.count).sum::<i64>(), 20);
    events.extend((0..60).map(|n| failed(100 + n, 13_010 + i64::from(n))));
    events.push(event("cron", 1, 14_000, "the clock moves"));
    let rows = watch(&events);
    let sum = |kind: &str| {
        let of_kind = rows.iter().filter(|row| row.event_type == kind);
        of_kind.map(|row| row.count).sum::<i64>()
    };
    // Six make the quick one; those before it are the slow one's.
    assert_eq!(sum("ssh_brute_force"), 60);
    assert_eq!(sum("ssh_slow_brute_force"), 25);
}

#[test]
fn what_waits_for_its_end_is_reported_without_another_line() {
    let mut watch = Watch::default();
    let mut out = Vec::new();
    // A file in another zone: its times are five hours after the time of day.
    let behind = 5 * 3600 * SECOND;
    for n in 0..120 {
        let line = "Failed password for root from 192.0.2.7 port 4 ssh2";
        let event = event("sshd", n, i64::from(n), line);
        let now = Timestamp(event.ts.0 + behind);
        watch.observe("syslog", "auth", &event, now, &mut out);
    }
    let count =
        |out: &[(Timestamp, SecurityEvent)]| -> i64 { out.iter().map(|(_, row)| row.count).sum() };
    assert!(count(&out) < 120);
    watch.elapse(Timestamp(119 * SECOND + behind + 25 * SECOND), &mut out);
    assert_eq!(count(&out), 120);
    assert_eq!(out.last().unwrap().0, Timestamp(119 * SECOND));
    // Nothing comes a second time, however long nothing happens.
    for hour in 1..30 {
        watch.elapse(Timestamp(behind + hour * 3600 * SECOND), &mut out);
    }
    assert_eq!(count(&out), 120);
}

#[test]
fn what_is_older_than_the_clock_is_counted_until_the_next_sweep() {
    let day = 86_400;
    let attempt = |pid: u32, ts: i64| {
        let line = "Failed password for root from 192.0.2.7 port 4 ssh2";
        event("sshd", pid, ts, line)
    };
    let now = 5 * day;
    let mut events = vec![attempt(1, now - 60), attempt(2, now)];
    // An older file of the same log, read after the newer one.
    events.extend((0..6).map(|n| attempt(10 + n, day + i64::from(n))));
    let out: Vec<Summary> = watch(&events).iter().map(summary).collect();
    let found = |count: i64| {
        let address = Some("192.0.2.7".to_owned());
        ("ssh_brute_force".to_owned(), address, None, count)
    };
    assert_eq!(out, [found(6)]);
    // A day of silence is found by a sweep, and what was known before does not count.
    let mut events: Vec<Event> = (0..5).map(|n| attempt(n, day)).collect();
    events.push(event("cron", 1, 2 * day, "x"));
    events.push(attempt(9, day + 1));
    assert_eq!(watch(&events), []);
}
