//! What became of recommendations, over a real database: looked at once, a day after the end.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use insight::recommendations::verification;
use schema::Timestamp;
use schema::micros::SECOND;

/// A table that was vacuumed, an index that is not reported any more, an alert that recommends nothing, and a disk that was tidied up too
/// lately to tell. All began two days ago.
const SAMPLES: &str = r#"
INSERT INTO collector.hosts (machine_id, hostname, kernel, os, cores, memory_bytes, boot_ts, first_seen, last_seen)
VALUES ('m', 'h', '', '', 4, 1, now(), now(), now());
SELECT collector.ensure_partition(t, (now() AT TIME ZONE 'UTC')::date - n)
FROM generate_series(-1, 4) n, unnest(ARRAY['table_metrics_raw', 'finding_transitions_raw']) t;
INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, details, opened_at,
                                confirmed_at, seen_at, resolved_at)
SELECT 1, rule, target, kind, 'table', 'warn', 'warn', '', '', '{}', details::jsonb, now() - interval '60 hours',
       now() - interval '60 hours', now() - interval '30 hours', now() - ended::interval
FROM (VALUES ('table.dead_pct', 'm.d.public.a', 'alert', '{"advice": {}}', '30 hours'),
             ('check.unused_indexes', 'm.d.public.i', 'recommendation', NULL, '30 hours'),
             ('db.up', 'm', 'alert', NULL, '30 hours'),
             ('mount.used_pct', '/srv', 'alert', '{"advice": {}}', '20 hours')) v (rule, target, kind, details, ended);
INSERT INTO collector.finding_transitions_raw (ts, host_id, rule, target, transition, kind, domain, metric, metric_key, severity, worst,
                                               title, message, steps, value, opened_at, seen_at, occurrences)
SELECT now() - ago::interval, 1, 'table.dead_pct', 'm.d.public.a', change, 'alert', 'table', 'table.dead_pct', 'm.d.public.a', 'warn', 'warn', '', '',
       '[]', value, now() - interval '60 hours', now(), 1
FROM (VALUES ('60 hours', 'opened', 41.0), ('40 hours', 'refreshed', 55.0)) v (ago, change, value);
INSERT INTO collector.table_metrics_raw (ts, host_id, instance, database, schema_name, table_name, epoch, n_live_tup, n_dead_tup, last_autovacuum)
SELECT now() - n * interval '5 minutes', 1, 'm', 'd', 'public', 'a', '', 9800, 200, now() - interval '31 hours'
FROM generate_series(0, 120) n;
"#;

#[tokio::test]
async fn what_was_recommended_is_looked_at_once_a_day_after_its_end() {
    let database = testkit::migrated().await.unwrap();
    let options = pg::SessionOptions::default();
    let session = pg::connect(&database.target(), &options, "test").await;
    let session = session.unwrap();
    let client = &session.client;
    client.batch_execute(SAMPLES).await.unwrap();
    let now: f64 = client
        .query_one("SELECT extract(epoch FROM now())::float8 * 1000000", &[])
        .await
        .unwrap()
        .get(0);
    let now = Timestamp(now as i64);
    let looked_at = verification::run(client, 1, now, 300 * SECOND).await;
    assert_eq!(looked_at.unwrap(), 2);
    let rows = client
        .query("SELECT rule, verified FROM collector.findings WHERE verified IS NOT NULL ORDER BY rule", &[])
        .await
        .unwrap();
    let verified: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let expected = [
        ("check.unused_indexes", "It has not come back within a day"),
        (
            "table.dead_pct",
            "Autovacuum ran; dead-row share fell from 41 % to 2 %",
        ),
    ];
    let expected = expected.map(|(rule, text)| (rule.to_owned(), text.to_owned()));
    assert_eq!(verified, expected);
    let again = verification::run(client, 1, now, 300 * SECOND).await;
    assert_eq!(again.unwrap(), 0);
    session.close(std::time::Duration::from_secs(1)).await;
}
