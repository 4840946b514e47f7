/**
 * Shapes of the JSON answers, generated from the server's structs. Do not edit: change the structs,
 * then run `UPDATE_TYPES=1 cargo test -p pqcrypta-web --test types`.
 */

/** The domains of findings about lines of logs. */
export const LINE_DOMAINS: readonly string[] = ["logs", "security"];

export type Severity = "ok" | "unknown" | "info" | "warn" | "critical";

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

export type Cell = number | string | boolean | null;

export interface ErrorAnswer {
  error: ErrorBody;
}

export interface ErrorBody {
  code: string;
  message: string;
  since_ms?: number | null;
}

export interface Meta {
  now_ms: number;
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
  every_secs: number;
  better: "lower" | "higher" | "neither";
  levels: Levels | null;
}

export interface Levels {
  info: number | null;
  warn: number | null;
  critical: number | null;
}

export interface TableMeta {
  name: string;
  title: string;
  columns: ColumnMeta[];
  filters: FilterMeta[];
  default_sort: string;
  ranged: boolean;
  empty: string;
}

export interface ColumnMeta {
  id: string;
  label: string;
  unit: Unit;
  metric: string | null;
  primary: boolean;
}

export interface FilterMeta {
  id: string;
  label: string;
  values: FilterValue[];
}

export interface FilterValue {
  id: string;
  label: string;
}

export interface Texts {
  now_ms: number;
  metrics: Record<string, MetricText>;
  columns: Record<string, Record<string, string>>;
}

export interface MetricText {
  what: string;
  how: string;
  fix: string;
}

export interface Now {
  now_ms: number;
  version: string;
  host: HostNow;
  verdict: Verdict;
  freshness: Freshness;
  agent: Agent;
  database: DatabaseNow;
  problems: Problem[];
  ended: Ended[];
  areas: Area[];
  badges: Record<string, Badge>;
  facts: Fact[];
  generation: string;
}

export interface HostNow {
  id: number;
  name: string;
  kernel: string;
  cores: number;
  memory_bytes: number;
  boot_ms: number | null;
  first_ms: number | null;
}

export interface Verdict {
  severity: Severity;
  text: string;
  since_ms: number | null;
}

export interface Freshness {
  newest_ms: number | null;
  age_secs: number | null;
  interval_secs: number;
  state: FreshnessState;
}

export type FreshnessState = "live" | "late" | "stale" | "empty";

export interface Agent {
  state: AgentState;
  heartbeat_ms: number | null;
  pending_records: number | null;
}

export type AgentState = "running" | "silent" | "stopped" | "never";

export interface DatabaseNow {
  state: DatabaseState;
  since_ms: number | null;
  message: string;
}

export type DatabaseState = "ok" | "unreachable";

export interface Problem {
  id: string;
  severity: Severity;
  title: string;
  metric: string;
  key: string | null;
  value: number | null;
  current: number | null;
  level: number | null;
  since_ms: number | null;
  unknown_since_ms: number | null;
  view: string;
  fix: string;
  cause: string;
  command: string;
  effects: Effect[];
}

export interface Effect {
  id: string;
  severity: Severity;
  title: string;
  metric: string;
  key: string | null;
  view: string;
}

export interface Ended {
  id: string;
  severity: Severity;
  title: string;
  since_ms: number;
  ended_ms: number;
  view: string;
}

export interface Area {
  id: string;
  label: string;
  view: string;
  present: boolean;
  severity: Severity;
  count: number;
  worst: string;
}

export interface Badge {
  severity: Severity;
  count: number;
}

export interface Fact {
  metric: string;
  key: string | null;
  value: number | null;
  severity: Severity;
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
  errors: SeriesError[];
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

export interface SeriesError {
  metric: string;
  message: string;
}

export interface TableAnswer {
  now_ms: number;
  at_ms: number | null;
  total: number;
  matched: number;
  page: number;
  pages: number;
  rows: TableRow[];
  facets: Record<string, Record<string, number>>;
  filter_severities: Record<string, Record<string, Severity>>;
  sums: Record<string, number>;
  note: string;
}

export interface TableRow {
  id: string;
  cells: Cell[];
  severities: (Severity | null)[];
  severity: Severity;
}

export interface LogsAnswer {
  now_ms: number;
  rows: LogRow[];
  older: string | null;
  newer: string | null;
  searched_ms: number | null;
  kept_from_ms: number | null;
  matched: number | null;
  facets: Record<string, Record<string, number>>;
}

export interface LogRow {
  id: string;
  ts_ms: number;
  source: string;
  level: string;
  component: string;
  message: string;
  message_chars: number | null;
  context: string | null;
  fingerprint: string;
}

export interface AlertsAnswer {
  now_ms: number;
  counts: AlertCount[];
  resolved: number;
  mean_secs: number | null;
  last: EndedAlert | null;
  flapping: FlappingAlert[];
  lanes: AlertLane[];
  more_lanes: number;
  heartbeats: HeartbeatStrip[];
}

export interface AlertCount {
  severity: Severity;
  state: string;
  count: number;
}

export interface EndedAlert {
  id: string;
  title: string;
  at_ms: number;
  secs: number;
}

export interface FlappingAlert {
  id: string;
  title: string;
  severity: Severity;
  times: number;
}

export interface AlertLane {
  rule: string;
  target: string;
  title: string;
  kind: string;
  domain: string;
  state: string;
  severity: Severity;
  worst: Severity;
  bars: AlertBar[];
}

export interface AlertBar {
  id: string;
  opened_ms: number;
  resolved_ms: number | null;
  unknown_ms: number | null;
  changes: SeverityChange[];
}

export interface SeverityChange {
  at_ms: number;
  severity: Severity;
}

export interface HeartbeatStrip {
  component: string;
  t0_ms: number;
  step_ms: number;
  every_secs: number;
  shares: (number | null)[];
}
