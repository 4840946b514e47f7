//! Lines, and what comes of them. All lines are our own, with addresses of the documentation ranges.

mod elevation;
mod forms;
mod windows;

use proptest::prelude::*;
use schema::tables::SecurityEvent;
use schema::{Severity, Timestamp};

use super::*;

const SECOND: i64 = 1_000_000;

fn event(program: &str, pid: u32, ts: i64, message: &str) -> Event {
    Event {
        ts: Timestamp(ts * SECOND),
        component: program.to_owned(),
        pid: Some(pid),
        message: message.to_owned(),
        ..Event::default()
    }
}

/// Summary of a finding: type, address, account, count.
type Summary = (String, Option<String>, Option<String>, i64);

fn summary(row: &SecurityEvent) -> Summary {
    (
        row.event_type.clone(),
        row.source_ip.clone(),
        row.username.clone(),
        row.count,
    )
}

fn watch(events: &[Event]) -> Vec<SecurityEvent> {
    let mut watch = Watch::default();
    let mut out = Vec::new();
    for event in events {
        watch.observe("syslog", "auth", event, event.ts, &mut out);
    }
    let end = events.last().map_or(0, |event| event.ts.0);
    watch.elapse(Timestamp(end), &mut out);
    out.into_iter().map(|(_, row)| row).collect()
}

/// Returns what a single message counts as: kind and address.
fn counted(watch: &mut Watch, event: &Event) -> Option<(&'static str, Option<String>)> {
    let counted = watch.counted("syslog", "auth", event)?;
    Some((counted.kind, counted.address))
}

/// Returns an attempt as sshd logs it with PAM.
fn attempt(pid: u32, ts: i64, user: &str, address: &str) -> Vec<Event> {
    [
        format!("Invalid user {user} from {address} port 4"),
        "pam_unix(sshd:auth): check pass; user unknown".to_owned(),
        format!("pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={address} "),
        format!("Failed password for invalid user {user} from {address} port 4 ssh2"),
        format!("Connection closed by invalid user {user} {address} port 4 [preauth]"),
    ]
    .iter()
    .map(|message| event("sshd", pid, ts, message))
    .collect()
}

#[test]
fn bans_are_reported() {
    let mut watch = Watch::default();
    let mut out = Vec::new();
    for (parser, program, message) in [
        ("fail2ban", "fail2ban.actions", "[sshd] Ban 192.0.2.7"),
        (
            "fail2ban",
            "fail2ban.actions",
            "[sshd] Restore Ban 192.0.2.8",
        ),
        (
            "syslog",
            "fail2ban.actions",
            "NOTICE  [recidive] Unban 2001:db8::7",
        ),
        (
            "journalctl",
            "fail2ban-server",
            "fail2ban.actions        [12]: NOTICE  [sshd] Ban 192.0.2.9",
        ),
        // No actions, or not fail2ban's.
        (
            "fail2ban",
            "fail2ban.filter",
            "[sshd] Found 192.0.2.7 - Ban 192.0.2.1",
        ),
        (
            "fail2ban",
            "fail2ban.actions",
            "[sshd] 192.0.2.7 already banned",
        ),
        ("access", "fail2ban.actions", "[sshd] Ban 192.0.2.7"),
    ] {
        watch.observe(
            parser,
            "fail2ban",
            &event(program, 12, 0, message),
            Timestamp(0),
            &mut out,
        );
    }
    let out: Vec<SecurityEvent> = out.into_iter().map(|(_, row)| row).collect();
    let rows: Vec<_> = out
        .iter()
        .map(|row| (row.event_type.as_str(), row.source_ip.as_deref().unwrap()))
        .collect();
    assert_eq!(
        rows,
        [
            ("fail2ban_ban", "192.0.2.7"),
            ("fail2ban_ban", "192.0.2.8"),
            ("fail2ban_unban", "2001:db8::7"),
            ("fail2ban_ban", "192.0.2.9"),
        ]
    );
    assert!(
        out[1]
            .details
            .as_ref()
            .unwrap()
            .0
            .contains("\"restored\":true")
    );
    assert!(out[2].details.as_ref().unwrap().0.contains("recidive"));
}

#[test]
fn eleven_dropped_packets_in_five_minutes_are_reported() {
    let packet = |prefix: &str, n: i64| {
        let message = format!(
            "{prefix}IN=eth0 OUT= MAC=00 SRC=192.0.2.7 DST=203.0.113.1 LEN=40 PROTO=TCP SPT=4 DPT={} SYN",
            20 + n
        );
        event("kernel", 0, n, &message)
    };
    for prefix in ["[UFW BLOCK] ", "[UFW LIMIT BLOCK] ", "nft-drop: ", ""] {
        let packets: Vec<Event> = (0..11).map(|n| packet(prefix, n)).collect();
        assert!(watch(&packets[..10]).is_empty());
        let rows = watch(&packets);
        assert_eq!(
            summary(&rows[0]),
            ("firewall_block".into(), Some("192.0.2.7".into()), None, 11),
            "{prefix}"
        );
    }
    let passed: Vec<Event> = (0..30).map(|n| packet("[UFW ALLOW] ", n)).collect();
    assert!(watch(&passed).is_empty());
}

#[test]
fn probes_and_dropped_connections_are_not_attempts() {
    for message in [
        "Connection closed by 192.0.2.7 port 4 [preauth]",
        "Received disconnect from 192.0.2.7 port 4:11: Bye Bye [preauth]",
        "Disconnected from 192.0.2.7 port 4 [preauth]",
        "drop connection #10 from [192.0.2.7]:46482 on [203.0.113.1]:22 past MaxStartups",
        "drop connection #0 from [192.0.2.7]:4 on [203.0.113.1]:22 penalty: failed authentication",
        "Timeout before authentication for connection from 192.0.2.7 to 203.0.113.1, pid = 7",
        "error: Protocol major versions differ for 192.0.2.7 port 4: SSH-2.0-x vs. SSH-1.5-x",
    ] {
        let events: Vec<Event> = (0..100)
            .map(|n| event("sshd", n, i64::from(n), message))
            .collect();
        assert_eq!(watch(&events), [], "{message}");
    }
}

#[test]
fn the_daemon_that_listens_reports_nothing_of_one_connection() {
    // Its lines have one process number and an address each; the failures of that process stay whole.
    let mut watch = Watch::default();
    let mut address = |message: &str| {
        let counted = counted(&mut watch, &event("sshd", 1, 0, message));
        counted.and_then(|(_, address)| address)
    };
    for (message, expected) in [
        (
            "Connection from 192.0.2.7 port 4 on 203.0.113.1 port 22",
            None,
        ),
        (
            "drop connection #10 from [198.51.100.9]:4 on [203.0.113.1]:22 past MaxStartups",
            Some("198.51.100.9"),
        ),
        (
            "Disconnecting: Too many authentication failures for root",
            Some("192.0.2.7"),
        ),
    ] {
        assert_eq!(address(message).as_deref(), expected, "{message}");
    }
}

#[test]
fn the_only_line_of_a_source_is_reported_in_the_end() {
    let line = "pam_unix(sudo:auth): authentication failure; logname=ann uid=1 euid=0 tty=pts/0 ruser=ann rhost=  user=ann";
    let mut watch = Watch::default();
    let mut out = Vec::new();
    let ts = 1_795_935_600;
    let event = event("sudo", 1, ts, line);
    watch.observe("syslog", "auth", &event, event.ts, &mut out);
    // What waits is examined every five seconds.
    for (later, rows) in [(59, 0), (65, 1), (3600, 1)] {
        watch.elapse(Timestamp((ts + later) * SECOND), &mut out);
        assert_eq!(out.len(), rows, "{later}");
    }
    assert_eq!(out[0].0, event.ts);
}

#[test]
fn a_forged_line_raises_nothing() {
    let line = "Failed password for root from 192.0.2.7 port 4 ssh2";
    let forged = format!("GET /sshd[1]: {line}");
    let mut session = event("sshd", 1, 0, line);
    session.unit = "session-4.scope".to_owned();
    let mut out = Vec::new();
    let mut watch = Watch::default();
    for n in 0..50 {
        for (parser, mut event) in [
            ("syslog", event("nginx", n, 0, line)),
            ("syslog", event("sshd", n, 0, &forged)),
            ("syslog", event("", n, 0, line)),
            ("access", event("sshd", n, 0, line)),
            ("simple_timestamp", event("sshd", n, 0, line)),
            ("journalctl", session.clone()),
            (
                "syslog",
                event(
                    "nginx",
                    n,
                    0,
                    "[UFW BLOCK] IN=eth0 OUT= SRC=192.0.2.7 DST=203.0.113.1 DPT=22",
                ),
            ),
            (
                "access",
                event(
                    "",
                    n,
                    0,
                    "[sshd]: Failed password for root from 192.0.2.7 port 4 ssh2",
                ),
            ),
        ] {
            event.pid = Some(n);
            watch.observe(parser, "app", &event, event.ts, &mut out);
        }
    }
    assert_eq!(out, []);
}

#[test]
fn memory_is_bounded() {
    let mut watch = Watch::default();
    let mut out = Vec::new();
    for n in 0..20_000_u32 {
        let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + n);
        let line = format!("Failed password for user{n} from {address} port 4 ssh2");
        watch.observe(
            "syslog",
            "auth",
            &event("sshd", n, i64::from(n / 100), &line),
            Timestamp(0),
            &mut out,
        );
    }
    assert_eq!(out, []);
    assert!(
        watch.sizes().iter().all(|size| *size <= 4096),
        "{:?}",
        watch.sizes()
    );
}

#[test]
fn rules_are_named_once() {
    for (place, rule) in RULES.iter().enumerate() {
        assert!(rule.severity >= Severity::Info);
        assert!(
            RULES[place + 1..]
                .iter()
                .all(|other| other.event_type != rule.event_type)
        );
    }
}

proptest! {
    /// No text stops the watch, whatever program wrote it.
    #[test]
    fn no_text_panics(
        message in "(Failed password for |Invalid user |Disconnecting |message repeated 3 times: \\[ |pam_unix\\(sshd:auth\\): |\\[sshd\\] Ban |IN=|PAM: )?(\\PC| from |1.2.3.4|ssh2: |ports | port | rhost=){0,30}",
        program in prop::sample::select(vec!["sshd", "sudo", "su", "kernel", "fail2ban.actions", ""]),
    ) {
        let mut out = Vec::new();
        Watch::default().observe("syslog", "auth", &event(program, 1, 0, &message), Timestamp(0), &mut out);
        Watch::default().observe("fail2ban", "auth", &event(program, 1, i64::MAX / SECOND, &message), Timestamp(0), &mut out);
    }
}
