//! `pqcrypta status` over a real database.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use serde_json::{Value, json};

/// Runs the command on a database; its exit status and output.
fn run(target: &pg::Target, arguments: &[&str]) -> (i32, String) {
    let ran = common::run("status", target, arguments);
    (ran.code, ran.output)
}

/// A host that delivers, and ten days of samples of which the budget took some.
const STORE: &str = "INSERT INTO collector.hosts (machine_id, hostname, first_seen) VALUES ('m1', 'alpha', now() - interval '30 days');
    INSERT INTO collector.spool_watermark (host_id, writer, seq, progress, last_ts, updated_at)
    SELECT 1, '00000000-0000-0000-0000-000000000002', 1, '{}', at, at FROM (SELECT now() + interval '1 hour' AS at) t;
    INSERT INTO collector.agent_runs (host_id, run_id, writer, pid, version, started_at)
    VALUES (1, gen_random_uuid(), '00000000-0000-0000-0000-000000000002', 77, '0.1.0', now());
    INSERT INTO collector.retention (host_id, raw_days, hourly_days, long_days, log_days, event_days, max_bytes)
    VALUES (1, 14, 90, 365, 7, 30, 125829120);
    INSERT INTO collector.store_sizes (relation, table_name, day, data_bytes, index_bytes, toast_bytes, row_count, state, measured_at)
    SELECT 's' || n, 'process_samples', (now() AT TIME ZONE 'UTC')::date - n, 9437184, 1048576, 0, 2592000, 0, now()
    FROM generate_series(0, 9) n;
    INSERT INTO collector.store_sizes (relation, table_name, data_bytes, index_bytes, toast_bytes, state, measured_at)
    VALUES ('findings', 'findings', 12000, 0, 0, 0, now());
    INSERT INTO collector.retention_cuts
    SELECT 'raw', now(), d - 10, d - 9, 10485760, 136314880, 125829120 FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS d) t";

/// And a day of another table that is sealed.
const SEALED: &str = "INSERT INTO collector.store_sizes (relation, table_name, day, data_bytes, index_bytes, toast_bytes, row_count, state, measured_at)
    SELECT 'e', 'endpoint_metrics_raw_sealed', (now() AT TIME ZONE 'UTC')::date - 3, 4096, 0, 0, 700, 0, now();
    INSERT INTO collector.sealed_days (table_name, day, sample_count, bytes_before, bytes_after)
    SELECT 'endpoint_metrics_raw', (now() AT TIME ZONE 'UTC')::date - 3, 9000, 1048576, 4096";

#[tokio::test]
async fn the_size_of_each_table_follows_the_hosts() {
    let database = testkit::migrated().await.unwrap();
    let target = database.target();
    let (code, text) = run(&target, &[]);
    assert_eq!(code, 1);
    assert!(
        text.contains("no host has stored anything yet\n\nstore: not measured yet"),
        "{text}"
    );
    database.sql(STORE).await.unwrap();
    let (code, text) = run(&target, &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.starts_with("ok    alpha: "), "{text}");
    assert!(
        text.contains("\nstore: 100 MiB of 120 MiB, 10 MiB a day, will need 150 MiB (measured "),
        "{text}"
    );
    assert!(text.contains("raw days "), "{text}");
    let table: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("process_samples"))
        .collect();
    assert_eq!(table.len(), 1);
    let cells: Vec<&str> = table[0].split_whitespace().collect();
    assert_eq!(cells[1..6], ["90M", "10M", "0", "10M", "2.6M"]);
    assert_eq!(cells[7], "150M");
    database.sql(SEALED).await.unwrap();
    let (_, text) = run(&target, &[]);
    // Nine days of processes are over and lie in rows.
    let sealed = text
        .lines()
        .find(|line| line.starts_with("store: sealed until "));
    let sealed = sealed.unwrap_or_default();
    assert!(
        sealed.ends_with(", 4 KiB instead of 1 MiB; 9 days to seal"),
        "{text}"
    );
    let (_, store) = text.split_once("\n\n").unwrap();
    assert!(
        store.lines().all(|line| line.chars().count() <= 80),
        "{store}"
    );
}

#[tokio::test]
async fn json_has_every_table_and_the_hosts() {
    let database = testkit::migrated().await.unwrap();
    database.sql(STORE).await.unwrap();
    let (code, text) = run(&database.target(), &["--json"]);
    assert_eq!(code, 0, "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&answer["hosts"][0]["host"], &answer["hosts"][0]["status"]),
        (&json!("alpha"), &json!("ok"))
    );
    let store = &answer["store"];
    assert_eq!(
        (&store["budget_bytes"], &store["bytes_per_day"]),
        (&json!(125_829_120), &json!(10_485_760.0))
    );
    assert_eq!(store["budget_reached"], json!({"days": 2, "raw_days": 10}));
    assert_eq!(store["dropped"][0]["grain"], "raw");
    let tables = store["tables"].as_array().unwrap();
    assert_eq!(
        (&tables[0]["table"], &tables[1]["table"]),
        (&json!("process_samples"), &json!("findings"))
    );
    assert_eq!(tables[1]["bytes_per_day"], Value::Null);
    assert_eq!(store["sealed"], Value::Null);
    database.sql(SEALED).await.unwrap();
    let (_, text) = run(&database.target(), &["--json"]);
    let answer: Value = serde_json::from_str(&text).unwrap();
    let sealed = &answer["store"]["sealed"];
    assert_eq!(
        (
            &sealed["bytes"],
            &sealed["bytes_before"],
            &sealed["waiting_days"]
        ),
        (&json!(4_096), &json!(1_048_576), &json!(9))
    );
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_a_status() {
    let database = testkit::migrated().await.unwrap();
    let target = database.target().with_database("missing");
    let (code, text) = run(&target, &["--json"]);
    assert_eq!(code, 2);
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert!(answer["error"].is_string());
}
