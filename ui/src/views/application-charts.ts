/** The charts and cards of APIs and proxies, as data; metrics are asked for one target. */
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

export const MORE_API_CARDS = [
  "api.successful_per_sec",
  "api.failed_per_sec",
  "api.avg_ms",
  "api.active_sessions",
  "api.cpu_pct",
  "api.memory_bytes",
  "api.throughput_bytes_per_sec",
  "api.db_connections",
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

export const MORE_PROXY_CARDS: readonly [string, readonly string[]][] = [
  [
    "Requests and bytes",
    [
      "proxy.success_per_sec",
      "proxy.client_errors_per_sec",
      "proxy.server_errors_per_sec",
      "proxy.requests_in_progress",
      "proxy.bytes_received_per_sec",
      "proxy.bytes_sent_per_sec",
      "proxy.latency_p50_ms",
      "proxy.latency_p99_ms",
    ],
  ],
  [
    "Connections and TLS",
    [
      "proxy.http1_pct",
      "proxy.http2_pct",
      "proxy.http3_pct",
      "proxy.webtransport_pct",
      "proxy.tls_handshakes_per_sec",
      "proxy.handshake_failures_per_sec",
      "proxy.pqc_enabled",
      "proxy.connections_per_sec",
    ],
  ],
  [
    "Limiter, firewall and upstream",
    [
      "proxy.rl_checked_per_sec",
      "proxy.rl_allowed_per_sec",
      "proxy.rl_limited_per_sec",
      "proxy.rl_blocked_per_sec",
      "proxy.waf_blocked_per_sec",
      "proxy.upstream_avg_ms",
      "proxy.cpu_pct",
      "proxy.memory_bytes",
    ],
  ],
];

const SILENT = "The target told nothing of this in this range.";

export const API_CHARTS: readonly ChartSpec[] = [
  {
    id: "api-requests",
    title: "API: requests",
    metrics: ["api.requests_per_sec", "api.failed_per_sec", "api.waf_blocked_per_sec"],
    labels: {
      "api.requests_per_sec": "All",
      "api.failed_per_sec": "Failed",
      "api.waf_blocked_per_sec": "Refused by the firewall",
    },
    empty: SILENT,
  },
  {
    id: "api-errors",
    title: "API: errors",
    metrics: ["api.error_pct"],
    empty: SILENT,
  },
  {
    id: "api-latency",
    title: "API: latency",
    metrics: ["api.p50_ms", "api.p95_ms", "api.p99_ms"],
    levelsOf: "api.p95_ms",
    empty: SILENT,
  },
  {
    id: "api-database",
    title: "API: response of its database",
    metrics: ["api.db_response_ms"],
    labels: { "api.db_response_ms": "Response" },
    empty: SILENT,
  },
];

/** By class of status: keys that begin with the target's name. */
export const STATUS_CHARTS: readonly ChartSpec[] = [
  {
    id: "api-status",
    title: "Answers by class of status",
    metrics: ["api.responses_per_sec"],
    stacked: true,
    levelsOf: null,
    empty: "The target does not tell statuses by endpoint.",
  },
];

export const PROXY_CHARTS: readonly ChartSpec[] = [
  {
    id: "proxy-requests",
    title: "Proxy: requests by result",
    metrics: ["proxy.success_per_sec", "proxy.client_errors_per_sec", "proxy.server_errors_per_sec"],
    stacked: true,
    levelsOf: null,
    empty: SILENT,
  },
  {
    id: "proxy-latency",
    title: "Proxy: latency",
    metrics: [
      "proxy.latency_p50_ms",
      "proxy.latency_p95_ms",
      "proxy.latency_p99_ms",
      "proxy.upstream_p95_ms",
    ],
    levelsOf: "proxy.latency_p95_ms",
    empty: SILENT,
  },
  {
    id: "protocols",
    title: "Share of connections by protocol",
    metrics: ["proxy.http1_pct", "proxy.http2_pct", "proxy.http3_pct", "proxy.webtransport_pct"],
    stacked: true,
    levelsOf: null,
    ceiling: 100,
    empty: SILENT,
  },
  {
    id: "pqc",
    title: "Post-quantum handshakes",
    metrics: ["proxy.pqc_pct"],
    ceiling: 100,
    empty: SILENT,
  },
  {
    id: "limiter",
    title: "Rate limiter",
    metrics: ["proxy.rl_allowed_per_sec", "proxy.rl_limited_per_sec", "proxy.rl_blocked_per_sec"],
    stacked: true,
    levelsOf: null,
    empty: SILENT,
  },
  {
    id: "proxy-bytes",
    title: "Proxy: bytes",
    metrics: ["proxy.bytes_received_per_sec", "proxy.bytes_sent_per_sec"],
    empty: SILENT,
  },
];
