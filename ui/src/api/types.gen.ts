/**
 * Shapes of the JSON answers, named as in `docs/API.md`.
 *
 * Nothing but types lives here, so that the file can be generated from the server's structs and
 * compared with what is committed.
 */

export type Severity = "ok" | "info" | "warn" | "crit" | "unknown";

export type Unit =
  | "percent"
  | "bytes"
  | "bytes_per_sec"
  | "per_sec"
  | "count"
  | "ms"
  | "secs"
  | "ratio"
  | "bool"
  | "text"
  | "time_ms"
  | "severity";

export interface ErrorAnswer {
  error: { code: string; message: string; since_ms?: number | null };
}

export interface Meta {
  version: string;
  interval_secs: number;
  hosts: HostMeta[];
  metrics: MetricMeta[];
  tables: TableMeta[];
}

export interface HostMeta {
  id: number;
  name: string;
  last_ms: number | null;
}

export interface MetricMeta {
  id: string;
  label: string;
  unit: Unit;
  keyed: boolean;
  better: "lower" | "higher" | "neither";
  levels: Levels | null;
  what: string;
  how: string;
  fix: string;
}

export interface Levels {
  info: number | null;
  warn: number | null;
  crit: number | null;
}

export interface TableMeta {
  name: string;
  title: string;
  columns: ColumnMeta[];
  chips: ChipMeta[];
  default_sort: string;
  empty: string;
}

export interface ColumnMeta {
  id: string;
  label: string;
  unit: Unit;
  metric: string | null;
  what: string;
  primary: boolean;
}

export interface ChipMeta {
  id: string;
  label: string;
  values: { id: string; label: string }[];
}

export interface Now {
  now_ms: number;
  version: string;
  host: {
    id: number;
    name: string;
    kernel: string;
    cores: number;
    memory_bytes: number;
    boot_ms: number | null;
  };
  verdict: { severity: Severity; text: string; since_ms: number | null };
  freshness: {
    newest_ms: number | null;
    age_secs: number | null;
    interval_secs: number;
    state: "live" | "late" | "stale" | "empty";
  };
  agent: {
    state: "running" | "silent" | "stopped" | "never";
    heartbeat_ms: number | null;
    pending_records: number | null;
  };
  database: { state: "ok" | "unreachable"; since_ms: number | null; message: string };
  problems: Problem[];
  areas: Area[];
  badges: Record<string, { severity: Severity; count: number }>;
  facts: Fact[];
  generation: string;
}

export interface Fact {
  metric: string;
  key: string | null;
  value: number | null;
  severity: Severity;
}

export interface Problem {
  id: string;
  severity: Severity;
  title: string;
  metric: string;
  key: string | null;
  value: number | null;
  level: number | null;
  since_ms: number | null;
  view: string;
  fix: string;
}

export interface Area {
  id: string;
  label: string;
  view: string;
  severity: Severity;
  count: number;
  worst: string;
}

export interface SeriesAnswer {
  now_ms: number;
  t0_ms: number;
  step_ms: number;
  n: number;
  source: "raw" | "hourly" | "daily";
  generation: string;
  cursor: string;
  partial: boolean;
  series: Series[];
  gaps: [number, number][];
  marks: Mark[];
  errors: { metric: string; message: string }[];
}

export interface Series {
  metric: string;
  key: string | null;
  lo: (number | null)[];
  hi: (number | null)[];
  avg: (number | null)[];
  last: number | null;
}

export interface Mark {
  at_ms: number;
  text: string;
  severity: Severity;
}

export type Cell = number | string | boolean | null;

export interface TableAnswer {
  now_ms: number;
  at_ms: number | null;
  total: number;
  matched: number;
  page: number;
  pages: number;
  rows: TableRow[];
  facets: Record<string, Record<string, number>>;
  chip_severities: Record<string, Record<string, Severity>>;
  note: string;
}

export interface TableRow {
  id: string;
  cells: Cell[];
  severities: (Severity | null)[];
  severity: Severity;
}
