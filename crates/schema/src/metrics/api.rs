//! APIs.

use crate::tables::{ApiSample, EndpointSample};
use crate::{Better, Capacity, Domain, Levels, Metric, Sample, Scoring, Source, Unit};

const API: Source = Source::new(ApiSample::TABLE);
const ENDPOINTS: Source = Source::new(EndpointSample::TABLE).identity("endpoint, status");

/// The common fields of the metrics here, unless overridden.
const BASE: Metric = Metric::base(Domain::Api, API, Some("target"));

/// By target.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "requests_per_sec",
        label: "Requests",
        unit: Unit::PerSec,
        series: API.rate("total_requests"),
        scoring: Scoring::Scored { least: 1.0 },
        what: "Requests per second.",
        how: "Change in the API's counter.",
        ..BASE
    },
    Metric {
        name: "successful_per_sec",
        label: "Successful",
        unit: Unit::PerSec,
        series: API.rate("successful_requests"),
        what: "Requests answered successfully, per second.",
        how: "Change in the API's counter.",
        ..BASE
    },
    Metric {
        name: "failed_per_sec",
        label: "Failed",
        unit: Unit::PerSec,
        series: API.rate("failed_requests - coalesce(waf_blocked_requests, 0)"),
        better: Better::Lower,
        what: "Requests that failed, per second, without those the WAF blocked.",
        how: "Change in the API's counters.",
        ..BASE
    },
    Metric {
        name: "error_pct",
        label: "Error ratio",
        unit: Unit::Percent,
        series: API.percent(
            "failed_requests - coalesce(waf_blocked_requests, 0)",
            "total_requests - coalesce(waf_blocked_requests, 0)",
            100.0,
        ),
        better: Better::Lower,
        levels: Some(Levels::new(1.0, 5.0)),
        evaluated_over_secs: 300,
        confirm_secs: 20,
        scoring: Scoring::Scored { least: 1.0 },
        capacity: Capacity::critical("clients see failures"),
        what: "Failed requests as a share of all, those blocked by the WAF left out of both.",
        how: "Change over five minutes; no value below 100 requests. Thresholds: the usual 1 and 5 percent.",
        fix: "Read the API's log of that time; Recent failures under API & Proxy shows method, path and status.",
        ..BASE
    },
    Metric {
        name: "success_pct",
        label: "Success ratio",
        unit: Unit::Percent,
        series: API.percent(
            "total_requests - failed_requests",
            "total_requests - coalesce(waf_blocked_requests, 0)",
            0.0,
        ),
        better: Better::Higher,
        what: "Requests that did not fail as a share of all, those blocked by the WAF left out of both.",
        how: "Change in the API's counters. Evaluated as the objective api_uptime, not by a threshold.",
        ..BASE
    },
    Metric {
        name: "waf_blocked_per_sec",
        label: "Blocked by WAF",
        unit: Unit::PerSec,
        series: API.rate("waf_blocked_requests"),
        scoring: Scoring::Scored { least: 1.0 },
        what: "Requests per second that the web application firewall blocked: not a fault of the API.",
        how: "Change in the API's counter.",
        ..BASE
    },
    Metric {
        name: "avg_ms",
        label: "Mean response time",
        unit: Unit::Ms,
        series: API.level("avg_ms"),
        better: Better::Lower,
        what: "Mean response time.",
        how: "Reported by the API.",
        ..BASE
    },
    Metric {
        name: "p50_ms",
        label: "p50",
        unit: Unit::Ms,
        series: API.level("p50_ms"),
        better: Better::Lower,
        what: "Half of the responses took at most this long.",
        how: "Reported by the API.",
        ..BASE
    },
    Metric {
        name: "p95_ms",
        label: "p95",
        unit: Unit::Ms,
        series: API.level("p95_ms"),
        better: Better::Lower,
        levels: Some(Levels::with_info(200.0, 500.0, 1000.0)),
        evaluated_over_secs: 300,
        confirm_secs: 60,
        scoring: Scoring::Scored { least: 20.0 },
        capacity: Capacity::critical("one response in twenty is slow"),
        what: "95 of 100 responses took at most this long.",
        how: "Reported by the API, averaged over five minutes. 200 ms is good, 500 ms the usual objective, 1 s slow.",
        fix: "Compare with Database response time and the waits of PostgreSQL: most slow responses wait there.",
        ..BASE
    },
    Metric {
        name: "p99_ms",
        label: "p99",
        unit: Unit::Ms,
        series: API.level("p99_ms"),
        better: Better::Lower,
        levels: Some(Levels::new(2000.0, 5000.0)),
        evaluated_over_secs: 300,
        confirm_secs: 60,
        scoring: Scoring::Scored { least: 50.0 },
        capacity: Capacity::critical("clients give up"),
        what: "99 of 100 responses took at most this long.",
        how: "Reported by the API, averaged over five minutes. Thresholds: 2 and 5 s, after which clients give up.",
        fix: "See the slowest statements under Queries, and garbage or lock pauses of the API.",
        ..BASE
    },
    Metric {
        name: "active_connections",
        label: "Open connections",
        unit: Unit::Count,
        series: API.level("active_connections"),
        better: Better::Lower,
        levels: Some(Levels::info(100.0)),
        evaluated_over_secs: 300,
        confirm_secs: 300,
        scoring: Scoring::Scored { least: 5.0 },
        what: "Open connections of the API.",
        how: "Reported by the API. From 100 on, the usual figure, it is worth a look; only the API knows its capacity.",
        fix: "Compare with requests per second: connections that grow alone are leaked.",
        ..BASE
    },
    Metric {
        name: "active_sessions",
        label: "Sessions",
        unit: Unit::Count,
        series: API.level("active_sessions"),
        what: "Open sessions of the API.",
        how: "Reported by the API.",
        ..BASE
    },
    Metric {
        name: "cpu_pct",
        label: "CPU",
        unit: Unit::Percent,
        series: API.level("cpu_pct"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 10.0 },
        what: "CPU of the API, percent of one core.",
        how: "Reported by the API.",
        ..BASE
    },
    Metric {
        name: "memory_bytes",
        label: "Memory",
        unit: Unit::Bytes,
        series: API.level("memory_bytes"),
        better: Better::Lower,
        scoring: Scoring::Scored {
            least: 67_108_864.0,
        },
        what: "Memory of the API.",
        how: "Reported by the API.",
        ..BASE
    },
    Metric {
        name: "throughput_bytes_per_sec",
        label: "Throughput",
        unit: Unit::BytesPerSec,
        series: API.level("throughput_bytes_per_sec"),
        what: "Bytes sent and received per second.",
        how: "Reported by the API.",
        ..BASE
    },
    Metric {
        name: "db_connections",
        label: "Database connections",
        unit: Unit::Count,
        series: API.level("db_connections"),
        better: Better::Lower,
        what: "Connections of the API to its database.",
        how: "Reported by the API.",
        ..BASE
    },
    Metric {
        name: "db_response_ms",
        label: "Database response time",
        unit: Unit::Ms,
        series: API.level("db_response_ms"),
        better: Better::Lower,
        levels: Some(Levels::new(50.0, 100.0)),
        evaluated_over_secs: 300,
        confirm_secs: 60,
        scoring: Scoring::Scored { least: 5.0 },
        capacity: Capacity::critical("responses of the API wait for the database"),
        what: "Response time of the API's database.",
        how: "Reported by the API, averaged over five minutes. Thresholds: the usual 50 and 100 ms.",
        fix: "See PostgreSQL: lock waits, slow statements, CPU of its host.",
        ..BASE
    },
    Metric {
        name: "db_cache_hit_pct",
        label: "Database cache hit ratio",
        unit: Unit::Percent,
        series: API.level("cache_hit_ratio"),
        better: Better::Higher,
        levels: Some(Levels::new(99.0, 95.0)),
        evaluated_over_secs: 600,
        confirm_secs: 300,
        what: "Blocks of the API's database found in its cache, percent.",
        how: "Reported by the API, averaged over ten minutes. Thresholds: the usual 99 and 95 percent.",
        fix: "See Cache hit ratio of PostgreSQL, which counts what happened within the interval.",
        ..BASE
    },
    Metric {
        name: "cache_hit_pct",
        label: "API cache hit ratio",
        unit: Unit::Percent,
        series: API.percent("cache_hits", "cache_hits + cache_misses", 0.0),
        better: Better::Higher,
        scoring: Scoring::Scored { least: 5.0 },
        what: "Look-ups of the API's own cache that hit, as a share of all.",
        how: "Change in the API's counters.",
        ..BASE
    },
    Metric {
        name: "uptime_secs",
        label: "Uptime",
        unit: Unit::Secs,
        series: API.level("uptime_secs"),
        scoring: Scoring::Unscored(Scoring::GROWS),
        what: "Time since the API started.",
        how: "Reported by the API.",
        ..BASE
    },
    Metric {
        name: "responses_per_sec",
        label: "Responses by status class",
        unit: Unit::PerSec,
        series: ENDPOINTS.rate("responses"),
        key: Some("target || '.' || (status / 100) || 'xx'"),
        what: "Responses per second by status class, for targets that report endpoints.",
        how: "Change in the target's counters.",
        ..BASE
    },
];
