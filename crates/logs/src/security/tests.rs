//! Lines, and what comes of them. All lines are our own, with addresses of the documentation ranges.

use proptest::prelude::*;
use schema::Timestamp;
use schema::tables::SecurityEvent;

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

/// What a watch tells of events: type, address, account, count.
type Told = (String, Option<String>, Option<String>, i64);

fn told(row: &SecurityEvent) -> Told {
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

/// What a single message counts as: kind and address.
fn counted(watch: &mut Watch, event: &Event) -> Option<(&'static str, Option<String>)> {
    let counted = watch.counted("syslog", "auth", event)?;
    Some((counted.kind, counted.address))
}

#[test]
fn each_form_is_counted_with_its_address() {
    let known = "192.0.2.7";
    for (message, expected) in [
        (
            "Failed password for root from 192.0.2.7 port 50122 ssh2",
            known,
        ),
        (
            "Failed password for invalid user admin from 192.0.2.7 port 50122 ssh2",
            known,
        ),
        (
            "Failed keyboard-interactive/pam for ann from 192.0.2.7 port 1 ssh2",
            known,
        ),
        (
            "Failed hostbased for ann from 192.0.2.7 port 1 ssh2: RSA SHA256:x, client user \"ann\", client host \"a from 198.51.100.9\"",
            known,
        ),
        (
            "Failed publickey for invalid user ann from 192.0.2.7 port 1 ssh2: RSA SHA256:abc",
            known,
        ),
        (
            "Failed none for invalid user ann from 192.0.2.7 port 1 ssh2",
            known,
        ),
        (
            "message repeated 4 times: [ Failed password for root from 192.0.2.7 port 3 ssh2]",
            known,
        ),
        ("Invalid user ann from 192.0.2.7 port 1", known),
        ("Invalid user  from 192.0.2.7", known),
        ("Illegal user ann from 192.0.2.7", known),
        (
            "error: PAM: Authentication failure for illegal user ann from 192.0.2.7",
            known,
        ),
        (
            "error: PAM: authentication error for ann from 192.0.2.7 via 203.0.113.1",
            known,
        ),
        (
            "error: PAM: User not known to the underlying authentication module for illegal user x from 192.0.2.7",
            known,
        ),
        (
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root",
            known,
        ),
        (
            "pam_sss(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7 user=ann",
            known,
        ),
        (
            "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root",
            known,
        ),
        (
            "error: maximum authentication attempts exceeded for invalid user ann from 192.0.2.7 port 4 ssh2 [preauth]",
            known,
        ),
        (
            "Disconnecting authenticating user root 192.0.2.7 port 4: Too many authentication failures [preauth]",
            known,
        ),
        (
            "Disconnecting invalid user ann 192.0.2.7 port 4: Change of username or service not allowed: (ann,ssh-connection) -> (bob,ssh-connection) [preauth]",
            known,
        ),
        ("ROOT LOGIN REFUSED FROM ::ffff:192.0.2.7", known),
        (
            "User ann from 192.0.2.7 not allowed because not listed in AllowUsers",
            known,
        ),
        (
            "User ann from 192.0.2.7 not allowed because none of user's groups are listed in AllowGroups",
            known,
        ),
        ("refused connect from host.example.com (192.0.2.7)", known),
        (
            "Received disconnect from 192.0.2.7 port 9:3: com.jcraft.jsch.JSchException: Auth fail [preauth]",
            known,
        ),
        (
            "error: Received disconnect from 192.0.2.7: 14: No supported authentication methods available [preauth]",
            known,
        ),
        (
            "Connection closed by authenticating user root 192.0.2.7 port 4 [preauth]",
            known,
        ),
        (
            "Connection reset by invalid user  192.0.2.7 port 4 [preauth]",
            known,
        ),
        (
            "Disconnected from invalid user ann 192.0.2.7 port 4 [preauth]",
            known,
        ),
        ("Connection closed by 192.0.2.7 port 4 [preauth]", known),
        // Modules that let nobody in.
        (
            "pam_access(sshd:account): access denied for user `ann' from `192.0.2.7'",
            known,
        ),
        (
            "(pam_unix) authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=ann",
            known,
        ),
        // A connection that breaks off under a name.
        (
            "ssh_dispatch_run_fatal: Connection from authenticating user ann 192.0.2.7 port 4: Broken pipe [preauth]",
            known,
        ),
        (
            "ssh_dispatch_run_fatal: Connection from invalid user a port 1: x 192.0.2.7 port 4: message authentication code incorrect [preauth]",
            known,
        ),
        (
            "fatal: Connection from invalid user ann 192.0.2.7 port 4: Connection corrupted [preauth]",
            known,
        ),
        // Versions that do not fit.
        (
            "error: Protocol major versions differ for 192.0.2.7 port 4: SSH-2.0-OpenSSH_9.9 vs. SSH-1.5-x",
            known,
        ),
        (
            "Protocol major versions differ for 192.0.2.7: SSH-2.0-OpenSSH_5.1 vs. SSH-1.5-NmapNSE_1.0",
            known,
        ),
        (
            "scanned from 192.0.2.7 with SSH-1.0-SSH_Version_Mapper.  Don't panic.",
            known,
        ),
        // The daemon that listens.
        (
            "drop connection #10 from [192.0.2.7]:46482 on [203.0.113.1]:22 past MaxStartups",
            known,
        ),
        (
            "drop connection #0 from [2001:db8::7]:46482 on [2001:db8::1]:22 past Maxstartups",
            "2001:db8::7",
        ),
        (
            "drop connection #0 from [192.0.2.7]:46482 on [203.0.113.1]:22 penalty: failed authentication",
            known,
        ),
        (
            "drop connection #0 from [192.0.2.7]:46482 on [203.0.113.1]:22 penalty: connections without attempting authentication",
            known,
        ),
        (
            "srclimit_penalise: ipv4: new 192.0.2.7/32 deferred penalty of 5 seconds for penalty: failed authentication",
            known,
        ),
        (
            "srclimit_penalise: 192.0.2.7/32: activating ipv4 penalty of 16 seconds for penalty: failed authentication",
            known,
        ),
        (
            "Received disconnect from 192.0.2.7 port 4:11: Bye Bye from 198.51.100.9 [preauth]",
            known,
        ),
        (
            "Did not receive identification string from 192.0.2.7 port 4",
            known,
        ),
        (
            "Bad protocol version identification 'GET / from 198.51.100.9' from 192.0.2.7 port 4",
            known,
        ),
        (
            "banner exchange: Connection from 192.0.2.7 port 4: invalid format",
            known,
        ),
        (
            "ssh_dispatch_run_fatal: Connection from 192.0.2.7 port 4: Connection corrupted [preauth]",
            known,
        ),
        (
            "fatal: Unable to negotiate with 192.0.2.7 port 4: no matching host key type found. Their offer: ssh-dss [preauth]",
            known,
        ),
        (
            "fatal: Timeout before authentication for 192.0.2.7 port 4",
            known,
        ),
        (
            "Timeout before authentication for connection from 192.0.2.7 to 203.0.113.1, pid = 7",
            known,
        ),
        (
            "Magic value check failed (7) on obfuscated handshake from 192.0.2.7 port 4",
            known,
        ),
        // Addresses of other kinds.
        (
            "Failed password for root from 2001:db8::7 port 4 ssh2",
            "2001:db8::7",
        ),
        (
            "Failed password for root from fe80::7%eth0 port 4 ssh2",
            "fe80::7",
        ),
        (
            "Failed password for root from host.example.com port 4 ssh2",
            "host.example.com",
        ),
        (
            "Received disconnect from 2001:db8::7: 11: Bye [preauth]",
            "2001:db8::7",
        ),
        // Names that would be addresses.
        (
            "Failed password for invalid user a from 198.51.100.9 from 192.0.2.7 port 4 ssh2",
            known,
        ),
        (
            "Failed password for invalid user a from 198.51.100.9 port 22 ssh2 from 192.0.2.7 port 4 ssh2",
            known,
        ),
        (
            "Failed password for invalid user a from 198.51.100.9 port 22 ssh2: b from 192.0.2.7 port 4 ssh2",
            known,
        ),
        (
            "Failed password for invalid user ssh2: a from 192.0.2.7 port 4 ssh2",
            known,
        ),
        (
            "Invalid user a from 198.51.100.9 port 22 from 192.0.2.7 port 4",
            known,
        ),
        ("Invalid user 198.51.100.9 from 192.0.2.7", known),
        (
            "User a from 198.51.100.9 not allowed because x from 192.0.2.7 not allowed because not listed in AllowUsers",
            known,
        ),
        (
            "Connection closed by authenticating user a 198.51.100.9 port 22 192.0.2.7 port 4 [preauth]",
            known,
        ),
        (
            "Disconnecting invalid user a 198.51.100.9 port 2: Too many authentication failures 192.0.2.7 port 4: Too many authentication failures [preauth]",
            known,
        ),
    ] {
        for program in ["sshd", "sshd-session", "sshd-auth"] {
            let counted = counted(&mut Watch::default(), &event(program, 1, 0, message));
            let address = counted.and_then(|(_, address)| address);
            assert_eq!(address.as_deref(), Some(expected), "{message}");
        }
    }
}

#[test]
fn what_is_no_failure_is_not_counted() {
    for message in [
        "reverse mapping checking getaddrinfo for a.example.com [192.0.2.7] failed - POSSIBLE BREAK-IN ATTEMPT!",
        "Address 192.0.2.7 maps to a.example.com, but this does not map back to the address",
        "Postponed publickey for ann from 192.0.2.7 port 4 ssh2 [preauth]",
        "Failed publickey for ann from 192.0.2.7 port 4 ssh2: RSA SHA256:abc",
        "Accepted publickey for ann from 192.0.2.7 port 4 ssh2: RSA SHA256:abc",
        "Close session: user ann from 192.0.2.7 port 4 id 0",
        "Connection closed by 192.0.2.7 port 4",
        "Disconnected from user ann 192.0.2.7 port 4",
        "Received disconnect from 192.0.2.7 port 4:11: disconnected by user",
        "Connection from 192.0.2.7 port 4 on 203.0.113.1 port 22",
        "Server listening on 0.0.0.0 port 22.",
        "error: beginning MaxStartups throttling",
        "exited MaxStartups throttling after 00:05:10, 12 connections dropped",
        "srclimit_penalise: ipv4 penalty table full, cannot penalise 192.0.2.7/32 for penalty: failed authentication",
        "pam_unix(sshd:session): session opened for user ann(uid=1000) by (uid=0)",
        "(pam_unix) session opened for user ann by (uid=0)",
        "Connection from user ann 192.0.2.7 port 4: message authentication code incorrect",
        "",
    ] {
        let counted = counted(&mut Watch::default(), &event("sshd", 1, 0, message));
        let counted = counted.filter(|(kind, _)| *kind != "accepted");
        assert_eq!(counted, None, "{message}");
    }
}

#[test]
fn the_address_of_one_line_is_that_of_the_process() {
    let mut watch = Watch::default();
    let mut address = |message: &str| {
        let counted = counted(&mut watch, &event("sshd-session", 9, 0, message));
        counted.map(|(_, address)| address)
    };
    assert_eq!(
        address("Connection from 192.0.2.7 port 4 on 203.0.113.1 port 22"),
        None
    );
    let known = Some(Some("192.0.2.7".to_owned()));
    assert_eq!(
        address("Disconnecting: Too many authentication failures for root [preauth]"),
        known
    );
    // A detail that may be a name: the process is known to talk to the first.
    assert_eq!(
        address("Failed password for a from 192.0.2.7 port 4 ssh2: from 198.51.100.9 port 1 ssh2"),
        known
    );
    // The address comes later.
    let mut address = |message: &str| {
        let counted = counted(&mut watch, &event("sshd", 10, 0, message));
        counted.map(|(_, address)| address)
    };
    assert_eq!(
        address("error: kex_exchange_identification: Connection closed by remote host"),
        Some(None)
    );
    assert_eq!(address("Connection closed by 192.0.2.7 port 4"), known);
}

/// An attempt as sshd logs it with PAM.
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
fn an_attempt_counts_once_and_six_in_five_minutes_are_told() {
    let attempts: Vec<Event> = (0..6)
        .flat_map(|n| attempt(n, i64::from(n) * 10, "ann", "192.0.2.7"))
        .collect();
    assert!(watch(&attempts[..25]).is_empty());
    let rows = watch(&attempts);
    assert_eq!(rows.len(), 1);
    assert_eq!(
        told(&rows[0]),
        ("ssh_brute_force".into(), Some("192.0.2.7".into()), None, 6)
    );
    assert_eq!(rows[0].first_ts, Timestamp(0));
    let details: serde_json::Value =
        serde_json::from_str(&rows[0].details.as_ref().unwrap().0).unwrap();
    assert_eq!(details["users"][0], "ann");
}

#[test]
fn what_goes_on_is_told_once_in_a_window_and_the_counts_add_up() {
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
        rows.iter().map(told).collect::<Vec<_>>(),
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
fn ten_addresses_against_one_account_are_told() {
    let events: Vec<Event> = (0..10)
        .flat_map(|n| attempt(n, i64::from(n) * 30, "root", &format!("192.0.2.{n}")))
        .collect();
    assert_eq!(
        watch(&events).iter().map(told).collect::<Vec<_>>(),
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
        told(&rows[0]),
        (
            "ssh_success_after_failures".into(),
            Some("192.0.2.7".into()),
            Some("bob".into()),
            5
        )
    );
    assert_eq!(rows[0].severity, "critical");
}

#[test]
fn bans_are_told() {
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
fn eleven_dropped_packets_in_five_minutes_are_told() {
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
            told(&rows[0]),
            ("firewall_block".into(), Some("192.0.2.7".into()), None, 11),
            "{prefix}"
        );
    }
    let passed: Vec<Event> = (0..30).map(|n| packet("[UFW ALLOW] ", n)).collect();
    assert!(watch(&passed).is_empty());
}

#[test]
fn who_may_not_become_another_is_told() {
    for (program, message, user, count, severity) in [
        (
            "sudo",
            "     ann : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            "ann",
            3,
            "warn",
        ),
        (
            "sudo",
            "ann : 1 incorrect password attempt ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            "ann",
            1,
            "info",
        ),
        (
            "sudo",
            "ann : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            "ann",
            1,
            "warn",
        ),
        (
            "sudo",
            "ann : command not allowed ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            "ann",
            1,
            "warn",
        ),
        (
            "sudo",
            r#"@cee:{"sudo":{"reject":{"reason":"command not allowed","server_time":{"seconds":1795935540,"nanoseconds":1},"submithost":"h","submituser":"ann","runuser":"root","command":"/bin/bash"}}}"#,
            "ann",
            1,
            "warn",
        ),
        (
            "sudo",
            r#"@cee: {"sudo":{"alert":{"reason":"3 incorrect password attempts","submituser":"ann","runuser":"root","command":"/bin/bash","runenv":["A=b"#,
            "ann",
            3,
            "warn",
        ),
        (
            "sudo",
            r#"{"sudo":{"reject":{"submitcwd":"/","reason":"user NOT in sudoers","submituser":"ann"}}}"#,
            "ann",
            1,
            "warn",
        ),
        ("su", "FAILED SU (to root) ann on pts/0", "ann", 1, "info"),
        ("su", "BAD SU ann to root on /dev/pts/0", "ann", 1, "info"),
    ] {
        let rows = watch(&[event(program, 1, 0, message)]);
        assert_eq!(
            told(&rows[0]),
            ("sudo_failure".into(), None, Some(user.into()), count),
            "{message}"
        );
        assert_eq!(rows[0].severity, severity, "{message}");
    }
    for message in [
        "ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls user NOT in sudoers",
        "pam_unix(sudo:session): session opened for user root",
        r#"@cee:{"sudo":{"accept":{"submituser":"ann","command":"/bin/ls","runuser":"root","runargv":["command not allowed"]}}}"#,
        r#"@cee:{"sudo":{"exit":{"submituser":"ann","reason":"command not allowed"}}}"#,
        r#"@cee:{"app":{"reject":{"submituser":"ann","reason":"command not allowed"}}}"#,
    ] {
        assert!(
            watch(&[event("sudo", 1, 0, message)]).is_empty(),
            "{message}"
        );
    }
}

#[test]
fn sudo_and_its_module_tell_the_same_failure_once() {
    let rows = watch(&[
        event(
            "sudo",
            1,
            0,
            "pam_unix(sudo:auth): authentication failure; logname=ann uid=1 euid=0 tty=pts/0 ruser=ann rhost=  user=ann",
        ),
        event(
            "sudo",
            1,
            9,
            "ann : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
        ),
    ]);
    assert_eq!(rows.iter().map(|row| row.count).sum::<i64>(), 3);
}

#[test]
fn a_module_alone_counts_unless_the_program_says_otherwise() {
    let text =
        "authentication failure; logname=ann uid=1000 euid=0 tty=pts/0 ruser=ann rhost=  user=root";
    for (program, module, accepted) in [
        (
            "sudo",
            format!("pam_unix(sudo:auth): {text}"),
            "ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
        ),
        (
            "sudo",
            format!("pam_unix(sudo:auth): {text}"),
            "pam_unix(sudo:session): session opened for user root(uid=0) by ann(uid=1000)",
        ),
        (
            "sudo",
            format!("(pam_unix) {text}"),
            r#"@cee:{"sudo":{"accept":{"submituser":"ann"}}}"#,
        ),
        (
            "sudo(pam_unix)",
            text.to_owned(),
            "ann : TTY=pts/0 ; COMMAND=/bin/ls",
        ),
        (
            "su",
            format!("pam_unix(su:auth): {text}"),
            "(to root) ann on pts/0",
        ),
        (
            "su-l",
            format!("pam_unix(su-l:auth): {text}"),
            "pam_unix(su-l:session): session opened for user root(uid=0) by ann(uid=1000)",
        ),
        (
            "su(pam_unix)",
            text.to_owned(),
            "session opened for user root by ann(uid=1000)",
        ),
    ] {
        let failed = event(program, 1, 0, &module);
        let later = event("cron", 1, 70, "the clock moves");
        let rows = watch(&[failed.clone(), later.clone()]);
        assert_eq!(rows.len(), 1, "{module}");
        assert_eq!(
            (rows[0].first_ts, rows[0].count),
            (Timestamp(0), 1),
            "{module}"
        );
        let accepted = event(program, 1, 4, accepted);
        assert_eq!(watch(&[failed, accepted, later]), [], "{module}");
    }
}

#[test]
fn an_old_module_names_itself_behind_the_program_or_before_the_message() {
    let text =
        "authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=ann";
    for (program, message) in [
        ("sshd", format!("(pam_unix) {text}")),
        ("sshd(pam_unix)", text.to_owned()),
        ("sshd-session(pam_sss)", text.to_owned()),
    ] {
        let mut events: Vec<Event> = (0..6)
            .map(|n| event(program, n, i64::from(n), &message))
            .collect();
        events.push(event("cron", 1, 100, "the clock moves"));
        assert_eq!(watch(&events)[0].count, 6, "{program} {message}");
    }
}

#[test]
fn probes_and_dropped_connections_are_no_attempts() {
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
fn the_daemon_that_listens_says_nothing_of_one_connection() {
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
fn the_only_line_of_a_source_is_told_in_the_end() {
    let line = "pam_unix(sudo:auth): authentication failure; logname=ann uid=1 euid=0 tty=pts/0 ruser=ann rhost=  user=ann";
    let mut watch = Watch::default();
    let mut out = Vec::new();
    let ts = 1_795_935_600;
    let event = event("sudo", 1, ts, line);
    watch.observe("syslog", "auth", &event, event.ts, &mut out);
    // What waits is looked at every five seconds.
    for (later, rows) in [(59, 0), (65, 1), (3600, 1)] {
        watch.elapse(Timestamp((ts + later) * SECOND), &mut out);
        assert_eq!(out.len(), rows, "{later}");
    }
    assert_eq!(out[0].0, event.ts);
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
fn what_waits_for_its_end_is_told_without_another_line() {
    let mut watch = Watch::default();
    let mut out = Vec::new();
    // A file in another zone: its times are five hours behind the time of day.
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
    let out: Vec<Told> = watch(&events).iter().map(told).collect();
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

#[test]
fn rules_are_named_once() {
    for (place, rule) in RULES.iter().enumerate() {
        assert!(rule.severity >= schema::Severity::Info);
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
