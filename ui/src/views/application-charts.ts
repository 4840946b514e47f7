/** What is shown of an API or a proxy at first sight, as data; metrics are asked for one target. */
import type { ChartSpec } from "../charts/chart";

export const API_CARDS = [
  "api.requests_per_sec",
  "api.error_pct",
  "api.p95_ms",
  "api.db_response_ms",
  "api.db_cache_hit_pct",
  "api.active_connections",
  "api.waf_blocked_per_sec",
  "api.uptime_secs",
];

export const PROXY_CARDS = [
  "proxy.requests_per_sec",
  "proxy.error_pct",
  "proxy.latency_p95_ms",
  "proxy.conn_active",
  "proxy.pqc_pct",
  "proxy.rl_limited_pct",
  "proxy.handshake_failure_pct",
  "proxy.uptime_secs",
];

const NO_DATA = "The target reported no data for this range.";

export const API_CHARTS: readonly ChartSpec[] = [
  {
    id: "api-requests",
    title: "Requests",
    metrics: ["api.requests_per_sec", "api.failed_per_sec", "api.waf_blocked_per_sec"],
    labels: {
      "api.requests_per_sec": "All",
      "api.failed_per_sec": "Failed",
      "api.waf_blocked_per_sec": "Blocked by WAF",
    },
    empty: NO_DATA,
  },
  { id: "api-errors", title: "Errors", metrics: ["api.error_pct"], empty: NO_DATA },
  {
    id: "api-latency",
    title: "Latency",
    metrics: ["api.p50_ms", "api.p95_ms", "api.p99_ms"],
    levelsOf: "api.p95_ms",
    empty: NO_DATA,
  },
];

/** By class of status: keys that begin with the target's name. */
export const STATUS_CHARTS: readonly ChartSpec[] = [
  {
    id: "api-status",
    title: "Responses by status class",
    metrics: ["api.responses_per_sec"],
    stacked: true,
    levelsOf: null,
    empty: "The target does not report statuses by endpoint.",
  },
];

export const PROXY_CHARTS: readonly ChartSpec[] = [
  {
    id: "proxy-requests",
    title: "Requests by result",
    metrics: ["proxy.success_per_sec", "proxy.client_errors_per_sec", "proxy.server_errors_per_sec"],
    stacked: true,
    levelsOf: null,
    empty: NO_DATA,
  },
  {
    id: "proxy-latency",
    title: "Latency",
    metrics: [
      "proxy.latency_p50_ms",
      "proxy.latency_p95_ms",
      "proxy.latency_p99_ms",
      "proxy.upstream_p95_ms",
    ],
    levelsOf: "proxy.latency_p95_ms",
    empty: NO_DATA,
  },
  {
    id: "protocols",
    title: "Connections by protocol",
    metrics: ["proxy.http1_pct", "proxy.http2_pct", "proxy.http3_pct", "proxy.webtransport_pct"],
    stacked: true,
    levelsOf: null,
    ceiling: 100,
    empty: NO_DATA,
  },
  {
    id: "limiter",
    title: "Rate limiter",
    metrics: ["proxy.rl_allowed_per_sec", "proxy.rl_limited_per_sec", "proxy.rl_blocked_per_sec"],
    stacked: true,
    levelsOf: null,
    empty: NO_DATA,
  },
];
