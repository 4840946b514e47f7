/** What is folded away of an API or a proxy, by topic, as data; metrics are asked for one target. */
import type { ChartSpec } from "../charts/chart";

export interface FoldedTarget {
  id: string;
  cards: readonly string[];
  charts: readonly ChartSpec[];
}

const NO_DATA = "The target reported no data for this range.";

export const API_FOLDED: readonly FoldedTarget[] = [
  { id: "api-latency", cards: [], charts: [] },
  {
    id: "api-more",
    cards: [
      "api.successful_per_sec",
      "api.failed_per_sec",
      "api.avg_ms",
      "api.active_sessions",
      "api.cpu_pct",
      "api.memory_bytes",
      "api.throughput_bytes_per_sec",
      "api.db_connections",
    ],
    charts: [
      {
        id: "api-database",
        title: "Database response time",
        metrics: ["api.db_response_ms"],
        labels: { "api.db_response_ms": "Response" },
        empty: NO_DATA,
      },
    ],
  },
];

export const PROXY_FOLDED: readonly FoldedTarget[] = [
  { id: "proxy-latency", cards: [], charts: [] },
  {
    id: "proxy-traffic",
    cards: [
      "proxy.success_per_sec",
      "proxy.client_errors_per_sec",
      "proxy.server_errors_per_sec",
      "proxy.requests_in_progress",
      "proxy.bytes_received_per_sec",
      "proxy.bytes_sent_per_sec",
      "proxy.latency_p50_ms",
      "proxy.latency_p99_ms",
    ],
    charts: [
      {
        id: "proxy-bytes",
        title: "Bytes",
        metrics: ["proxy.bytes_received_per_sec", "proxy.bytes_sent_per_sec"],
        empty: NO_DATA,
      },
    ],
  },
  {
    id: "proxy-tls",
    cards: [
      "proxy.http1_pct",
      "proxy.http2_pct",
      "proxy.http3_pct",
      "proxy.webtransport_pct",
      "proxy.tls_handshakes_per_sec",
      "proxy.handshake_failures_per_sec",
      "proxy.pqc_enabled",
      "proxy.connections_per_sec",
    ],
    charts: [
      {
        id: "pqc",
        title: "Post-quantum handshakes",
        metrics: ["proxy.pqc_pct"],
        ceiling: 100,
        empty: NO_DATA,
      },
    ],
  },
  {
    id: "proxy-limits",
    cards: [
      "proxy.rl_checked_per_sec",
      "proxy.rl_allowed_per_sec",
      "proxy.rl_limited_per_sec",
      "proxy.rl_blocked_per_sec",
      "proxy.waf_blocked_per_sec",
      "proxy.upstream_avg_ms",
      "proxy.cpu_pct",
      "proxy.memory_bytes",
    ],
    charts: [],
  },
];
