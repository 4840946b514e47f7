/** The charts and cards of a PostgreSQL server, as data; metrics are asked for one server. */
import { metricWithKey } from "../api/series";
import type { BarsSpec } from "../charts/bars";
import type { ChartSpec } from "../charts/chart";
import { ofServer, withinServer } from "./scope";

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

const WRITERS: Readonly<Record<string, string>> = {
  "db.buffers_checkpoint_per_sec": "Checkpoints",
  "db.buffers_clean_per_sec": "Background writer",
  "db.buffers_backend_per_sec": "Sessions",
};

const NO_SERVER = "The server told nothing of this in this range.";

const CHARTS: readonly ChartSpec[] = [
  {
    id: "waits",
    title: "What sessions at work wait for",
    metrics: WAITS,
    stacked: true,
    levelsOf: null,
    wide: true,
    empty: NO_SERVER,
  },
  {
    id: "connections",
    title: "Connections by state",
    metrics: STATES,
    stacked: true,
    overlays: ["db.conn_waiting"],
    levelsOf: null,
    empty: NO_SERVER,
  },
  {
    id: "transactions",
    title: "Transactions",
    metrics: ["db.xact_commit_per_sec", "db.xact_rollback_per_sec"],
    empty: NO_SERVER,
  },
  {
    id: "db-cache",
    title: "Cache hits",
    metrics: ["db.cache_hit_pct"],
    ceiling: 100,
    empty: NO_SERVER,
  },
  {
    id: "ages",
    title: "Longest statement and transaction",
    metrics: ["db.longest_query_secs", "db.oldest_xact_secs"],
    levelsOf: "db.oldest_xact_secs",
    empty: NO_SERVER,
  },
  {
    id: "wal",
    title: "WAL written",
    metrics: ["db.wal_bytes_per_sec"],
    empty: NO_SERVER,
  },
  {
    id: "wal-records",
    title: "WAL records and full-page images",
    metrics: ["db.wal_records_per_sec", "db.wal_fpi_per_sec"],
    empty: NO_SERVER,
  },
  {
    id: "buffers-written",
    title: "Buffers written, by whom",
    metrics: Object.keys(WRITERS),
    labels: WRITERS,
    stacked: true,
    levelsOf: null,
    empty: NO_SERVER,
  },
  {
    id: "rows",
    title: "Rows read and written",
    metrics: ["db.tup_returned_per_sec", "db.tup_fetched_per_sec", "db.tup_written_per_sec"],
    empty: NO_SERVER,
  },
  {
    id: "temp",
    title: "Temporary files",
    metrics: ["db.temp_bytes_per_sec"],
    empty: NO_SERVER,
  },
];

const MODES = [
  "db.lock_access_share",
  "db.lock_row_share",
  "db.lock_row_exclusive",
  "db.lock_share_update_exclusive",
  "db.lock_share",
  "db.lock_share_row_exclusive",
  "db.lock_exclusive",
  "db.lock_access_exclusive",
];

export const serverCharts = (instance: string): ChartSpec[] => ofServer(CHARTS, instance);

export function lockBars(instance: string): BarsSpec {
  return {
    id: "locks",
    title: "Locks on relations, by mode",
    metrics: MODES.map((id) => metricWithKey(id, instance)),
    empty: NO_SERVER,
  };
}

export function sizeCharts(instance: string): ChartSpec[] {
  return withinServer(
    [
      {
        id: "db-size",
        title: "Size of databases",
        metrics: ["database.size_bytes"],
        stacked: true,
        levelsOf: null,
        empty: "No size was read in this range; the role needs CONNECT.",
      },
    ],
    instance,
  );
}
