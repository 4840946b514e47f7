//! The proxy's JSON.

use serde_json::{Value, json};

use crate::load::{Load, count, level};

pub(crate) fn body(uptime: f64) -> Value {
    let load = Load::at(uptime);
    let slow = if load.trouble { 5.0 } else { 1.0 };
    let total = count(load.requests);
    let (client, server) = (count(load.failures * 0.7), count(load.failures * 0.3));
    let connections = load.requests / 12.0;
    let handshakes = connections * 0.97;
    json!({
        "uptime_secs": level(uptime),
        "request_total": total,
        "request_success": total.saturating_sub(client + server),
        "request_client_errors": client,
        "request_server_errors": server,
        "waf_blocked_requests": count(load.failures * 0.3),
        "requests_in_progress": count(2.0 + 20.0 * load.busy),
        "bytes_received": count(load.requests * 900.0),
        "bytes_sent": count(load.requests * 14_000.0),
        "latency_p50_ms": level(5.0 + 2.0 * load.busy),
        "latency_p95_ms": level(30.0 * slow + 20.0 * load.busy),
        "latency_p99_ms": level(110.0 * slow + 60.0 * load.busy),
        "upstream_avg_ms": level(6.0 * slow + 4.0 * load.busy),
        "upstream_p95_ms": level(25.0 * slow + 18.0 * load.busy),
        "conn_total": count(connections),
        "conn_active": count(20.0 + 120.0 * load.busy),
        "conn_http1": count(connections * 0.12),
        "conn_http2": count(connections * 0.55),
        "conn_http3": count(connections * 0.31),
        "conn_webtransport": count(connections * 0.02),
        "tls_handshakes": count(handshakes),
        "tls_pqc_handshakes": count(handshakes * 0.68),
        "tls_classical_handshakes": count(handshakes * 0.32),
        "handshake_failures": count(handshakes * 0.004),
        "pqc_enabled": true,
        "rl_requests_checked": total,
        "rl_requests_allowed": total.saturating_sub(count(load.failures * 0.5)),
        "rl_requests_limited": count(load.failures * 0.35),
        "rl_requests_blocked": count(load.failures * 0.15),
        "cpu_pct": level(3.0 + 35.0 * load.busy),
        "memory_bytes": count(48e6 + 12e6 * load.busy),
    })
}
