//! From raw lines to findings: read, named, stored and evaluated as the collector does it.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use logs::intake::{Intake, Limits, Place, Wanted};
use logs::parse::{ParserKind, ParserOptions};
use schema::{Sample, Timestamp};
use std::sync::Arc;
use store::logs::{Batch, Line, Lines, LogLink};

const SECOND: i64 = 1_000_000;
/// 2026-11-29 07:00 UTC.
const NOW: i64 = 1_795_935_600 * SECOND;
const MACHINE: &str = "machine-1";

/// What an intake makes of a file, as batches for the store.
fn read(parser: &str, lines: &str) -> Vec<Batch> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    std::fs::write(&path, lines).unwrap();
    let wanted = Wanted {
        name: Arc::from("app"),
        place: Place::File(path),
        parser: ParserKind::parse(parser).unwrap(),
        options: ParserOptions::default(),
    };
    let limits = Limits {
        events: 10_000,
        lines: 10_000,
        bytes: 1 << 20,
        fingerprints: 1000,
    };
    let mut intake = Intake::new(&[wanted], &[], std::iter::empty(), limits, &[]);
    // The rounds after the first end what may still have grown, and report what waits for its end.
    let rounds = [0, SECOND, 60 * SECOND].map(|later| {
        let mut stored = Lines::default();
        let batch = intake.poll(Timestamp(NOW + later), |named| {
            let line = Line {
                source: "app",
                level: named.event.level,
                component: &named.event.component,
                message: &named.event.message,
                context: named.event.context.as_deref(),
                fingerprint: named.fingerprint.as_str(),
                ..Line::default()
            };
            stored.push(named.event.ts, &line);
        });
        let rows: Vec<_> = batch
            .security
            .into_iter()
            .map(|(ts, row)| row.into_row(ts))
            .collect();
        Batch {
            counts: batch.counts.hours,
            patterns: batch.counts.patterns,
            ..stored.batch(&rows)
        }
    });
    rounds.into()
}

/// Rule, value, and from when to when, of every open finding.
async fn found(parser: &str, lines: &str) -> Vec<String> {
    let database = testkit::migrated().await.unwrap();
    let options = pg::SessionOptions::default();
    let session = database.connect().await.unwrap();
    let client = &session.client;
    let partitions = testkit::partitions("2026-11-28", "2026-11-29");
    let host =
        format!("INSERT INTO collector.hosts (machine_id, hostname) VALUES ('{MACHINE}', 'one')");
    client
        .batch_execute(&format!("{partitions}{host}"))
        .await
        .unwrap();
    let mut link = LogLink::open(&database.target(), &options, MACHINE, Timestamp(NOW))
        .await
        .unwrap();
    for batch in read(parser, lines) {
        link.store(&batch, false).await.unwrap();
    }
    common::Logs::new()
        .evaluate(client, 1, Timestamp(NOW + 61 * SECOND))
        .await
        .unwrap();
    let open = "SELECT rule, value, to_char(opened_at AT TIME ZONE 'UTC', 'HH24:MI:SS'), \
                to_char(seen_at AT TIME ZONE 'UTC', 'HH24:MI:SS') FROM collector.findings ORDER BY 1, 2";
    testkit::texts(client, open).await.unwrap()
}

/// `lines` of syslog, one a second from 06:57:00 on.
fn syslog(lines: &[&str]) -> String {
    let line = |(n, line): (usize, &&str)| format!("Nov 29 06:57:{n:02} host1 {line}\n");
    lines.iter().enumerate().map(line).collect()
}

#[tokio::test]
async fn a_failing_disk_is_one_advice_whatever_its_patterns_mask() {
    let lines = syslog(&[
        "kernel: [1000.678901] EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0",
        "kernel: [1001.678901] EXT4-fs error (device sdb1): ext4_lookup:1700: inode #2: comm ls: deleted inode referenced: 7",
        "kernel: Buffer I/O error on dev sdb1, logical block 0, async page read",
        "kernel: Buffer I/O error on dev sdb1, logical block 1, async page read",
        "shop[77]: write /var/lib/shop/data: No space left on device",
        "shop[77]: an order came in",
    ]);
    assert_eq!(
        found("syslog", &lines).await,
        ["advice.disk_io 5 06:57:00 06:57:04"]
    );
}

#[tokio::test]
async fn each_advice_comes_of_its_lines() {
    let lines = syslog(&[
        "systemd[1]: pqcrypta-collector.service: Scheduled restart job, restart counter is at 4.",
        "systemd[1]: pqcrypta-collector.service: Scheduled restart job, restart counter is at 5.",
        "systemd[1]: pqcrypta-collector.service: Main process exited, code=exited, status=1/FAILURE",
        "systemd[1]: shop.service: Main process exited, code=exited, status=217/USER",
        "app[7]: error: dial tcp 192.0.2.7:6379: connect: connection refused",
        "app[7]: error: dial tcp 192.0.2.8:6379: i/o timeout",
        "app[7]: error: lookup cache: no such host",
        "app[7]: error: open /srv/x: permission denied",
        "postgres[7]: error: relation \"orders\" does not exist",
        "postgres[7]: error: deadlock detected",
        "postgres[7]: fatal: sorry, too many clients already",
    ]);
    assert_eq!(
        found("syslog", &lines).await,
        [
            "advice.collector_crash_loop 3 06:57:00 06:57:02",
            "advice.deadlock 1 06:57:09 06:57:09",
            "advice.nouser_shadow 1 06:57:03 06:57:03",
            "advice.permission_denied 1 06:57:07 06:57:07",
            "advice.postgres_connection 1 06:57:10 06:57:10",
            "advice.relation_missing 1 06:57:08 06:57:08",
            "advice.unreachable 3 06:57:04 06:57:06",
        ]
    );
}

#[tokio::test]
async fn a_finding_counts_every_line_and_has_their_times() {
    let failures: String = (0..120)
        .map(|n| {
            format!(
                "Nov 29 06:{:02}:{:02} host1 sshd[{n}]: Failed password for root from 192.0.2.7 port 4 ssh2\n",
                58 + n / 60,
                n % 60
            )
        })
        .collect();
    assert_eq!(
        found("syslog", &failures).await,
        ["ssh_brute_force 120 06:58:00 06:59:59"]
    );
}

#[tokio::test]
async fn sudo_in_json_and_quoted_prefixes_are_heard() {
    let packet = |prefix: &str, from: u8| {
        format!(
            "kernel: {prefix}IN=eth0 OUT= MAC= SRC=203.0.113.{from} DST=192.0.2.1 PROTO=TCP SPT=5 DPT=23"
        )
    };
    let mut lines = vec![
        r#"sudo[7]: @cee:{"sudo":{"reject":{"reason":"command not allowed","server_time":{"seconds":1795935540,"nanoseconds":1},"submithost":"host1","submituser":"mallory","runuser":"root","command":"/bin/bash"}}}"#.to_owned(),
        r#"sudo[8]: @cee:{"sudo":{"alert":{"reason":"3 incorrect password attempts","server_time":{"seconds":1795935541,"nanoseconds":1},"submituser":"mallory","runuser":"root","command":"/bin/bash"}}}"#.to_owned(),
    ];
    lines.extend((0..20).map(|_| packet("\"filter_IN_public_REJECT: \"", 60)));
    lines.extend((0..20).map(|_| packet("NEW-SSH ", 61)));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(
        found("syslog", &syslog(&lines)).await,
        [
            "firewall_block 20 06:57:02 06:57:21",
            "sudo_failure 4 06:57:00 06:57:01",
        ]
    );
}
