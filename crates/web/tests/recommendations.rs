//! The tables of what to do, and of what will be full.

mod common;

use common::{seeded, serve};
use serde_json::{Value, json};

const ROWS: &str = r#"
INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, action_sql, details,
                                opened_at, confirmed_at, seen_at, resolved_at, verified, verified_at)
SELECT 1, rule, target, kind, 'table', severity, severity, 'Dead-row share', message, ARRAY['First.', 'Then:'], sql, details::jsonb,
       now() - interval '3 days', now() - interval '3 days', now(), resolved, verified, resolved + interval '1 day'
FROM (VALUES
    ('table.dead_pct', 'm.d.public.a', 'alert', 'warn', 'a has 41 % dead rows', 'VACUUM (ANALYZE) "public"."a";',
     '{"advice": {"category": "vacuum", "target": "m.d.public.a", "title": "Vacuum a table with many dead rows"}}', NULL, NULL),
    ('check.unused_indexes', 'm.d.public.i', 'recommendation', 'info', 'i is not used', 'DROP INDEX CONCURRENTLY "public"."i";',
     NULL, NULL, NULL),
    ('db.up', 'm', 'alert', 'critical', 'No recommendation', NULL, NULL, NULL, NULL),
    ('table.dead_pct', 'm.d.public.b', 'alert', 'warn', 'b had 50 % dead rows', NULL,
     '{"advice": {"category": "vacuum", "target": "m.d.public.b", "title": "Vacuum a table with many dead rows"}}',
     now() - interval '2 days', 'Autovacuum ran; dead-row share fell from 50 % to 2 %')
) v (rule, target, kind, severity, message, sql, details, resolved, verified);
INSERT INTO collector.capacity_alerts VALUES
    (1, 'mount', 'used_pct', '/srv', 'warn', 78.2, 85, 100, 72, 0.999, 'Disk used of /srv', now() + interval '60 hours',
     now() + interval '90 hours', 78, 0.3, ARRAY[70, NULL, 78.123], now()),
    (1, 'collector', 'store_bytes', '', 'info', 1048576, 2097152, 3145728, 240, 1, 'The store', now(), NULL, 1048576, 4096, '{}', now());
"#;

#[tokio::test]
async fn what_to_do_has_its_statement_its_state_and_what_became_of_it() {
    let database = seeded().await;
    let server = serve(&database);
    let meta = server.ask("meta").await;
    let empty = server.ask("table/recommendations").await;
    assert_eq!(empty["total"], json!(0));
    database.sql(ROWS).await.unwrap();
    let ids = "(SELECT finding_id FROM collector.findings WHERE rule = 'check.unused_indexes')";
    let mark =
        format!("SELECT collector.mark_finding({ids}, 'dismissed', now() + interval '30 days')");
    database.sql(&mark).await.unwrap();
    let server = serve(&database);
    let answer = server.ask("table/recommendations").await;
    let rows = common::rows(&meta, "recommendations", &answer);
    let of = |column: &str| {
        rows.iter()
            .map(|row| row[column].clone())
            .collect::<Vec<Value>>()
    };
    assert_eq!(
        of("state"),
        [json!("open"), json!("dismissed"), json!("resolved")]
    );
    assert_eq!(
        of("title"),
        [
            // Marked with its severity, as it is open.
            json!("\"Vacuum a table with many dead rows\" warn"),
            json!("Dead-row share"),
            json!("Vacuum a table with many dead rows")
        ]
    );
    assert_eq!(
        rows[0]["action"],
        json!("VACUUM (ANALYZE) \"public\".\"a\";")
    );
    assert_eq!(rows[0]["steps"], json!("First.\nThen:"));
    let ack = rows[0]["ack"].as_str().unwrap();
    assert!(ack.starts_with("pqcrypta alerts ack "), "{ack}");
    assert_eq!(rows[1]["ack"], Value::Null);
    assert!(
        rows[1]["marked"].as_str().unwrap().contains("until 20"),
        "{}",
        rows[1]["marked"]
    );
    assert_eq!(
        rows[2]["verified"],
        json!("Autovacuum ran; dead-row share fell from 50 % to 2 %")
    );
    // What is dismissed is in no other list.
    let findings = server
        .ask("table/findings?f.rule=check.unused_indexes")
        .await;
    assert_eq!(findings["total"], json!(0));
    let history = server.ask("table/finding_history?id=4").await;
    let history = common::rows(&meta, "finding_history", &history);
    assert_eq!(history[0]["transition"], json!("verified"));
}

#[tokio::test]
async fn what_will_be_full_has_its_limit_and_its_cone() {
    let database = seeded().await;
    let server = serve(&database);
    let meta = server.ask("meta").await;
    let empty = server.ask("table/capacity").await;
    assert_eq!(empty["total"], json!(0));
    database.sql(ROWS).await.unwrap();
    let server = serve(&database);
    let answer = server.ask("table/capacity").await;
    let rows = common::rows(&meta, "capacity", &answer);
    for (column, expected) in [
        ("label", json!("\"Disk used\" warn")),
        ("metric_key", json!("/srv")),
        ("now", json!("78.2 %")),
        ("limit", json!("100 %")),
        ("in", json!("3 d")),
        ("growth", json!("+7.2 % per day")),
        ("in_24h", json!("85 %")),
        ("cone", json!("70,,78.123 78,100,72,60,90")),
    ] {
        assert_eq!(rows[0][column], expected, "{column}");
    }
    // The store has no metric, and no history.
    assert_eq!(rows[1]["label"], json!("\"Store\" info"));
    assert_eq!(
        (&rows[1]["now"], &rows[1]["latest_ms"]),
        (&json!("1 MiB"), &Value::Null)
    );
    assert!(
        rows[1]["cone"]
            .as_str()
            .unwrap()
            .starts_with(" 1048576,3145728,240,")
    );
}
