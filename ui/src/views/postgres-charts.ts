/** What is shown of a PostgreSQL server at first sight, as data; metrics are asked for one server. */
import type { ChartSpec } from "../charts/chart";

export const KEY_CARDS = [
  "db.cache_hit_pct",
  "db.conn_used_pct",
  "db.conn_active",
  "db.conn_idle",
  "db.conn_waiting",
  "db.slow_queries",
  "db.deadlocks_per_sec",
  "db.oldest_xact_secs",
];

/** What is folded away below: the ids of `postgres-folded.ts` with their titles. */
export const TOPICS: readonly (readonly [string, string])[] = [
  ["statements", "Statements, transactions and locks"],
  ["vacuum", "Vacuum and transaction IDs"],
  ["wal", "Checkpoints, buffers and WAL"],
  ["databases", "Databases"],
  ["settings", "Checks and settings"],
];

const WAITS = [
  "db.wait_none",
  "db.wait_io",
  "db.wait_lock",
  "db.wait_lwlock",
  "db.wait_client",
  "db.wait_ipc",
  "db.wait_timeout",
  "db.wait_bufferpin",
  "db.wait_extension",
  "db.wait_activity",
];

const STATES = ["db.conn_active", "db.conn_idle_in_xact", "db.conn_idle", "db.conn_waiting"];

const NO_DATA = "The server reported no data for this range.";

export const KEY_CHARTS: readonly ChartSpec[] = [
  {
    id: "waits",
    title: "Active sessions by wait type",
    metrics: WAITS,
    stacked: true,
    levelsOf: null,
    empty: NO_DATA,
  },
  {
    id: "connections",
    title: "Connections by state",
    metrics: STATES,
    stacked: true,
    overlays: ["db.conn_waiting"],
    labels: {
      "db.conn_active": "Active",
      "db.conn_idle_in_xact": "Idle in transaction",
      "db.conn_idle": "Idle",
      "db.conn_waiting": "Waiting for a lock",
    },
    levelsOf: null,
    empty: NO_DATA,
  },
  {
    id: "transactions",
    title: "Transactions",
    metrics: ["db.xact_commit_per_sec", "db.xact_rollback_per_sec"],
    empty: NO_DATA,
  },
  {
    id: "ages",
    title: "Longest run times",
    metrics: ["db.longest_query_secs", "db.oldest_xact_secs"],
    labels: { "db.longest_query_secs": "Statement", "db.oldest_xact_secs": "Transaction" },
    levelsOf: "db.oldest_xact_secs",
    empty: NO_DATA,
  },
];
