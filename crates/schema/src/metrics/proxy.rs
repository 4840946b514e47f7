//! Reverse proxies.

use crate::tables::ProxySample;
use crate::{Better, Capacity, Domain, Levels, Metric, Sample, Scoring, Source, Unit};

const PROXY: Source = Source::new(ProxySample::TABLE);

/// Connections by any protocol that the proxy reports.
const PROTOCOLS: &str = "coalesce(conn_http1, 0) + coalesce(conn_http2, 0) + coalesce(conn_http3, 0) + coalesce(conn_webtransport, 0)";

/// The common fields of the metrics here, unless overridden.
const BASE: Metric = Metric::base(Domain::Proxy, PROXY, Some("target"));

/// By target.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "requests_per_sec",
        label: "Requests",
        unit: Unit::PerSec,
        series: PROXY.rate("request_total"),
        scoring: Scoring::Scored { least: 1.0 },
        what: "Requests per second.",
        how: "Change in the proxy's counter.",
        ..BASE
    },
    Metric {
        name: "success_per_sec",
        label: "2xx and 3xx",
        unit: Unit::PerSec,
        series: PROXY.rate("request_success"),
        what: "Requests answered with 2xx and 3xx, per second.",
        how: "Change in the proxy's counter.",
        ..BASE
    },
    Metric {
        name: "client_errors_per_sec",
        label: "4xx",
        unit: Unit::PerSec,
        series: PROXY.rate("request_client_errors"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 0.5 },
        what: "Requests answered with 4xx, per second.",
        how: "Change in the proxy's counter.",
        ..BASE
    },
    Metric {
        name: "server_errors_per_sec",
        label: "5xx",
        unit: Unit::PerSec,
        series: PROXY.rate("request_server_errors"),
        better: Better::Lower,
        what: "Requests answered with 5xx, per second.",
        how: "Change in the proxy's counter.",
        ..BASE
    },
    Metric {
        name: "error_pct",
        label: "Server error ratio",
        unit: Unit::Percent,
        series: PROXY.percent(
            "request_server_errors",
            "request_total - coalesce(waf_blocked_requests, 0)",
            100.0,
        ),
        better: Better::Lower,
        levels: Some(Levels::new(5.0, 20.0)),
        evaluated_over_secs: 300,
        confirm_secs: 20,
        scoring: Scoring::Scored { least: 1.0 },
        capacity: Capacity::critical("clients see failures"),
        what: "Requests answered with 5xx as a share of all but those blocked by the WAF.",
        how: "Change over five minutes; no value below 100 requests. Thresholds: the usual 5 and 20 percent.",
        fix: "Compare with the API's errors: if it has none, the upstream server is not reached.",
        ..BASE
    },
    Metric {
        name: "success_pct",
        label: "Success ratio",
        unit: Unit::Percent,
        series: PROXY.percent(
            "request_total - coalesce(waf_blocked_requests, 0) - request_server_errors",
            "request_total - coalesce(waf_blocked_requests, 0)",
            0.0,
        ),
        better: Better::Higher,
        what: "Requests not answered with 5xx as a share of all but those blocked by the WAF.",
        how: "Change in the proxy's counters. Evaluated as the objective proxy_uptime, not by a threshold.",
        ..BASE
    },
    Metric {
        name: "waf_blocked_per_sec",
        label: "Blocked by WAF",
        unit: Unit::PerSec,
        series: PROXY.rate("waf_blocked_requests"),
        scoring: Scoring::Scored { least: 1.0 },
        what: "Requests per second that the web application firewall blocked.",
        how: "Change in the proxy's counter.",
        ..BASE
    },
    Metric {
        name: "requests_in_progress",
        label: "In progress",
        unit: Unit::Count,
        series: PROXY.level("requests_in_progress"),
        better: Better::Lower,
        levels: Some(Levels::warn(500.0)),
        evaluated_over_secs: 60,
        confirm_secs: 60,
        what: "Requests in progress.",
        how: "Reported by the proxy, averaged over a minute. 500 is the usual warning; the capacity of a proxy depends on its host.",
        fix: "Requests pile up when the upstream server is slow: see upstream latency.",
        ..BASE
    },
    Metric {
        name: "bytes_received_per_sec",
        label: "Received",
        unit: Unit::BytesPerSec,
        series: PROXY.rate("bytes_received"),
        what: "Bytes received per second.",
        how: "Change in the proxy's counter.",
        ..BASE
    },
    Metric {
        name: "bytes_sent_per_sec",
        label: "Sent",
        unit: Unit::BytesPerSec,
        series: PROXY.rate("bytes_sent"),
        what: "Bytes sent per second.",
        how: "Change in the proxy's counter.",
        ..BASE
    },
    Metric {
        name: "latency_p50_ms",
        label: "p50",
        unit: Unit::Ms,
        series: PROXY.level("latency_p50_ms"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 10.0 },
        what: "Half of the responses took at most this long.",
        how: "Reported by the proxy.",
        ..BASE
    },
    Metric {
        name: "latency_p95_ms",
        label: "p95",
        unit: Unit::Ms,
        series: PROXY.level("latency_p95_ms"),
        better: Better::Lower,
        levels: Some(Levels::new(1000.0, 5000.0)),
        evaluated_over_secs: 300,
        confirm_secs: 60,
        scoring: Scoring::Scored { least: 20.0 },
        capacity: Capacity::critical("one response in twenty is slow"),
        what: "95 of 100 responses took at most this long.",
        how: "Reported by the proxy, averaged over five minutes. Thresholds: 1 and 5 s.",
        fix: "Compare with upstream p95: equal means the upstream server is slow.",
        ..BASE
    },
    Metric {
        name: "latency_p99_ms",
        label: "p99",
        unit: Unit::Ms,
        series: PROXY.level("latency_p99_ms"),
        better: Better::Lower,
        what: "99 of 100 responses took at most this long.",
        how: "Reported by the proxy.",
        ..BASE
    },
    Metric {
        name: "upstream_avg_ms",
        label: "Upstream mean response time",
        unit: Unit::Ms,
        series: PROXY.level("upstream_avg_ms"),
        better: Better::Lower,
        what: "Mean response time of the upstream server.",
        how: "Reported by the proxy.",
        ..BASE
    },
    Metric {
        name: "upstream_p95_ms",
        label: "Upstream p95",
        unit: Unit::Ms,
        series: PROXY.level("upstream_p95_ms"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 20.0 },
        what: "95 of 100 responses of the upstream server took at most this long.",
        how: "Reported by the proxy.",
        ..BASE
    },
    Metric {
        name: "connections_per_sec",
        label: "Connections",
        unit: Unit::PerSec,
        series: PROXY.rate("conn_total"),
        scoring: Scoring::Scored { least: 1.0 },
        what: "Connections accepted per second.",
        how: "Change in the proxy's counter.",
        ..BASE
    },
    Metric {
        name: "conn_active",
        label: "Open connections",
        unit: Unit::Count,
        series: PROXY.level("conn_active"),
        scoring: Scoring::Scored { least: 10.0 },
        what: "Open connections.",
        how: "Reported by the proxy.",
        ..BASE
    },
    Metric {
        name: "http1_pct",
        label: "HTTP/1.1",
        unit: Unit::Percent,
        series: PROXY.percent("conn_http1", PROTOCOLS, 0.0),
        what: "Connections by HTTP/1.1, as a share of those of all protocols.",
        how: "Change in the proxy's counters.",
        ..BASE
    },
    Metric {
        name: "http2_pct",
        label: "HTTP/2",
        unit: Unit::Percent,
        series: PROXY.percent("conn_http2", PROTOCOLS, 0.0),
        what: "Connections by HTTP/2, as a share of those of all protocols.",
        how: "Change in the proxy's counters.",
        ..BASE
    },
    Metric {
        name: "http3_pct",
        label: "HTTP/3",
        unit: Unit::Percent,
        series: PROXY.percent("conn_http3", PROTOCOLS, 0.0),
        what: "Connections by HTTP/3, as a share of those of all protocols.",
        how: "Change in the proxy's counters.",
        ..BASE
    },
    Metric {
        name: "webtransport_pct",
        label: "WebTransport",
        unit: Unit::Percent,
        series: PROXY.percent("conn_webtransport", PROTOCOLS, 0.0),
        what: "Connections by WebTransport, as a share of those of all protocols.",
        how: "Change in the proxy's counters.",
        ..BASE
    },
    Metric {
        name: "tls_handshakes_per_sec",
        label: "TLS handshakes",
        unit: Unit::PerSec,
        series: PROXY.rate("tls_handshakes"),
        what: "TLS handshakes per second.",
        how: "Change in the proxy's counter.",
        ..BASE
    },
    Metric {
        name: "pqc_pct",
        label: "Post-quantum handshakes",
        unit: Unit::Percent,
        series: PROXY.percent(
            "tls_pqc_handshakes",
            "tls_pqc_handshakes + tls_classical_handshakes",
            0.0,
        ),
        better: Better::Higher,
        what: "Handshakes with a post-quantum key exchange, as a share of all.",
        how: "Change in the proxy's counters.",
        ..BASE
    },
    Metric {
        name: "pqc_enabled",
        label: "Post-quantum key exchange",
        unit: Unit::Bool,
        series: PROXY.level("pqc_enabled::int::float8"),
        better: Better::Higher,
        scoring: Scoring::Unscored(Scoring::TWO_STATES),
        what: "Whether post-quantum key exchange is on: 1 yes, 0 no.",
        how: "Reported by the proxy.",
        ..BASE
    },
    Metric {
        name: "handshake_failures_per_sec",
        label: "Failed handshakes",
        unit: Unit::PerSec,
        series: PROXY.rate("handshake_failures"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 0.2 },
        what: "TLS handshakes that failed, per second.",
        how: "Change in the proxy's counter.",
        ..BASE
    },
    Metric {
        name: "handshake_failure_pct",
        label: "Handshake failure ratio",
        unit: Unit::Percent,
        series: PROXY.percent("handshake_failures", "tls_handshakes", 100.0),
        better: Better::Lower,
        levels: Some(Levels::warn(10.0)),
        evaluated_over_secs: 600,
        confirm_secs: 60,
        what: "TLS handshakes that failed, as a share of all.",
        how: "Change over ten minutes; no value below 100 handshakes. Scanners cause a few; a tenth is our own choice.",
        fix: "Check the certificate's dates and chain, and which versions clients offer.",
        ..BASE
    },
    Metric {
        name: "rl_checked_per_sec",
        label: "Checked by rate limiter",
        unit: Unit::PerSec,
        series: PROXY.rate("rl_requests_checked"),
        what: "Requests per second that the rate limiter checked.",
        how: "Change in the proxy's counter.",
        ..BASE
    },
    Metric {
        name: "rl_allowed_per_sec",
        label: "Allowed by rate limiter",
        unit: Unit::PerSec,
        series: PROXY.rate("rl_requests_allowed"),
        what: "Requests per second that the rate limiter allowed.",
        how: "Change in the proxy's counter.",
        ..BASE
    },
    Metric {
        name: "rl_limited_per_sec",
        label: "Throttled by rate limiter",
        unit: Unit::PerSec,
        series: PROXY.rate("rl_requests_limited"),
        scoring: Scoring::Scored { least: 0.5 },
        what: "Requests per second that the rate limiter throttled.",
        how: "Change in the proxy's counter.",
        ..BASE
    },
    Metric {
        name: "rl_blocked_per_sec",
        label: "Blocked by rate limiter",
        unit: Unit::PerSec,
        series: PROXY.rate("rl_requests_blocked"),
        scoring: Scoring::Scored { least: 0.5 },
        what: "Requests per second that the rate limiter blocked.",
        how: "Change in the proxy's counter.",
        ..BASE
    },
    Metric {
        name: "rl_limited_pct",
        label: "Rate limited",
        unit: Unit::Percent,
        series: PROXY.percent(
            "coalesce(rl_requests_limited, 0) + coalesce(rl_requests_blocked, 0)",
            "rl_requests_checked",
            100.0,
        ),
        better: Better::Lower,
        levels: Some(Levels::info(10.0)),
        evaluated_over_secs: 600,
        what: "Requests throttled or blocked by the rate limiter, as a share of those it checked.",
        how: "Change over ten minutes; no value below 100 requests. A tenth is notable: a misbehaving client, or limits that are too strict.",
        fix: "See which clients it limits in the proxy's log.",
        ..BASE
    },
    Metric {
        name: "cpu_pct",
        label: "CPU",
        unit: Unit::Percent,
        series: PROXY.level("cpu_pct"),
        better: Better::Lower,
        what: "CPU of the proxy, percent of one core.",
        how: "Reported by the proxy.",
        ..BASE
    },
    Metric {
        name: "memory_bytes",
        label: "Memory",
        unit: Unit::Bytes,
        series: PROXY.level("memory_bytes"),
        better: Better::Lower,
        scoring: Scoring::Scored {
            least: 67_108_864.0,
        },
        what: "Memory of the proxy.",
        how: "Reported by the proxy.",
        ..BASE
    },
    Metric {
        name: "uptime_secs",
        label: "Uptime",
        unit: Unit::Secs,
        series: PROXY.level("uptime_secs"),
        scoring: Scoring::Unscored(Scoring::GROWS),
        what: "Time since the proxy started.",
        how: "Reported by the proxy.",
        ..BASE
    },
];
