//! Which value of PostgreSQL and applications is how bad: as stored, as read, by the thresholds of the catalogue.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{START, TICKS, find, serve, set, sql_time, tick, with_services};
use serde_json::{Value, json};

/// Table, column, metric and key, and values with what is thought of each; the first is a good one.
const EDGES: &str = "
db_metrics_raw          conn_waiting             db.conn_waiting@store                      0 ok, 1 warn, 4 warn, 5 critical
db_metrics_raw          slow_queries             db.slow_queries@store                      0 ok, 1 warn, 5 critical
db_metrics_raw          conn_total               db.conn_used_pct@store                     79 ok, 80 warn, 94 warn, 95 critical
db_metrics_raw          longest_query_secs       db.longest_query_secs@store                29.9 ok, 30 warn
db_metrics_raw          oldest_xact_secs         db.oldest_xact_secs@store                  599 ok, 600 warn, 3600 critical
db_metrics_raw          oldest_idle_in_xact_secs db.oldest_idle_in_xact_secs@store          299 ok, 300 warn, 1800 critical
db_metrics_raw          longest_lock_wait_secs   db.longest_lock_wait_secs@store            9.9 ok, 10 warn, 60 critical
db_metrics_raw          wraparound_pct           db.wraparound_pct@store                    24.9 ok, 25 warn, 75 critical
db_metrics_raw          archive_failing          db.archive_failing@store                   false ok, true critical
replication_metrics_raw replay_lag_ms            replication.replay_lag_ms@store.standby_1  999 ok, 1000 warn, 29999 warn, 30000 critical
replication_metrics_raw wal_status               replication.slot_lost@store.standby_1      'unreserved' ok, 'lost' critical
replication_metrics_raw active                   replication.slot_inactive@store.standby_1  true ok, false warn
replication_metrics_raw retained_bytes           replication.retained_bytes@store.standby_1 10737000000 ok, 10737418240 warn
api_metrics_raw         p95_ms                   api.p95_ms@shop                            499 ok, 500 warn, 1000 critical
api_metrics_raw         p99_ms                   api.p99_ms@shop                            1999 ok, 2000 warn, 5000 critical
api_metrics_raw         db_response_ms           api.db_response_ms@shop                    49 ok, 50 warn, 100 critical
api_metrics_raw         cache_hit_ratio          api.db_cache_hit_pct@shop                  99.1 ok, 99 warn, 95 critical
proxy_metrics_raw       latency_p95_ms           proxy.latency_p95_ms@edge                  999 ok, 1000 warn, 5000 critical
proxy_metrics_raw       requests_in_progress     proxy.requests_in_progress@edge            499 ok, 500 warn
target_metrics_raw      bad_values               target.bad_values@edge                     0 ok, 1 warn
target_metrics_raw      unfilled                 target.unfilled_pct@edge                   5 ok, 6 warn
target_metrics_raw      up                       target.up@edge                             true ok, false critical
";

#[tokio::test]
async fn thresholds_hold_at_every_edge() {
    let database = with_services().await;
    for case in EDGES.lines().skip(1) {
        let mut words = case.split_whitespace();
        let mut word = || words.next().unwrap();
        let (table, column, problem) = (word(), word(), word());
        let edges: Vec<&str> = words.collect();
        let key = problem.split('@').nth(1).unwrap();
        let of = if table.starts_with("db_") || table.starts_with("replication") {
            format!("instance = '{}'", key.split('.').next().unwrap())
        } else {
            format!("target = '{key}'")
        };
        let edges: Vec<(&str, &str)> = edges
            .chunks(2)
            .map(|edge| (edge[0], edge[1].trim_end_matches(',')))
            .collect();
        assert_eq!(edges[0].1, "ok", "{problem}");
        for (value, expected) in edges.iter().chain([&edges[0]]) {
            set(&database, table, &format!("{column} = {value}"), &of).await;
            let now = serve(&database).ask("now").await;
            let (id, key) = problem.split_once('@').unwrap();
            let fact = find(&now["facts"], "metric", id);
            let metric = schema::metric(id).unwrap();
            let severity = metric.severity(fact["value"].as_f64());
            let severity = match severity.is_problem() {
                true => severity.as_str(),
                false => "ok",
            };
            assert_eq!(severity, *expected, "{problem} {value}");
            assert!(severity == "ok" || fact["key"] == key, "{fact}");
        }
    }
}

#[tokio::test]
async fn shares_are_evaluated_over_the_recent_window() {
    let database = with_services().await;
    // 5 of 950 requests that were not refused fail each tick; then more.
    for (failed, expected) in [
        ("i * 55", "ok"),
        ("i * 59.5", "warn"),
        ("i * 97.5", "critical"),
    ] {
        let assignment = format!(
            "failed_requests = (SELECT {failed} FROM (SELECT extract(epoch FROM ts - {}) / 10 AS i) t)",
            sql_time(START)
        );
        set(&database, "api_metrics_raw", &assignment, "true").await;
        let now = serve(&database).ask("now").await;
        let share = find(&now["facts"], "metric", "api.error_pct")["value"].as_f64();
        let metric = schema::metric("api.error_pct").unwrap();
        assert_eq!(metric.severity(share).as_str(), expected, "{failed}");
    }
    let now = serve(&database).ask("now").await;
    let fact = find(&now["facts"], "metric", "api.error_pct");
    assert_eq!(
        (&fact["key"], &fact["value"]),
        (&"shop".into(), &json!(5.0))
    );
    // Requests blocked by the firewall are not failures, however many.
    let refused = "failed_requests = failed_requests + 400 * uptime_secs::int8, waf_blocked_requests = waf_blocked_requests + 400 * uptime_secs::int8, \
        total_requests = total_requests + 400 * uptime_secs::int8";
    set(&database, "api_metrics_raw", refused, "true").await;
    let now = serve(&database).ask("now").await;
    assert_eq!(
        find(&now["facts"], "metric", "api.error_pct")["value"],
        json!(5.0)
    );
    // A restart of the API gives neither successes nor failures, nor negative numbers.
    set(
        &database,
        "api_metrics_raw",
        "total_requests = 0, failed_requests = 0, waf_blocked_requests = 0",
        &format!("ts >= {}", sql_time(tick(TICKS - 1))),
    )
    .await;
    let series = serve(&database)
        .ask("series?m=api.requests_per_sec@shop,api.error_pct@shop&from=now-1m")
        .await;
    for one in series["series"].as_array().unwrap() {
        assert_eq!(one["last"], Value::Null, "{}", one["metric"]);
    }
}
