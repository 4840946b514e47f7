/** What is folded away of a PostgreSQL server, by topic, as data; metrics are asked for one server. */
import type { ChartSpec } from "../charts/chart";

export interface Folded {
  cards: readonly string[];
  charts: readonly ChartSpec[];
  tables: readonly string[];
}

const NO_DATA = "The server reported no data for this range.";

const WRITERS: Readonly<Record<string, string>> = {
  "db.buffers_checkpoint_per_sec": "Checkpoints",
  "db.buffers_clean_per_sec": "Background writer",
  "db.buffers_backend_per_sec": "Sessions",
};

/** Held locks, one bar each. */
export const LOCK_MODES = [
  "db.lock_access_share",
  "db.lock_row_share",
  "db.lock_row_exclusive",
  "db.lock_share_update_exclusive",
  "db.lock_share",
  "db.lock_share_row_exclusive",
  "db.lock_exclusive",
  "db.lock_access_exclusive",
];

/** Charts of what happens seldom enough to be counted, with the time their rate is per, in milliseconds. */
export const COUNTED: Readonly<Record<string, number>> = { checkpoints: 3_600_000, deadlocks: 1000 };

export const FOLDED: Readonly<Record<string, Folded>> = {
  statements: {
    cards: [
      "db.xact_commit_per_sec",
      "db.xact_rollback_per_sec",
      "db.rollback_pct",
      "db.longest_query_secs",
      "db.conn_idle_in_xact",
      "db.oldest_idle_in_xact_secs",
      "db.locks_waiting",
      "db.longest_lock_wait_secs",
    ],
    charts: [
      {
        id: "db-cache",
        title: "Cache hit ratio",
        metrics: ["db.cache_hit_pct"],
        ceiling: 100,
        empty: NO_DATA,
      },
      {
        id: "rows",
        title: "Rows read and written",
        metrics: ["db.tup_returned_per_sec", "db.tup_fetched_per_sec", "db.tup_written_per_sec"],
        empty: NO_DATA,
      },
      { id: "temp", title: "Temporary files", metrics: ["db.temp_bytes_per_sec"], empty: NO_DATA },
      {
        id: "deadlocks",
        title: "Deadlocks",
        metrics: ["db.deadlocks_per_sec"],
        stacked: true,
        levelsOf: null,
        empty: NO_DATA,
      },
    ],
    tables: [],
  },
  vacuum: {
    cards: [
      "db.wraparound_pct",
      "db.multixact_wraparound_pct",
      "db.oldest_xmin_age",
      "db.prepared_xacts",
      "db.conn_total",
      "db.conn_hidden",
      "db.temp_bytes_per_sec",
      "db.answer_ms",
    ],
    charts: [],
    tables: [],
  },
  wal: {
    cards: [
      "db.checkpoints_req_pct",
      "db.checkpoint_write_pct",
      "db.checkpoint_sync_pct",
      "db.buffers_checkpoint_per_sec",
      "db.buffers_clean_per_sec",
      "db.maxwritten_clean_per_sec",
      "db.buffers_backend_per_sec",
      "db.buffers_alloc_per_sec",
      "db.wal_bytes_per_sec",
      "db.wal_records_per_sec",
      "db.wal_fpi_per_sec",
      "db.wal_buffers_full_per_sec",
      "db.wal_write_ms",
      "db.wal_sync_ms",
      "db.wal_write_per_sec",
      "db.archive_failing",
    ],
    charts: [
      {
        id: "checkpoints",
        title: "Checkpoints",
        metrics: ["db.checkpoints_timed_per_hour", "db.checkpoints_req_per_hour"],
        labels: { "db.checkpoints_timed_per_hour": "Timed", "db.checkpoints_req_per_hour": "Requested" },
        stacked: true,
        levelsOf: null,
        empty: NO_DATA,
      },
      {
        id: "buffers-written",
        title: "Buffers written by writer",
        metrics: Object.keys(WRITERS),
        labels: WRITERS,
        stacked: true,
        levelsOf: null,
        empty: NO_DATA,
      },
      { id: "wal", title: "WAL written", metrics: ["db.wal_bytes_per_sec"], empty: NO_DATA },
      {
        id: "wal-records",
        title: "WAL records, full-page images",
        metrics: ["db.wal_records_per_sec", "db.wal_fpi_per_sec"],
        empty: NO_DATA,
      },
    ],
    tables: [],
  },
  databases: { cards: [], charts: [], tables: ["databases"] },
  settings: { cards: [], charts: [], tables: ["checks", "settings_db"] },
};

/** Of what belongs to a server: keys that begin with its name. */
export const SIZES: ChartSpec = {
  id: "db-size",
  title: "Database size",
  metrics: ["database.size_bytes"],
  stacked: true,
  levelsOf: null,
  empty: "No size was read in this range; the role needs CONNECT.",
};
