//! From a line in a log to a finding, by the whole program.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Home, database, number, text};
use std::fs;
use std::io::Write as _;

/// A guesser of passwords and a full disk, as sshd and a program write them just now.
fn write_logs(home: &Home, now: &str) {
    let logs = home.dir.path().join("logs");
    let failures: String = (0..9)
        .map(|n| {
            format!(
                "{now} host sshd[{}]: Failed password for root from 192.0.2.7 port {} ssh2\n",
                700 + n,
                40_000 + n
            )
        })
        .collect();
    fs::write(logs.join("auth.log"), failures).unwrap();
    let full = format!("{now} host worker[7]: error: write failed: No space left on device\n");
    fs::write(logs.join("syslog"), full).unwrap();
}

/// Another line about the disk, which is news.
fn append(home: &Home, now: &str) {
    let path = home.dir.path().join("logs").join("syslog");
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    let line = format!("{now} host worker[7]: error: write failed: No space left on device\n");
    file.write_all(line.as_bytes()).unwrap();
}

#[tokio::test]
async fn what_logs_report_is_found_at_once_and_a_run_that_fails_is_recorded() {
    let database = database().await;
    let target = database.target();
    // The regular runs are an hour apart: what is found is found because it was stored.
    let home = Home::new(&target).with("INTEL_INTERVAL_SECS", "3600");
    let now = text(
        &target,
        "select to_char(now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"')",
    )
    .await;
    write_logs(&home, &now);
    let mut config = fs::read_to_string(home.config()).unwrap();
    for (name, file) in [("auth", "auth.log"), ("syslog", "syslog")] {
        let path = home.dir.path().join("logs").join(file);
        config.push_str(&format!(
            "[[logs.source]]\nname = \"{name}\"\npath = \"{}\"\nparser = \"syslog\"\n",
            path.display()
        ));
    }
    fs::write(home.config(), config).unwrap();
    let mut agent = home.start();
    let open = "select coalesce(string_agg(rule || ' ' || target || ' ' || severity, ', ' order by rule), '') \
                from collector.findings where resolved_at is null and domain in ('logs', 'security')";
    agent
        .until("both are found", async || {
            text(&target, open).await
                == "advice.disk_io syslog warn, ssh_brute_force 192.0.2.7 warn"
        })
        .await;
    let kept = "select count(*) from pg_stat_activity where application_name = 'pqcrypta-collector analysis'";
    agent
        .until("the session without work is closed", async || {
            number(&target, kept).await == 0
        })
        .await;

    let rename = "alter table collector.security_events rename to elsewhere";
    text(&target, &format!("{rename}; select 1")).await;
    let runs = |outcome: &str| {
        format!(
            "select count(*) from collector.collector_runs_raw where collector = 'findings' and outcome = '{outcome}'"
        )
    };
    agent
        .until("the failed run is recorded", async || {
            append(&home, &now);
            number(&target, &runs("failed")).await > 0
        })
        .await;
    let back = "alter table collector.elsewhere rename to security_events";
    text(&target, &format!("{back}; select 1")).await;
    let good = number(&target, &runs("ok")).await;
    agent
        .until("runs succeed again", async || {
            append(&home, &now);
            number(&target, &runs("ok")).await > good
        })
        .await;
    let stayed = "select count(*) filter (where resolved_at is null) - count(*) filter (where resolved_at is not null) \
                  from collector.findings where domain in ('logs', 'security')";
    assert_eq!(
        number(&target, stayed).await,
        2,
        "what was open stayed open"
    );
    let log = agent.log();
    // Removing what is expired may have met the missing table, too.
    let fails = "a periodic job fails job=\"findings\"";
    assert_eq!(log.matches(fails).count(), 1, "{log}");
    let (status, _) = agent.terminate();
    assert!(status.success());
}
