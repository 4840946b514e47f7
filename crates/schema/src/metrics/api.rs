//! APIs.

use crate::tables::{ApiSample, EndpointSample};
use crate::{Better, Domain, Levels, Metric, Sample, Source, Unit};

const API: Source = Source::new(ApiSample::TABLE);
const ENDPOINTS: Source = Source::new(EndpointSample::TABLE).identity("endpoint, status");

/// What the metrics here have in common unless they say otherwise.
const BASE: Metric = Metric::base(Domain::Api, API, Some("target"));

/// By target.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "requests_per_sec",
        label: "Requests",
        unit: Unit::PerSec,
        series: API.rate("total_requests"),
        what: "Requests per second.",
        how: "Steps of the API's counter.",
        ..BASE
    },
    Metric {
        name: "successful_per_sec",
        label: "Answered well",
        unit: Unit::PerSec,
        series: API.rate("successful_requests"),
        what: "Requests answered well, per second.",
        how: "Steps of the API's counter.",
        ..BASE
    },
    Metric {
        name: "failed_per_sec",
        label: "Failed",
        unit: Unit::PerSec,
        series: API.rate("failed_requests - coalesce(waf_blocked_requests, 0)"),
        better: Better::Lower,
        what: "Requests that failed, per second, without those the firewall refused.",
        how: "Steps of the API's counters.",
        ..BASE
    },
    Metric {
        name: "error_pct",
        label: "Errors",
        unit: Unit::Percent,
        series: API.percent(
            "failed_requests - coalesce(waf_blocked_requests, 0)",
            "total_requests - coalesce(waf_blocked_requests, 0)",
            100.0,
        ),
        better: Better::Lower,
        levels: Some(Levels::new(1.0, 5.0)),
        judged_over_secs: 300,
        what: "Failed requests as a share of all, those refused by the firewall left out of both.",
        how: "Steps over five minutes; no value below 100 requests. Thresholds: the usual 1 and 5 percent.",
        fix: "Read the API's log of that time; Recent failures under API & Proxy shows method, path and status.",
        ..BASE
    },
    Metric {
        name: "waf_blocked_per_sec",
        label: "Refused by the firewall",
        unit: Unit::PerSec,
        series: API.rate("waf_blocked_requests"),
        what: "Requests per second that the web application firewall refused: no fault of the API.",
        how: "Steps of the API's counter.",
        ..BASE
    },
    Metric {
        name: "avg_ms",
        label: "Mean",
        unit: Unit::Ms,
        series: API.level("avg_ms"),
        better: Better::Lower,
        what: "Mean time of an answer, as the API says.",
        how: "Its own figure.",
        ..BASE
    },
    Metric {
        name: "p50_ms",
        label: "p50",
        unit: Unit::Ms,
        series: API.level("p50_ms"),
        better: Better::Lower,
        what: "Half of the answers took at most this long.",
        how: "The API's own figure.",
        ..BASE
    },
    Metric {
        name: "p95_ms",
        label: "p95",
        unit: Unit::Ms,
        series: API.level("p95_ms"),
        better: Better::Lower,
        levels: Some(Levels::with_info(200.0, 500.0, 1000.0)),
        judged_over_secs: 300,
        what: "95 of 100 answers took at most this long.",
        how: "The API's own figure, averaged over five minutes. 200 ms is good, 500 ms the usual objective, 1 s slow.",
        fix: "Compare with Database response and Waits of PostgreSQL: most slow answers wait there.",
        ..BASE
    },
    Metric {
        name: "p99_ms",
        label: "p99",
        unit: Unit::Ms,
        series: API.level("p99_ms"),
        better: Better::Lower,
        levels: Some(Levels::new(2000.0, 5000.0)),
        judged_over_secs: 300,
        what: "99 of 100 answers took at most this long.",
        how: "The API's own figure, averaged over five minutes. Thresholds: 2 and 5 s, after which clients give up.",
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
        what: "Open connections of the API.",
        how: "Its own figure. Above 100 is worth a look; what it can bear, it alone knows.",
        fix: "Compare with requests per second: connections that grow alone are leaked.",
        ..BASE
    },
    Metric {
        name: "active_sessions",
        label: "Sessions",
        unit: Unit::Count,
        series: API.level("active_sessions"),
        what: "Open sessions of the API.",
        how: "Its own figure.",
        ..BASE
    },
    Metric {
        name: "cpu_pct",
        label: "CPU",
        unit: Unit::Percent,
        series: API.level("cpu_pct"),
        better: Better::Lower,
        what: "CPU of the API, percent of one core.",
        how: "Its own figure.",
        ..BASE
    },
    Metric {
        name: "memory_bytes",
        label: "Memory",
        unit: Unit::Bytes,
        series: API.level("memory_bytes"),
        better: Better::Lower,
        what: "Memory of the API.",
        how: "Its own figure.",
        ..BASE
    },
    Metric {
        name: "throughput_bytes_per_sec",
        label: "Throughput",
        unit: Unit::BytesPerSec,
        series: API.level("throughput_bytes_per_sec"),
        what: "Bytes sent and received per second.",
        how: "The API's own figure.",
        ..BASE
    },
    Metric {
        name: "db_connections",
        label: "Database connections",
        unit: Unit::Count,
        series: API.level("db_connections"),
        better: Better::Lower,
        what: "Connections of the API to its database.",
        how: "Its own figure.",
        ..BASE
    },
    Metric {
        name: "db_response_ms",
        label: "Database response",
        unit: Unit::Ms,
        series: API.level("db_response_ms"),
        better: Better::Lower,
        levels: Some(Levels::new(50.0, 100.0)),
        judged_over_secs: 300,
        what: "Time the API's database takes to answer.",
        how: "The API's own figure, averaged over five minutes. Thresholds: the usual 50 and 100 ms.",
        fix: "See PostgreSQL: locks awaited, slow statements, CPU of its host.",
        ..BASE
    },
    Metric {
        name: "db_cache_hit_pct",
        label: "Database cache hits",
        unit: Unit::Percent,
        series: API.level("cache_hit_ratio"),
        better: Better::Higher,
        levels: Some(Levels::new(99.0, 95.0)),
        judged_over_secs: 600,
        what: "Blocks of the API's database found in its cache, percent.",
        how: "The API's own figure, averaged over ten minutes. Thresholds: the usual 99 and 95 percent.",
        fix: "See Cache hits of PostgreSQL, which counts what happened within the interval.",
        ..BASE
    },
    Metric {
        name: "cache_hit_pct",
        label: "Own cache hits",
        unit: Unit::Percent,
        series: API.percent("cache_hits", "cache_hits + cache_misses", 0.0),
        better: Better::Higher,
        what: "Look-ups of the API's own cache that hit, as a share of all.",
        how: "Steps of the API's counters.",
        ..BASE
    },
    Metric {
        name: "uptime_secs",
        label: "Uptime",
        unit: Unit::Secs,
        series: API.level("uptime_secs"),
        what: "Time since the API started.",
        how: "Its own figure.",
        ..BASE
    },
    Metric {
        name: "responses_per_sec",
        label: "Answers by class",
        unit: Unit::PerSec,
        series: ENDPOINTS.rate("responses"),
        key: Some("target || '.' || (status / 100) || 'xx'"),
        what: "Answers per second by class of status, of targets that tell endpoints.",
        how: "Steps of the target's counters.",
        ..BASE
    },
];
