/** Now: is anything wrong, what, since when, and what to do. */
import { useRef, useState } from "preact/hooks";
import { metricWithKey } from "../api/series";
import { metricsById, now, nowFailure, problemCount, trusted, verdict } from "../api/store";
import type { Area, Problem } from "../api/types.gen";
import { FactCards } from "../app/card";
import { Coded } from "../app/coded";
import { ViewLink } from "../app/link";
import { Empty, Since, Skeleton } from "../app/panel";
import { Part } from "../app/part";
import { SEVERITY_WORD, SeverityMark, Shape } from "../app/shape";
import { useTallest } from "../app/tallest";
import { Chart, type ChartSpec } from "../charts/chart";
import { Spark } from "../charts/spark";
import { withoutTime } from "../format/time";
import { formatValue } from "../format/value";
import { CPU, LOAD, MEMORY } from "./host-charts";
import { HostFacts } from "./host-facts";
import { viewById } from "./registry";

const PRESSURE: ChartSpec = {
  id: "now-pressure",
  title: "Pressure: time lost waiting",
  metrics: ["system.pressure_cpu_some_pct", "system.pressure_memory_some_pct", "system.pressure_io_some_pct"],
  labels: {
    "system.pressure_cpu_some_pct": "CPU",
    "system.pressure_memory_some_pct": "Memory",
    "system.pressure_io_some_pct": "Disk",
  },
  empty: "The kernel reports no pressure (PSI); it needs Linux 4.20 with psi=1.",
};

/** Shown where the host watches such things. */
const SERVICES: readonly (ChartSpec & { needs: string })[] = [
  { needs: "api.", id: "now-api-errors", title: "API: errors", metrics: ["api.error_pct"] },
  { needs: "api.", id: "now-api-p95", title: "API: p95 latency", metrics: ["api.p95_ms"] },
  { needs: "db.", id: "now-active", title: "PostgreSQL: active sessions", metrics: ["db.conn_active"] },
  { needs: "db.", id: "now-waiting", title: "PostgreSQL: waiting for locks", metrics: ["db.conn_waiting"] },
];

const SWAP = "system.swap_used_pct";
const CARDS = [
  "system.cpu_busy_pct",
  "system.mem_used_pct",
  SWAP,
  "system.load_per_core",
  "mount.used_pct",
  "disk.busy_pct",
];

/** Beyond these only what is critical is shown at once. */
const SHOWN = 7;

export default function NowView() {
  if (!now.value) {
    return nowFailure.value ? (
      <Empty height={300}>Nothing is known until the server answers.</Empty>
    ) : (
      <Skeleton height={300} />
    );
  }
  const { facts } = now.value;
  const services = SERVICES.filter(({ needs }) => facts.some(({ metric }) => metric.startsWith(needs)));
  return (
    <>
      <Verdict />
      <Problems />
      <Areas />
      <div class="charts">
        {[...services, CPU, MEMORY, LOAD, PRESSURE].map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
      </div>
      <h2>Host</h2>
      <FactCards metrics={CARDS} optional={[SWAP]} label="Latest values" />
      <HostFacts />
    </>
  );
}

function Verdict() {
  const { severity, text, since_ms } = verdict.value;
  return (
    <div class={`verdict ${severity}`}>
      <Shape severity={severity} />
      <p>
        <span class="unseen">{SEVERITY_WORD[severity]}: </span>
        {since_ms === null ? text : withoutTime(text)}{" "}
        {severity !== "ok" && <Since ms={since_ms} words="Since " />}
      </p>
    </div>
  );
}

function Problems() {
  const [all, setAll] = useState(false);
  const root = useRef<HTMLElement>(null);
  useTallest(root, all);
  const problems = now.value?.problems ?? [];
  const folded = problems.slice(SHOWN).filter(({ severity }) => severity !== "critical");
  // A button takes as much room as one problem.
  const isFolding = folded.length > 1 && !all;
  const shown = isFolding ? problems.slice(0, problems.length - folded.length) : problems;
  return (
    <section ref={root} class="problem-room" aria-label="Problems">
      {verdict.value.severity === "ok" && problems.length === 0 && (
        <p class="muted">Nothing needs attention.</p>
      )}
      <ul class="problems">
        {shown.map((problem) => (
          <ProblemRow key={problem.id} problem={problem} />
        ))}
      </ul>
      {folded.length > 1 && (
        <button type="button" class="button" onClick={() => setAll(!all)}>
          {all ? "Fewer" : `${problemCount.value - shown.length} more, none critical`}
        </button>
      )}
      {!isFolding && problemCount.value > problems.length && (
        <span class="muted">
          {" "}
          {problemCount.value - problems.length} less severe problems are in their views.
        </span>
      )}
    </section>
  );
}

/** Which server or target a view is to show when it is opened for a problem. */
function pickOf({ key, view }: Problem): Record<string, string> {
  if (key === null) return {};
  if (view === "api") return { "f.target": key };
  return ABOUT_SERVERS.includes(view) ? { "f.instance": key } : {};
}

const ABOUT_SERVERS: readonly string[] = ["postgres", "tables", "queries", "replication"];

/** Problems of the data themselves are known however old the data are. */
function isCertain(problem: Problem): boolean {
  return problem.id === (now.value?.database.state === "ok" ? "agent" : "database");
}

function ProblemRow({ problem }: { problem: Problem }) {
  const isOld = !trusted.value && !isCertain(problem);
  const metric = metricsById.value.get(problem.metric);
  const unit = metric?.unit ?? "count";
  // Its title has said all there is.
  const isState = unit === "bool";
  const view = viewById(problem.view);
  return (
    <li class={`problem panel ${problem.severity}${isOld ? " grey" : ""}`}>
      <SeverityMark severity={problem.severity} />
      <div class="what">
        <strong>{problem.title}</strong>
        <span class="muted">
          {[
            problem.value === null || isState ? "" : `now ${formatValue(problem.value, unit)}`,
            problem.level === null || isState ? "" : `threshold ${formatValue(problem.level, unit)}`,
          ]
            .filter(Boolean)
            .join(", ")}
          {problem.since_ms !== null && (problem.value ?? problem.level) !== null && !isState && " · "}
          <Since ms={problem.since_ms} words="since " />
        </span>
        {problem.cause && <bdi class="cause">{problem.cause}</bdi>}
        {problem.fix && (
          <span class="fix">
            Do next: <Coded text={problem.fix} />
          </span>
        )}
        {problem.command && (
          <Part
            key={problem.command}
            load={() => import("../tables/command")}
            text={problem.command}
            name="command"
          />
        )}
      </div>
      {problem.value === null || isState ? (
        <span class="spark" />
      ) : (
        <Spark metric={metricWithKey(problem.metric, problem.key)} level={problem.level} />
      )}
      {view && (
        <ViewLink view={view.id} params={pickOf(problem)} class="button">
          Go to {view.title}
        </ViewLink>
      )}
    </li>
  );
}

function Areas() {
  // What nobody set up is nothing to worry about, and nothing to be proud of.
  const areas = (now.value?.areas ?? []).filter((area) => area.present);
  if (areas.length === 0) return null;
  return (
    <section class="areas" aria-label="Areas">
      {areas.map((area) => (
        <AreaTile key={area.id} area={area} />
      ))}
    </section>
  );
}

function AreaTile({ area }: { area: Area }) {
  const severity = trusted.value ? area.severity : "unknown";
  const content = (
    <>
      <SeverityMark severity={severity} short />
      <span class="label">{area.label}</span>
      {trusted.value && area.count > 0 && <b>{area.count}</b>}
      <span class="muted clip">
        {trusted.value ? area.worst || (severity === "ok" ? "OK" : "") : "not known"}
      </span>
    </>
  );
  return viewById(area.view) ? (
    <ViewLink view={area.view} class={`area panel ${severity}`}>
      {content}
    </ViewLink>
  ) : (
    <div class={`area panel ${severity}`}>{content}</div>
  );
}
