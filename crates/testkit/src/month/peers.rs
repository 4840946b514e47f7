//! The API and the proxy in front of it, as their metrics report them.

use super::Area;
use super::host::REQUESTS;
use super::random::{Counter, count};
use super::state::State;
use crate::Dice;
use schema::tables::{ApiSample, EndpointSample, LatencyBucket, ProxySample, TargetSample};
use schema::{Row, Sample};

const MIB: f64 = 1024.0 * 1024.0;
/// Endpoints of the API and their share of requests.
const ENDPOINTS: [(&str, f64); 6] = [
    ("/v1/orders", 0.4),
    ("/v1/items", 0.25),
    ("/v1/login", 0.15),
    ("/v1/search", 0.1),
    ("/v1/export", 0.06),
    ("/health", 0.04),
];
/// Bounds of the latency histogram, milliseconds.
const BOUNDS: [f64; 7] = [5.0, 25.0, 50.0, 100.0, 250.0, 1000.0, 5000.0];

/// Counters since the peers' start.
#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    requests: Counter,
    failed: Counter,
    blocked: Counter,
    hits: Counter,
    misses: Counter,
    proxied: Counter,
    refused: Counter,
    server_errors: Counter,
    connections: Counter,
    handshakes: Counter,
    failures: Counter,
    endpoints: [[Counter; 2]; ENDPOINTS.len()],
    buckets: [Counter; BOUNDS.len()],
    all: Counter,
}

#[derive(Debug)]
pub(super) struct Peers {
    dice: Dice,
    counters: Counters,
}

impl Peers {
    pub(super) fn new(dice: Dice) -> Self {
        Self {
            dice,
            counters: Counters::default(),
        }
    }

    fn api(&mut self, state: &State, rows: &mut Vec<Row>) {
        let Self { dice, counters } = self;
        let requests = REQUESTS * state.traffic * state.secs;
        let failed = requests * state.error_share;
        let blocked = counters.blocked.add(0.001 * requests, dice);
        let total = counters.requests.exactly(requests);
        let failures = counters.failed.add(failed, dice) + blocked;
        let sample = ApiSample {
            target: "api".to_owned(),
            uptime_secs: Some(state.peers.secs),
            total_requests: Some(total),
            successful_requests: Some(total - failures),
            failed_requests: Some(failures),
            waf_blocked_requests: Some(blocked),
            rps: Some(REQUESTS * state.traffic),
            error_rate_pct: Some(100.0 * state.error_share),
            avg_ms: Some(0.4 * state.p95_ms),
            p50_ms: Some(0.3 * state.p95_ms),
            p95_ms: Some(state.p95_ms),
            p99_ms: Some(1.4 * state.p95_ms),
            active_connections: Some(count(40.0 * state.traffic)),
            active_sessions: Some(count(400.0 * state.traffic)),
            cpu_pct: Some(80.0 * state.traffic),
            memory_bytes: Some(count(180.0 * MIB)),
            db_connections: Some(count(10.0 + 10.0 * state.traffic)),
            db_response_ms: Some(3.0 + state.disk_ms),
            cache_hit_ratio: Some(99.6),
            cache_hits: Some(counters.hits.add(0.9 * requests, dice)),
            cache_misses: Some(counters.misses.add(0.1 * requests, dice)),
            ..ApiSample::default()
        };
        rows.push(sample.into_row(state.ts));
        for ((endpoint, share), counters) in ENDPOINTS.into_iter().zip(&mut counters.endpoints) {
            let [good, bad] = counters;
            let responses = [
                (200, good.add(share * requests, dice)),
                (500, bad.add(share * failed, dice)),
            ];
            rows.extend(responses.map(|(status, responses)| {
                let sample = EndpointSample {
                    target: "api".to_owned(),
                    endpoint: endpoint.to_owned(),
                    status,
                    responses,
                    last_seen: None,
                };
                sample.into_row(state.ts)
            }));
        }
        let all = counters.all.exactly(requests);
        for (bound, counter) in BOUNDS.into_iter().zip(&mut counters.buckets) {
            // An exponential distribution whose 95th percentile is that of the state.
            let below = 1.0 - 0.05_f64.powf(bound / state.p95_ms);
            let bucket = LatencyBucket {
                target: "api".to_owned(),
                le_ms: bound.to_string(),
                responses: counter.exactly(below * requests),
                all_responses: Some(all),
            };
            rows.push(bucket.into_row(state.ts));
        }
    }

    fn proxy(&mut self, state: &State) -> ProxySample {
        let Self { dice, counters } = self;
        let requests = 1.2 * REQUESTS * state.traffic * state.secs;
        let failed = if state.api_up { state.error_share } else { 0.8 };
        let errors = counters.server_errors.exactly(failed * requests);
        let refused = counters.refused.add(0.02 * requests, dice);
        let total = counters.proxied.exactly(requests);
        let connections = counters.connections.add(0.2 * requests, dice);
        let handshakes = counters.handshakes.add(0.2 * requests, dice);
        ProxySample {
            target: "proxy".to_owned(),
            uptime_secs: Some(state.peers.secs),
            request_total: Some(total),
            request_success: Some(total - refused - errors),
            request_client_errors: Some(refused),
            request_server_errors: Some(errors),
            waf_blocked_requests: Some(0),
            requests_in_progress: Some(count(30.0 * state.traffic)),
            latency_p50_ms: Some(0.4 * state.p95_ms),
            latency_p95_ms: Some(20.0 + state.p95_ms),
            latency_p99_ms: Some(20.0 + 1.4 * state.p95_ms),
            conn_total: Some(connections),
            conn_active: Some(count(60.0 * state.traffic)),
            tls_handshakes: Some(handshakes),
            tls_pqc_handshakes: Some(handshakes / 2),
            handshake_failures: Some(counters.failures.add(0.002 * requests, dice)),
            pqc_enabled: Some(true),
            ..ProxySample::default()
        }
    }
}

fn target(name: &str, is_up: bool) -> TargetSample {
    TargetSample {
        target: name.to_owned(),
        kind: name.to_owned(),
        up: is_up,
        duration_ms: 4.0,
        http_status: is_up.then_some(200),
        bytes: is_up.then_some(6000),
        error: (!is_up).then(|| "Connection refused".to_owned()),
        ..TargetSample::default()
    }
}

impl Area for Peers {
    fn sample(&mut self, state: &State, rows: &mut Vec<Row>) {
        if state.peers.is_new() {
            self.counters = Counters::default();
        }
        if state.api_up {
            self.api(state, rows);
        }
        rows.push(self.proxy(state).into_row(state.ts));
        for (name, is_up) in [("api", state.api_up), ("proxy", true)] {
            rows.push(target(name, is_up).into_row(state.ts));
        }
    }
}
