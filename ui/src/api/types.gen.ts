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
  scored: boolean;
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
  changes: RecentChange[];
  areas: Area[];
  badges: Record<string, Badge>;
  facts: Fact[];
  generation: string;
  fleet?: FleetNow;
}

export interface HostNow {
  id: number;
  name: string;
  kernel: string;
  cores: number | null;
  memory_bytes: number | null;
  boot_ms: number | null;
  first_ms: number | null;
}

export interface FleetNow {
  hosts: number;
  severity: Severity;
  text: string;
  bad: number;
  unread: number;
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

export type AgentState = "running" | "silent" | "stopped" | "never" | "unknown";

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
  as_of_ms: number | null;
  unknown_since_ms: number | null;
  finding: string | null;
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

export interface RecentChange {
  at_ms: number;
  text: string;
  severity: Severity;
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
  source: "raw" | "hourly" | "daily";
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

export interface SnapshotAnswer {
  now_ms: number;
  snapshot: Snapshot | null;
}

export interface CompareAnswer {
  now_ms: number;
  comparison: Comparison | null;
}

export interface BandsAnswer {
  now_ms: number;
  bands: Band[];
}

export interface Band {
  metric: string;
  key: string | null;
  hours: [number, number, number][];
}

export interface Snapshot {
  host: string;
  at_ms: number;
  from_ms: number;
  to_ms: number;
  before_from_ms: number;
  before_to_ms: number;
  source: "raw" | "hourly" | "daily";
  finding: SnapshotFinding | null;
  focus: Focus | null;
  peaks: Peak[];
  changed: Changed;
  charts: SnapshotChart[];
  processes: TopProcess[];
  statements: TopStatement[];
  events: SnapshotEvent[];
  more_events: number;
  previous: Beside | null;
  next: Beside | null;
  notes: string[];
}

export interface Comparison {
  from_ms: number;
  to_ms: number;
  before_from_ms: number;
  before_to_ms: number;
  source: "raw" | "hourly" | "daily";
  changed: Changed;
  notes: string[];
}

export interface SnapshotFinding {
  id: string;
  kind: string;
  severity: Severity;
  worst: Severity;
  state: string;
  domain: string;
  rule: string;
  metric: string | null;
  metric_key: string | null;
  title: string;
  message: string;
  cause: string | null;
  steps: string[];
  command: string | null;
  action_sql: string | null;
  opened_ms: number;
  resolved_ms: number | null;
  value: number | null;
  threshold: number | null;
  expected: number | null;
  stddev: number | null;
  direction: string | null;
  z_score: number | null;
  drift_pct: number | null;
}

export interface Focus {
  metric: string;
  key: string | null;
  label: string;
  unit: Unit;
  value: number | null;
  before: number | null;
  usual: number | null;
  usual_spread: number | null;
}

export interface Peak {
  metric: string;
  key: string | null;
  label: string;
  unit: Unit;
  is_least: boolean;
  worst: number;
  before: number | null;
}

export interface Changed {
  rows: SnapshotChange[];
  compared: number;
  more: number;
  appeared: Appearance[];
  more_appeared: number;
  silent: Appearance[];
  more_silent: number;
}

export interface SnapshotChange {
  metric: string;
  key: string | null;
  label: string;
  unit: Unit;
  domain: string;
  value: number;
  at_ms: number;
  before: number;
  effect: number;
  usual: number | null;
  usual_effect: number | null;
  is_worse: boolean | null;
  score: number;
  more_keys: number;
}

export interface Appearance {
  metric: string;
  key: string | null;
  label: string;
  unit: Unit;
  value: number;
}

export interface SnapshotChart {
  id: string;
  title: string;
  metrics: string[];
  stacked: boolean;
}

export interface TopProcess {
  name: string;
  cpu_pct: number | null;
  cpu_pct_before: number | null;
  rss_bytes: number | null;
}

export interface TopStatement {
  id: string;
  instance: string;
  database: string;
  query: string | null;
  calls: number;
  exec_ms: number;
  share_pct: number | null;
}

export interface SnapshotEvent {
  at_ms: number;
  end_ms: number | null;
  kind: string;
  severity: Severity;
  source: string;
  text: string;
  times: number;
  finding: string | null;
  pattern: string | null;
}

export interface Beside {
  id: string;
  at_ms: number;
  severity: Severity;
  title: string;
}

export interface TrafficSites {
  now_ms: number;
  sites: TrafficSite[];
  dimensions: TrafficDimension[];
}

export interface TrafficSite {
  domain: string;
  time_zone: string;
  first_ms: number | null;
}

export interface TrafficDimension {
  id: string;
  label: string;
}

export interface TrafficSummary {
  now_ms: number;
  figures: TrafficFigure[];
  is_compared: boolean;
  note: string;
}

export interface TrafficFigure {
  id: string;
  label: string;
  unit: Unit;
  what: string;
  value: number | null;
  before: number | null;
}

export interface TrafficCurve {
  now_ms: number;
  step: "hour" | "day";
  points: TrafficPoint[];
  marks: Mark[];
}

export interface TrafficPoint {
  at_ms: number;
  visitors: number;
  visits: number;
  views: number;
  visitors_before: number | null;
  views_before: number | null;
}

export interface TrafficLive {
  now_ms: number;
  visitors: number;
  views: number[];
  pages: TrafficCount[];
  sources: TrafficCount[];
  refusals: TrafficRefusal[];
}

export interface TrafficCount {
  name: string;
  count: number;
}

export interface TrafficRefusal {
  reason: string;
  detail: string;
  count: number;
  last_ms: number;
  remedy: string;
}
