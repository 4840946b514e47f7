//! Reverse proxies.

use crate::tables::ProxySample;
use crate::{Better, Domain, Fold, Levels, Metric, Sample, Series, Unit};

/// Connections by any protocol that the proxy tells.
const PROTOCOLS: &str = "coalesce(conn_http1, 0) + coalesce(conn_http2, 0) + coalesce(conn_http3, 0) + coalesce(conn_webtransport, 0)";

const fn level(expr: &'static str) -> Series {
    Series::Level {
        table: ProxySample::TABLE,
        expr,
        fold: Fold::Avg,
    }
}

/// A rate.
const fn steps(expr: &'static str, scale: f64) -> Series {
    Series::Steps {
        table: ProxySample::TABLE,
        expr,
        identity: "",
        scale,
    }
}

/// A share in percent; judged from `least` on.
const fn share(part: &'static str, whole: &'static str, least: f64) -> Series {
    Series::Share {
        table: ProxySample::TABLE,
        part,
        whole,
        identity: "",
        scale: 100.0,
        least,
    }
}

/// What the metrics here have in common unless they say otherwise.
const SHOWN: Metric = Metric {
    domain: Domain::Proxy,
    name: "",
    label: "",
    unit: Unit::None,
    series: level(""),
    key: Some("target"),
    better: Better::Neither,
    levels: None,
    judged_over_secs: 0,
    what: "",
    how: "",
    fix: "",
};

/// By target.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "requests_per_sec",
        label: "Requests",
        unit: Unit::PerSec,
        series: steps("request_total", 1.0),
        what: "Requests per second.",
        how: "Steps of the proxy's counter.",
        ..SHOWN
    },
    Metric {
        name: "success_per_sec",
        label: "2xx and 3xx",
        unit: Unit::PerSec,
        series: steps("request_success", 1.0),
        what: "Requests answered with 2xx and 3xx, per second.",
        how: "Steps of the proxy's counter.",
        ..SHOWN
    },
    Metric {
        name: "client_errors_per_sec",
        label: "4xx",
        unit: Unit::PerSec,
        series: steps("request_client_errors", 1.0),
        better: Better::Lower,
        what: "Requests answered with 4xx, per second.",
        how: "Steps of the proxy's counter.",
        ..SHOWN
    },
    Metric {
        name: "server_errors_per_sec",
        label: "5xx",
        unit: Unit::PerSec,
        series: steps("request_server_errors", 1.0),
        better: Better::Lower,
        what: "Requests answered with 5xx, per second.",
        how: "Steps of the proxy's counter.",
        ..SHOWN
    },
    Metric {
        name: "error_pct",
        label: "Server errors",
        unit: Unit::Percent,
        series: share(
            "request_server_errors",
            "request_total - coalesce(waf_blocked_requests, 0)",
            100.0,
        ),
        better: Better::Lower,
        levels: Some(Levels::new(5.0, 20.0)),
        judged_over_secs: 300,
        what: "Requests answered with 5xx as a share of all but those refused by the firewall.",
        how: "Steps over five minutes; no value below 100 requests. Thresholds: the usual 5 and 20 percent.",
        fix: "Compare with the API's errors: when it is well, the server behind is not reached.",
        ..SHOWN
    },
    Metric {
        name: "waf_blocked_per_sec",
        label: "Refused by the firewall",
        unit: Unit::PerSec,
        series: steps("waf_blocked_requests", 1.0),
        what: "Requests per second that the web application firewall refused.",
        how: "Steps of the proxy's counter.",
        ..SHOWN
    },
    Metric {
        name: "requests_in_progress",
        label: "Under way",
        unit: Unit::Count,
        series: level("requests_in_progress"),
        better: Better::Lower,
        levels: Some(Levels::warn(500.0)),
        judged_over_secs: 60,
        what: "Requests under way.",
        how: "The proxy's own figure, averaged over a minute. 500 is the usual warning; what a proxy bears depends on its host.",
        fix: "Requests pile up when the server behind is slow: see upstream latency.",
        ..SHOWN
    },
    Metric {
        name: "bytes_received_per_sec",
        label: "Received",
        unit: Unit::BytesPerSec,
        series: steps("bytes_received", 1.0),
        what: "Bytes received per second.",
        how: "Steps of the proxy's counter.",
        ..SHOWN
    },
    Metric {
        name: "bytes_sent_per_sec",
        label: "Sent",
        unit: Unit::BytesPerSec,
        series: steps("bytes_sent", 1.0),
        what: "Bytes sent per second.",
        how: "Steps of the proxy's counter.",
        ..SHOWN
    },
    Metric {
        name: "latency_p50_ms",
        label: "p50",
        unit: Unit::Ms,
        series: level("latency_p50_ms"),
        better: Better::Lower,
        what: "Half of the answers took at most this long.",
        how: "The proxy's own figure.",
        ..SHOWN
    },
    Metric {
        name: "latency_p95_ms",
        label: "p95",
        unit: Unit::Ms,
        series: level("latency_p95_ms"),
        better: Better::Lower,
        levels: Some(Levels::new(1000.0, 5000.0)),
        judged_over_secs: 300,
        what: "95 of 100 answers took at most this long.",
        how: "The proxy's own figure, averaged over five minutes. Thresholds: 1 and 5 s.",
        fix: "Compare with upstream p95: equal means the server behind is slow.",
        ..SHOWN
    },
    Metric {
        name: "latency_p99_ms",
        label: "p99",
        unit: Unit::Ms,
        series: level("latency_p99_ms"),
        better: Better::Lower,
        what: "99 of 100 answers took at most this long.",
        how: "The proxy's own figure.",
        ..SHOWN
    },
    Metric {
        name: "upstream_avg_ms",
        label: "Upstream mean",
        unit: Unit::Ms,
        series: level("upstream_avg_ms"),
        better: Better::Lower,
        what: "Mean time of the server behind.",
        how: "The proxy's own figure.",
        ..SHOWN
    },
    Metric {
        name: "upstream_p95_ms",
        label: "Upstream p95",
        unit: Unit::Ms,
        series: level("upstream_p95_ms"),
        better: Better::Lower,
        what: "95 of 100 answers of the server behind took at most this long.",
        how: "The proxy's own figure.",
        ..SHOWN
    },
    Metric {
        name: "connections_per_sec",
        label: "Connections",
        unit: Unit::PerSec,
        series: steps("conn_total", 1.0),
        what: "Connections accepted per second.",
        how: "Steps of the proxy's counter.",
        ..SHOWN
    },
    Metric {
        name: "conn_active",
        label: "Open connections",
        unit: Unit::Count,
        series: level("conn_active"),
        what: "Open connections.",
        how: "The proxy's own figure.",
        ..SHOWN
    },
    Metric {
        name: "http1_pct",
        label: "HTTP/1.1",
        unit: Unit::Percent,
        series: share("conn_http1", PROTOCOLS, 0.0),
        what: "Connections by HTTP/1.1, as a share of those of all protocols.",
        how: "Steps of the proxy's counters.",
        ..SHOWN
    },
    Metric {
        name: "http2_pct",
        label: "HTTP/2",
        unit: Unit::Percent,
        series: share("conn_http2", PROTOCOLS, 0.0),
        what: "Connections by HTTP/2, as a share of those of all protocols.",
        how: "Steps of the proxy's counters.",
        ..SHOWN
    },
    Metric {
        name: "http3_pct",
        label: "HTTP/3",
        unit: Unit::Percent,
        series: share("conn_http3", PROTOCOLS, 0.0),
        what: "Connections by HTTP/3, as a share of those of all protocols.",
        how: "Steps of the proxy's counters.",
        ..SHOWN
    },
    Metric {
        name: "webtransport_pct",
        label: "WebTransport",
        unit: Unit::Percent,
        series: share("conn_webtransport", PROTOCOLS, 0.0),
        what: "Connections by WebTransport, as a share of those of all protocols.",
        how: "Steps of the proxy's counters.",
        ..SHOWN
    },
    Metric {
        name: "tls_handshakes_per_sec",
        label: "TLS handshakes",
        unit: Unit::PerSec,
        series: steps("tls_handshakes", 1.0),
        what: "TLS handshakes per second.",
        how: "Steps of the proxy's counter.",
        ..SHOWN
    },
    Metric {
        name: "pqc_pct",
        label: "Post-quantum handshakes",
        unit: Unit::Percent,
        series: share(
            "tls_pqc_handshakes",
            "tls_pqc_handshakes + tls_classical_handshakes",
            0.0,
        ),
        better: Better::Higher,
        what: "Handshakes with a post-quantum key exchange, as a share of all.",
        how: "Steps of the proxy's counters.",
        ..SHOWN
    },
    Metric {
        name: "pqc_enabled",
        label: "Post-quantum exchange",
        unit: Unit::Bool,
        series: level("pqc_enabled::int::float8"),
        better: Better::Higher,
        what: "Whether post-quantum key exchange is on: 1 yes, 0 no.",
        how: "The proxy's own figure.",
        ..SHOWN
    },
    Metric {
        name: "handshake_failures_per_sec",
        label: "Failed handshakes",
        unit: Unit::PerSec,
        series: steps("handshake_failures", 1.0),
        better: Better::Lower,
        what: "TLS handshakes that failed, per second.",
        how: "Steps of the proxy's counter.",
        ..SHOWN
    },
    Metric {
        name: "handshake_failure_pct",
        label: "Failed handshakes",
        unit: Unit::Percent,
        series: share("handshake_failures", "tls_handshakes", 100.0),
        better: Better::Lower,
        levels: Some(Levels::warn(10.0)),
        judged_over_secs: 600,
        what: "TLS handshakes that failed, as a share of all.",
        how: "Steps over ten minutes; no value below 100 handshakes. Scanners cause a few; a tenth is our own judgement.",
        fix: "Check the certificate's dates and chain, and which versions clients offer.",
        ..SHOWN
    },
    Metric {
        name: "rl_checked_per_sec",
        label: "Rate limiter saw",
        unit: Unit::PerSec,
        series: steps("rl_requests_checked", 1.0),
        what: "Requests per second that the rate limiter saw.",
        how: "Steps of the proxy's counter.",
        ..SHOWN
    },
    Metric {
        name: "rl_allowed_per_sec",
        label: "Let through",
        unit: Unit::PerSec,
        series: steps("rl_requests_allowed", 1.0),
        what: "Requests per second that the rate limiter let through.",
        how: "Steps of the proxy's counter.",
        ..SHOWN
    },
    Metric {
        name: "rl_limited_per_sec",
        label: "Slowed down",
        unit: Unit::PerSec,
        series: steps("rl_requests_limited", 1.0),
        what: "Requests per second that the rate limiter slowed down.",
        how: "Steps of the proxy's counter.",
        ..SHOWN
    },
    Metric {
        name: "rl_blocked_per_sec",
        label: "Refused by the limiter",
        unit: Unit::PerSec,
        series: steps("rl_requests_blocked", 1.0),
        what: "Requests per second that the rate limiter refused.",
        how: "Steps of the proxy's counter.",
        ..SHOWN
    },
    Metric {
        name: "rl_limited_pct",
        label: "Rate limited",
        unit: Unit::Percent,
        series: share(
            "coalesce(rl_requests_limited, 0) + coalesce(rl_requests_blocked, 0)",
            "rl_requests_checked",
            0.0,
        ),
        better: Better::Lower,
        levels: Some(Levels::info(10.0)),
        what: "Requests slowed down or refused by the rate limiter, as a share of those it saw.",
        how: "Steps of the proxy's counters. A tenth is worth a look: clients gone wild, or limits too tight.",
        fix: "See whom it limits in the proxy's log.",
        ..SHOWN
    },
    Metric {
        name: "cpu_pct",
        label: "CPU",
        unit: Unit::Percent,
        series: level("cpu_pct"),
        better: Better::Lower,
        what: "CPU of the proxy, percent of one core.",
        how: "Its own figure.",
        ..SHOWN
    },
    Metric {
        name: "memory_bytes",
        label: "Memory",
        unit: Unit::Bytes,
        series: level("memory_bytes"),
        better: Better::Lower,
        what: "Memory of the proxy.",
        how: "Its own figure.",
        ..SHOWN
    },
    Metric {
        name: "uptime_secs",
        label: "Uptime",
        unit: Unit::Secs,
        series: level("uptime_secs"),
        what: "Time since the proxy started.",
        how: "Its own figure.",
        ..SHOWN
    },
];
