//! The API's JSON.

use serde_json::{Value, json};

use crate::load::{Load, count, level};

/// An endpoint and how it fails.
struct Endpoint {
    path: &'static str,
    /// Of all failures.
    share: f64,
    /// Statuses and their parts of that.
    statuses: [(u16, f64); 3],
}

const ENDPOINTS: [Endpoint; 4] = [
    Endpoint {
        path: "/v1/keys",
        share: 0.4,
        statuses: [(400, 0.7), (404, 0.2), (429, 0.1)],
    },
    Endpoint {
        path: "/v1/sign",
        share: 0.3,
        statuses: [(400, 0.3), (500, 0.5), (503, 0.2)],
    },
    Endpoint {
        path: "/v1/verify",
        share: 0.2,
        statuses: [(422, 0.8), (413, 0.1), (500, 0.1)],
    },
    Endpoint {
        path: "/v1/sessions",
        share: 0.1,
        statuses: [(401, 0.6), (403, 0.3), (504, 0.1)],
    },
];

/// Share of the answers that take at most so many milliseconds.
const BUCKETS: [(&str, f64); 8] = [
    ("1", 0.08),
    ("2.5", 0.31),
    ("5", 0.56),
    ("10", 0.78),
    ("25", 0.93),
    ("100", 0.985),
    ("500", 0.998),
    ("+Inf", 1.0),
];

/// Seconds between two of the failures that are reported one by one, and how many of them.
const FAILURE_EVERY_SECS: u64 = 15;
const FAILURES_REPORTED: u64 = 20;

pub(crate) fn body(now: f64, uptime: f64) -> Value {
    let load = Load::at(uptime);
    let slow = if load.trouble { 6.0 } else { 1.0 };
    let endpoints: Vec<Value> = ENDPOINTS
        .iter()
        .map(|endpoint| {
            let failures = load.failures * endpoint.share;
            let counts = endpoint
                .statuses
                .map(|(status, part)| (status.to_string(), count(failures * part).into()));
            json!({
                "path": endpoint.path,
                "statuses": serde_json::Map::from_iter(counts),
                "last_seen": level(now),
            })
        })
        .collect();
    let buckets =
        BUCKETS.map(|(bound, share)| (bound.to_owned(), count(load.requests * share).into()));
    json!({
        "status": if load.trouble { "degraded" } else { "healthy" },
        "uptime_secs": level(uptime),
        "total_requests": count(load.requests),
        "successful_requests": count(load.requests) - count(load.failures),
        "failed_requests": count(load.failures),
        "waf_blocked_requests": count(load.failures * 0.3),
        "rps": level(load.rate),
        "error_rate_pct": level(100.0 * load.failures / load.requests.max(1.0)),
        "avg_ms": level(7.0 * slow + 4.0 * load.busy),
        "p50_ms": level(4.0 + 2.0 * load.busy),
        "p95_ms": level(24.0 * slow + 18.0 * load.busy),
        "p99_ms": level(90.0 * slow + 60.0 * load.busy),
        "latency_buckets": serde_json::Map::from_iter(buckets),
        "active_connections": count(12.0 + 70.0 * load.busy),
        "active_sessions": count(5.0 + 40.0 * load.busy),
        "cpu_pct": level(2.0 + 28.0 * load.busy),
        "memory_bytes": count(90e6 + 30e6 * load.busy),
        "throughput_bytes_per_sec": level(load.rate * 4200.0),
        "db_connections": count(4.0 + 8.0 * load.busy),
        "db_response_ms": level(0.8 * slow + 0.9 * load.busy),
        "cache_hit_ratio": level(99.5 - 1.5 * load.busy),
        "cache_hits": count(load.requests * 0.82),
        "cache_misses": count(load.requests * 0.07),
        "endpoints": endpoints,
        "recent_failures": failures(now, uptime),
    })
}

/// Returns the latest failures, one every quarter of a minute.
fn failures(now: f64, uptime: f64) -> Vec<Value> {
    let latest = count(uptime) / FAILURE_EVERY_SECS;
    let first = latest.saturating_sub(FAILURES_REPORTED - 1).max(1);
    (first..=latest)
        .map(|number| {
            let endpoint = &ENDPOINTS[usize::try_from(number % 4).unwrap_or(0)];
            let (status, _) = endpoint.statuses[usize::try_from(number / 4 % 3).unwrap_or(0)];
            #[expect(clippy::cast_precision_loss, reason = "seconds of some years")]
            let at = now - uptime + (number * FAILURE_EVERY_SECS) as f64;
            json!({
                "at": level(at),
                "method": if number % 3 == 0 { "GET" } else { "POST" },
                "path": endpoint.path,
                "status": status,
                "duration_ms": 3 + number * 37 % 400,
            })
        })
        .collect()
}
