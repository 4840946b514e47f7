use crate::metric_table;

metric_table! {
    /// One row per scraped target and tick. A target that is down has a row, too.
    pub struct TargetSample => "target_metrics_raw" { class: Core, rollup: true, keep: Raw, every: Tick;
        /// Name of the target in the configuration; `api` and `proxy` for those of `[scrape]`.
        target: String [Key None],
        /// `api` or `proxy`: which table its values are in.
        kind: String [Key None],
        /// Whether it answered with something that could be read.
        up: bool [Gauge Bool],
        /// Time the answer took.
        duration_ms: f64 [Gauge Ms],
        /// Status of the answer; NULL when there was none.
        http_status: Option<i32> [Detail None],
        /// Bytes of the answer.
        bytes: Option<i64> [Gauge Bytes],
        /// Values that were present and could not be read: not numbers, not finite, negative.
        bad_values: i64 [Gauge Count],
        /// Why it is not up, or what is wrong with the values.
        error: Option<String> [Detail Text],
        /// Columns that its mapping, or its own map, promises; NULL where names are merely looked for, and
        /// before it answered.
        mapped: Option<i64> [Detail Count],
        /// Those of them whose series or paths were never there since it is watched: unknown values of
        /// it, or a mapping that does not fit.
        unfilled: Option<i64> [Detail Count],
    }
}

metric_table! {
    /// One row per API and tick that answered. Counters are since the API's start.
    pub struct ApiSample => "api_metrics_raw" { class: Core, rollup: true, keep: Raw, every: Tick;
        /// Name of the target.
        target: String [Key None],
        /// Since the API's start.
        uptime_secs: Option<f64> [Gauge Secs],
        /// Requests.
        total_requests: Option<i64> [Counter Count],
        /// Successful requests.
        successful_requests: Option<i64> [Counter Count],
        /// Failed requests, including those that the firewall blocked.
        failed_requests: Option<i64> [Counter Count],
        /// Requests blocked by the web application firewall: not a fault of the API.
        waf_blocked_requests: Option<i64> [Counter Count],
        /// Requests per second, as the API reports; the steps of `total_requests` are what is shown.
        rps: Option<f64> [Gauge PerSec],
        /// Share of failures, as the API reports.
        error_rate_pct: Option<f64> [Gauge Percent],
        /// Mean time of an answer.
        avg_ms: Option<f64> [Gauge Ms],
        /// Median.
        p50_ms: Option<f64> [Gauge Ms],
        /// 95th percentile.
        p95_ms: Option<f64> [Gauge Ms],
        /// 99th percentile.
        p99_ms: Option<f64> [Gauge Ms],
        /// Open connections.
        active_connections: Option<i64> [Gauge Count],
        /// Open sessions.
        active_sessions: Option<i64> [Gauge Count],
        /// CPU of the API, percent of one core.
        cpu_pct: Option<f64> [Gauge Percent],
        /// Memory of the API.
        memory_bytes: Option<i64> [Gauge Bytes],
        /// Bytes sent and received per second, as the API reports.
        throughput_bytes_per_sec: Option<f64> [Gauge BytesPerSec],
        /// Connections of the API to its database.
        db_connections: Option<i64> [Gauge Count],
        /// Time its database takes to answer.
        db_response_ms: Option<f64> [Gauge Ms],
        /// Share of its database's blocks found in the cache.
        cache_hit_ratio: Option<f64> [Gauge Percent],
        /// Look-ups of the API's own cache that hit.
        cache_hits: Option<i64> [Counter Count],
        /// Look-ups that missed.
        cache_misses: Option<i64> [Counter Count],
    }
}

metric_table! {
    /// One row per proxy and tick that answered. Counters are since the proxy's start.
    pub struct ProxySample => "proxy_metrics_raw" { class: Core, rollup: true, keep: Raw, every: Tick;
        /// Name of the target.
        target: String [Key None],
        /// Since the proxy's start.
        uptime_secs: Option<f64> [Gauge Secs],
        /// Requests.
        request_total: Option<i64> [Counter Count],
        /// Requests answered with 2xx and 3xx.
        request_success: Option<i64> [Counter Count],
        /// Requests answered with 4xx.
        request_client_errors: Option<i64> [Counter Count],
        /// Requests answered with 5xx.
        request_server_errors: Option<i64> [Counter Count],
        /// Requests blocked by the web application firewall.
        waf_blocked_requests: Option<i64> [Counter Count],
        /// Requests in progress.
        requests_in_progress: Option<i64> [Gauge Count],
        /// Bytes received.
        bytes_received: Option<i64> [Counter Bytes],
        /// Bytes sent.
        bytes_sent: Option<i64> [Counter Bytes],
        /// Median time of an answer.
        latency_p50_ms: Option<f64> [Gauge Ms],
        /// 95th percentile.
        latency_p95_ms: Option<f64> [Gauge Ms],
        /// 99th percentile.
        latency_p99_ms: Option<f64> [Gauge Ms],
        /// Mean time of the upstream server.
        upstream_avg_ms: Option<f64> [Gauge Ms],
        /// 95th percentile of the upstream server.
        upstream_p95_ms: Option<f64> [Gauge Ms],
        /// Connections accepted.
        conn_total: Option<i64> [Counter Count],
        /// Open connections.
        conn_active: Option<i64> [Gauge Count],
        /// Connections by HTTP/1.1.
        conn_http1: Option<i64> [Counter Count],
        /// Connections by HTTP/2.
        conn_http2: Option<i64> [Counter Count],
        /// Connections by HTTP/3.
        conn_http3: Option<i64> [Counter Count],
        /// Connections by WebTransport.
        conn_webtransport: Option<i64> [Counter Count],
        /// TLS handshakes.
        tls_handshakes: Option<i64> [Counter Count],
        /// Handshakes with a post-quantum key exchange.
        tls_pqc_handshakes: Option<i64> [Counter Count],
        /// Handshakes with a classical key exchange.
        tls_classical_handshakes: Option<i64> [Counter Count],
        /// Handshakes that failed.
        handshake_failures: Option<i64> [Counter Count],
        /// Whether post-quantum key exchange is on.
        pqc_enabled: Option<bool> [Gauge Bool],
        /// Requests seen by the rate limiter.
        rl_requests_checked: Option<i64> [Counter Count],
        /// Requests it let through.
        rl_requests_allowed: Option<i64> [Counter Count],
        /// Requests it slowed down.
        rl_requests_limited: Option<i64> [Counter Count],
        /// Requests it refused.
        rl_requests_blocked: Option<i64> [Counter Count],
        /// CPU of the proxy, percent of one core.
        cpu_pct: Option<f64> [Gauge Percent],
        /// Memory of the proxy.
        memory_bytes: Option<i64> [Gauge Bytes],
    }
}

metric_table! {
    /// Answers per endpoint and status: one row for each pair that a target names, and tick.
    pub struct EndpointSample => "endpoint_metrics_raw" { class: Bulk, rollup: true, keep: Raw, every: Tick, sealed: true;
        /// Name of the target.
        target: String [Key None],
        /// The endpoint, as `/v1/orders`; never with a query string.
        endpoint: String [Key None],
        /// Status of the answers.
        status: i32 [Key None],
        /// Answers since the target's start.
        responses: i64 [Counter Count],
        /// The last of them, where the target reports it.
        last_seen: Option<crate::Timestamp> [Detail Time],
    }
}

metric_table! {
    /// A single failed request, as reported by a target.
    pub struct RequestFailure => "request_failures_raw" { class: Bulk, rollup: false, keep: Raw, every: Tick;
        /// Name of the target.
        target: String [Key None],
        /// When it failed; `ts` is the time of the scrape.
        failed_at: crate::Timestamp [Detail Time],
        /// As `GET`; empty when the target does not report it.
        method: String [Detail Text],
        /// Its path, without the query string.
        path: String [Detail Text],
        /// Status of the answer.
        status: i32 [Detail None],
        /// Time it took.
        duration_ms: Option<f64> [Gauge Ms],
    }
}

metric_table! {
    /// One row per bucket of a latency histogram and tick: answers that took at most `le_ms`. The
    /// share of answers below a bound is exact at every bound, so each row carries both its parts.
    pub struct LatencyBucket => "latency_buckets_raw" { class: Bulk, rollup: true, keep: Raw, every: Tick, sealed: true;
        /// Name of the target.
        target: String [Key None],
        /// Upper bound, milliseconds, as the target writes it; `+Inf` for all.
        le_ms: String [Key None],
        /// Answers up to the bound since the target's start.
        responses: i64 [Counter Count],
        /// All answers since then: those of the bucket `+Inf`. NULL when the target has none.
        all_responses: Option<i64> [Counter Count],
    }
}
