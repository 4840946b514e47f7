/** Collector: whether the watcher itself is well. */
import { judge } from "../api/judge";
import { clock, metricsById, now, tablesByName } from "../api/store";
import type { Severity, TableRow } from "../api/types.gen";
import { Card, FactCards } from "../app/card";
import { Fold } from "../app/fold";
import { Since } from "../app/panel";
import { Chart, type ChartSpec } from "../charts/chart";
import { atInstant, SIDE_MS } from "../state/instant";
import { goToView, rangeEndsNow } from "../state/location";
import { DataTable } from "../tables/table";

const CARDS = [
  "collector.cpu_pct",
  "collector.rss_bytes",
  "collector.tick_ms",
  "collector.tick_late_ms",
  "collector.spool_bytes",
  "collector.rows_per_sec",
  "collector.commits_per_sec",
  "collector.lost_records_per_sec",
];

const CHARTS: readonly ChartSpec[] = [
  { id: "tick", title: "Tick duration", metrics: ["collector.tick_ms"] },
  { id: "rows", title: "Rows written", metrics: ["collector.rows_per_sec"] },
  { id: "pending", title: "Records waiting", metrics: ["collector.pending_records"] },
  { id: "spool", title: "Queue on disk", metrics: ["collector.spool_bytes"] },
];

/** Folded away below. */
const RESOURCES: readonly ChartSpec[] = [
  { id: "late", title: "Tick lateness", metrics: ["collector.tick_late_ms"] },
  { id: "lost", title: "Records lost", metrics: ["collector.lost_records_per_sec"] },
  { id: "commits", title: "Commits", metrics: ["collector.commits_per_sec"] },
  { id: "agent-rss", title: "Memory (RSS)", metrics: ["collector.rss_bytes"] },
  { id: "agent-cpu", title: "CPU", metrics: ["collector.cpu_pct"] },
  {
    id: "agent-handles",
    title: "File descriptors and threads",
    metrics: ["collector.fd_count", "collector.thread_count"],
    levelsOf: null,
  },
];

const STATE: Record<string, [string, Severity]> = {
  running: ["Running", "ok"],
  silent: ["Silent", "critical"],
  stopped: ["Stopped", "warn"],
  never: ["Never reported", "unknown"],
};

export default function CollectorView() {
  return (
    <>
      <StateCards />
      <FactCards metrics={CARDS} label="Collector values" />
      <Charts specs={CHARTS} />
      <DataTable name="gaps" action={{ label: "Snapshot", run: showGap }} quiet />
      <DataTable name="dead_letters" quiet />
      <DataTable name="collectors" quiet />
      <DataTable name="buffers" quiet />
      <DataTable name="runs" quiet />
      <DataTable name="rollups" quiet />
      <DataTable name="store_sizes" quiet />
      <Fold id="resources" title="Lateness, losses and resources">
        {() => <Charts specs={RESOURCES} />}
      </Fold>
      <Fold id="settings" title="Effective settings">
        {() => <DataTable name="settings" />}
      </Fold>
    </>
  );
}

function Charts({ specs }: { specs: readonly ChartSpec[] }) {
  return (
    <div class="charts">
      {specs.map((spec) => (
        <Chart key={spec.id} spec={spec} />
      ))}
    </div>
  );
}

function StateCards() {
  const state = now.value;
  if (!state) return null;
  const { agent, database } = state;
  const [word, severity] = STATE[agent.state] ?? [agent.state, "unknown"];
  const isSilent = database.state === "ok" && agent.state === "silent";
  const heartbeat = agent.heartbeat_ms;
  const age = heartbeat === null ? null : Math.max(0, (clock.value - heartbeat) / 1000);
  const metric = metricsById.value.get("collector.heartbeat_age_secs");
  return (
    <section class="cards two-lined" data-count="4" aria-label="State">
      {!rangeEndsNow.value && <p class="when muted">Now</p>}
      <Card
        label="State"
        // Whether it ever reported is unknown until the database was read.
        value={agent.state === "unknown" ? null : word}
        unit="text"
        severity={severity}
        isCertain={isSilent}
      />
      <Card
        label="Last heartbeat"
        metric="collector.heartbeat_age_secs"
        value={age === null ? null : Math.round(age)}
        unit="secs"
        severity={judge(age, metric)}
        isCertain={isSilent}
      >
        <Since ms={heartbeat} />
      </Card>
      <Card
        label="Database link"
        value={database.state === "ok" ? "Connected" : "Unreachable"}
        unit="text"
        severity={database.state === "ok" ? "ok" : "critical"}
        isCertain={database.state !== "ok"}
      >
        <Since ms={database.since_ms} words="since " />
      </Card>
      <Card label="Records waiting" value={agent.pending_records} unit="count" severity="ok" />
    </section>
  );
}

/** What happened around a gap; a snapshot has an hour on each side at most. */
function showGap(row: TableRow): void {
  const columns = tablesByName.peek().get("gaps")?.columns ?? [];
  const times = columns
    .map((column, at) => (column.unit === "time_ms" ? row.cells[at] : null))
    .filter((cell): cell is number => typeof cell === "number");
  if (times.length === 0) return;
  const from = Math.min(...times);
  const to = Math.max(...times);
  const sideMs = Math.min(3_600_000, Math.max(SIDE_MS, to - from));
  goToView("snapshot", atInstant(from, {}, sideMs));
}
