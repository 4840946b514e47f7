//! Evaluation of logs in a real database: what is found is opened once, refreshed, and resolved in the end.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{Logs, Run};
use schema::Timestamp;
use testkit::migrated;
use tokio_postgres::Client;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
/// 2026-11-19, a Thursday, 10:20 UTC.
const NOW: i64 = 1_795_083_600 * SECOND;

/// Two sources that have been known for three weeks; of the last hour there is a spike, a new pattern in
/// two spellings, a rare one, a deadlock, and a guesser of passwords.
const SEED: &str = "
    INSERT INTO collector.hosts (machine_id, hostname) VALUES ('machine-1', 'one'), ('machine-2', 'two');
    INSERT INTO collector.log_metrics_hourly (host_id, bucket, source, level, count)
        SELECT 1, b, s, l, n FROM generate_series(timestamptz '2026-10-29 00:00+00', '2026-11-19 10:00+00', '1 hour') b,
        (VALUES ('api', 'error', 2), ('api', 'info', 900), ('postgres', 'info', 30)) v(s, l, n);
    INSERT INTO collector.log_entries (ts, host_id, source, at, level, component, message, fingerprint)
        SELECT timestamptz '2026-11-19 10:19+00' - n * interval '2 seconds', 1, 'api', n, 'error', '', 'no answer of 7', 'f-spike'
        FROM generate_series(1, 80) n;
    INSERT INTO collector.log_patterns (host_id, fingerprint, source, level, template, alias_of, sample, occurrences, first_seen, last_seen) VALUES
        (1, 'f-spike', 'api', 'error', 'no answer of <*>', NULL, 'no answer of 7', 2000, '2026-10-29 00:10+00', '2026-11-19 10:19+00'),
        (1, 'f-new', 'api', 'error', 'token of <*> expired', NULL, 'token of a expired', 3, '2026-11-19 09:30+00', '2026-11-19 09:40+00'),
        (1, 'f-new-2', 'api', 'error', 'token of b expired', 'f-new', 'token of b expired', 4, '2026-11-19 09:50+00', '2026-11-19 10:10+00'),
        (1, 'f-rare', 'postgres', 'error', 'index <*> is corrupt', NULL, 'index x is corrupt', 2, '2026-11-01 00:00+00', '2026-11-19 10:05+00'),
        (1, 'f-lock', 'postgres', 'error', 'deadlock detected', NULL, 'deadlock detected', 40, '2026-11-01 00:00+00', '2026-11-19 10:06+00'),
        (1, 'f-old', 'api', 'error', 'was there', NULL, 'was there', 40, '2026-11-01 00:00+00', '2026-11-18 10:06+00'),
        (2, 'f-other', 'api', 'error', 'deadlock detected', NULL, 'deadlock detected', 40, '2026-11-01 00:00+00', '2026-11-19 10:06+00');
    UPDATE collector.log_patterns SET topic = 'deadlock' WHERE template = 'deadlock detected';
    INSERT INTO collector.log_fingerprint_hourly (host_id, bucket, fingerprint, source, level, count) VALUES
        (1, '2026-11-19 10:00+00', 'f-spike', 'api', 'error', 80), (1, '2026-11-19 09:00+00', 'f-new', 'api', 'error', 3),
        (1, '2026-11-19 09:00+00', 'f-new-2', 'api', 'error', 1), (1, '2026-11-19 10:00+00', 'f-new-2', 'api', 'error', 3),
        (1, '2026-11-19 10:00+00', 'f-rare', 'postgres', 'error', 1), (1, '2026-11-19 10:00+00', 'f-lock', 'postgres', 'error', 1),
        (1, '2026-11-18 10:00+00', 'f-old', 'api', 'error', 40), (2, '2026-11-19 10:00+00', 'f-other', 'api', 'error', 40);
    INSERT INTO collector.security_events (ts, host_id, event_type, severity, source, source_ip, username, count, first_ts, details) VALUES
        ('2026-11-19 10:00+00', 1, 'ssh_brute_force', 'warn', 'auth', '192.0.2.7', NULL, 6, '2026-11-19 09:58+00', '{\"advice\": \"block it\"}'),
        ('2026-11-19 10:10+00', 1, 'ssh_brute_force', 'warn', 'auth', '192.0.2.7', NULL, 30, '2026-11-19 09:58+00', '{\"advice\": \"block it\"}'),
        ('2026-11-19 10:11+00', 1, 'fail2ban_unban', 'info', 'fail2ban', '192.0.2.8', NULL, 1, '2026-11-19 10:11+00', NULL);
";

async fn rows(client: &Client, sql: &str) -> Vec<String> {
    testkit::texts(client, sql).await.unwrap()
}

async fn seed(client: &Client) {
    let made = testkit::partitions("2026-11-19", "2026-11-19");
    client.batch_execute(&made).await.unwrap();
    client.batch_execute(SEED).await.unwrap();
}

#[tokio::test]
async fn findings_are_opened_refreshed_and_resolved() {
    let database = migrated().await.unwrap();
    let session = database.connect().await.unwrap();
    let client = &session.client;
    seed(client).await;
    let mut judge = Logs::new();

    let run = judge.evaluate(client, 1, Timestamp(NOW)).await.unwrap();
    assert_eq!(
        run,
        Run {
            found: 6,
            resolved: 0
        }
    );
    let all = "SELECT rule, target, kind, domain, severity, value, occurrences, coalesce(array_length(steps, 1), 0) > 0, \
               resolved_at IS NOT NULL FROM collector.findings WHERE host_id = 1 ORDER BY 1, 2";
    assert_eq!(
        rows(client, all).await,
        [
            "advice.deadlock postgres recommendation logs info 1 1 t f",
            "advice.recurring api recommendation logs warn 80 1 t f",
            "log_error_spike api error insight logs critical 80 1 t f",
            "log_new_pattern f-new insight logs info 7 1 t f",
            "log_rare_pattern f-rare insight logs info 2 1 t f",
            "ssh_brute_force 192.0.2.7 alert security warn 36 1 t f",
        ]
    );

    // Five minutes later the spike has ended, the rest is as before; the same pass again changes nothing. Each
    // lasts from its first line to its last, and counts passes that saw further lines.
    for _ in 0..2 {
        let at = Timestamp(NOW + 5 * MINUTE);
        let run = judge.evaluate(client, 1, at).await.unwrap();
        assert_eq!(
            run,
            Run {
                found: 5,
                resolved: 0
            }
        );
    }
    let open = "SELECT rule, occurrences, seen_at - opened_at FROM collector.findings WHERE resolved_at IS NULL ORDER BY 1";
    assert_eq!(
        rows(client, open).await,
        [
            "advice.deadlock 1 00:06:00",
            "advice.recurring 1 00:02:40",
            "log_error_spike 1 00:02:38",
            "log_new_pattern 1 00:40:00",
            "log_rare_pattern 1 00:05:00",
            "ssh_brute_force 1 00:12:00",
        ]
    );

    // The spike is over after a quarter of an hour, the rest two hours later; each ended when it was seen last.
    let at = Timestamp(NOW + 15 * MINUTE);
    assert_eq!(judge.evaluate(client, 1, at).await.unwrap().resolved, 1);
    let at = Timestamp(NOW + 3 * HOUR);
    let run = judge.evaluate(client, 1, at).await.unwrap();
    assert_eq!(
        run,
        Run {
            found: 0,
            resolved: 5
        }
    );
    let over = "SELECT count(*), bool_and(resolved_at = seen_at) FROM collector.findings WHERE resolved_at IS NOT NULL";
    assert_eq!(rows(client, over).await, ["6 t"]);

    // What comes back is a finding of its own.
    client
        .batch_execute(
            "UPDATE collector.log_patterns SET last_seen = '2026-11-19 14:00+00' WHERE fingerprint = 'f-lock';
             INSERT INTO collector.log_fingerprint_hourly (host_id, bucket, fingerprint, source, level, count)
             VALUES (1, '2026-11-19 14:00+00', 'f-lock', 'postgres', 'error', 12)",
        )
        .await
        .unwrap();
    let at = Timestamp(NOW + 4 * HOUR);
    assert_eq!(judge.evaluate(client, 1, at).await.unwrap().found, 1);
    let locks = "SELECT f.severity, f.resolved_at IS NULL FROM collector.recommendations r \
                 JOIN collector.findings f ON f.finding_id = r.id WHERE f.rule = 'advice.deadlock' ORDER BY id";
    assert_eq!(rows(client, locks).await, ["info f", "warn t"]);

    store::findings::forget(client, 1, Timestamp(NOW + 3 * HOUR))
        .await
        .unwrap();
    assert_eq!(
        rows(client, "SELECT count(*) FROM collector.findings").await,
        ["1"]
    );
}

#[tokio::test]
async fn a_run_that_fails_changes_nothing() {
    let database = migrated().await.unwrap();
    let session = database.connect().await.unwrap();
    let client = &session.client;
    seed(client).await;
    let mut judge = Logs::new();
    judge.evaluate(client, 1, Timestamp(NOW)).await.unwrap();
    client
        .batch_execute("ALTER TABLE collector.security_events RENAME TO elsewhere")
        .await
        .unwrap();
    let at = Timestamp(NOW + 30 * HOUR);
    let error = judge.evaluate(client, 1, at).await.unwrap_err();
    assert_eq!(error.what, "security_events");
    let open = "SELECT count(*) FROM collector.findings WHERE resolved_at IS NULL";
    assert_eq!(rows(client, open).await, ["6"]);
}

#[tokio::test]
async fn a_host_without_logs_has_no_findings() {
    let database = migrated().await.unwrap();
    let session = database.connect().await.unwrap();
    let client = &session.client;
    seed(client).await;
    client
        .batch_execute("DELETE FROM collector.log_patterns WHERE host_id = 2")
        .await
        .unwrap();
    let run = Logs::new()
        .evaluate(client, 2, Timestamp(NOW))
        .await
        .unwrap();
    assert_eq!(run, Run::default());
}

#[tokio::test]
async fn the_fullest_five_minutes_of_hours_are_known_from_the_counters() {
    let database = migrated().await.unwrap();
    let session = database.connect().await.unwrap();
    let client = &session.client;
    seed(client).await;
    // Sixty errors of the api each hour: one a minute, or all within the third five minutes of the hour.
    client
        .batch_execute(
            "DELETE FROM collector.log_metrics_hourly WHERE level = 'error';
             INSERT INTO collector.log_metrics_hourly (host_id, bucket, source, level, count)
                 SELECT 1, b, 'api', 'error', 60 FROM generate_series(timestamptz '2026-10-29 00:00+00', '2026-11-19 10:00+00', '1 hour') b",
        )
        .await
        .unwrap();
    let spikes = "SELECT count(*) FROM collector.findings WHERE rule = 'log_error_spike'";
    for (counter, expected) in [
        ("60 * ((seconds + 2700) / 3600)", "0"),
        ("seconds / 60", "1"),
    ] {
        let counters = format!(
            "TRUNCATE collector.log_sources_raw;
             INSERT INTO collector.log_sources_raw (ts, host_id, source, kind, place, parser, status, debug_lines, info_lines,
                                                    warn_lines, error_lines, bytes, overflowed)
                 SELECT t, 1, 'api', 'file', '/x', 'simple_timestamp', 'ok', 0, 0, 0, {counter}, 0, 0
                 FROM generate_series(timestamptz '2026-11-18 00:00+00', '2026-11-19 10:19+00', '10 seconds') t,
                      LATERAL (SELECT extract(epoch FROM t - timestamptz '2026-11-18 00:00+00')::int8 AS seconds) s"
        );
        client.batch_execute(&counters).await.unwrap();
        Logs::new()
            .evaluate(client, 1, Timestamp(NOW))
            .await
            .unwrap();
        assert_eq!(rows(client, spikes).await, [expected], "{counter}");
    }
}

#[tokio::test]
async fn lines_that_were_lost_are_a_finding_for_an_hour() {
    let database = migrated().await.unwrap();
    let session = database.connect().await.unwrap();
    let client = &session.client;
    seed(client).await;
    let lose = format!(
        "INSERT INTO collector.data_gaps (ts, host_id, class, from_ts, to_ts, count, rows, reason)
             SELECT to_timestamp({}), 2, class, now(), now(), 1, NULL, reason
             FROM (VALUES ('logs', 'nginx: vanished, 812 bytes'), ('logs', 'app: copy_truncated'), ('bulk', 'overflow')) l (class, reason)",
        (NOW - 60_000_000) / 1_000_000
    );
    client.batch_execute(&lose).await.unwrap();
    let found = "SELECT concat_ws(' ', target, severity, resolved_at IS NOT NULL) FROM collector.findings \
                 WHERE host_id = 2 AND rule = 'log_lines_lost' ORDER BY target";
    let mut judge = Logs::new();
    judge.evaluate(client, 2, Timestamp(NOW)).await.unwrap();
    assert_eq!(rows(client, found).await, ["app info f", "nginx warn f"]);
    let later = Timestamp(NOW + HOUR);
    judge.evaluate(client, 2, later).await.unwrap();
    assert_eq!(rows(client, found).await, ["app info t", "nginx warn t"]);
}
