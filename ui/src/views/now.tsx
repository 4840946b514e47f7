/** Now: is anything wrong, what, since when, and what to do. */
import { useRef } from "preact/hooks";
import { now, nowFailure, trusted, verdict } from "../api/store";
import type { Area, Now } from "../api/types.gen";
import { FactCards } from "../app/card";
import { Later } from "../app/later";
import { ViewLink } from "../app/link";
import { Empty, Since, Skeleton } from "../app/panel";
import { Part } from "../app/part";
import { SEVERITY_WORD, SeverityMark, Shape } from "../app/shape";
import { Chart, type ChartSpec } from "../charts/chart";
import { formatClock, withoutTime } from "../format/time";
import { keepUnits } from "../format/value";
import { utc } from "../state/location";
import { CPU, LOAD, MEMORY, PRESSURE } from "./host-charts";
import { Problems } from "./problems";
import { viewById } from "./registry";

/** Shown where the host watches such things. */
const SERVICES: readonly (ChartSpec & { needs: string })[] = [
  { needs: "api.", id: "now-api-errors", title: "API: errors", metrics: ["api.error_pct"] },
  { needs: "api.", id: "now-api-p95", title: "API: p95 latency", metrics: ["api.p95_ms"] },
  { needs: "db.", id: "now-active", title: "Active sessions", metrics: ["db.conn_active"] },
  { needs: "db.", id: "now-waiting", title: "Waiting for locks", metrics: ["db.conn_waiting"] },
];

/** Those of every host; a legend has the lines it takes on the narrowest screen. */
const HOST: readonly ChartSpec[] = [
  { ...CPU, legendLines: 3 },
  ...[MEMORY, LOAD, PRESSURE].map((spec) => ({ ...spec, legendLines: 2 })),
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

/** A host that is younger may have parts that no sample has come of yet. */
const YOUNG_MS = 300_000;

export default function NowView() {
  // What is shown of a host is settled when it is opened; what it has besides from then on, the next time.
  const settled = useRef<Now | null>(null);
  const state = now.value;
  if (!state) {
    return nowFailure.value ? <Empty height={300}>Waiting for the server.</Empty> : <Skeleton height={300} />;
  }
  const isSettled = settled.current?.host.id === state.host.id && settled.current.facts.length > 0;
  const isYoung = state.now_ms - (state.host.first_ms ?? 0) < YOUNG_MS;
  const first = isSettled && !(isYoung && trusted.value) && settled.current ? settled.current : state;
  settled.current = first;
  const services = SERVICES.filter(({ needs }) => first.facts.some(({ metric }) => metric.startsWith(needs)));
  // An area that is not configured is neither a problem nor a success.
  const used = first.areas.filter((area) => area.present).map(({ id }) => id);
  return (
    <>
      <Verdict state={state} />
      {state.fleet && (
        <ViewLink view="fleet" class="fleet">
          <SeverityMark severity={nowFailure.value ? "unknown" : state.fleet.severity} short />
          <bdi>{state.fleet.text}</bdi>
        </ViewLink>
      )}
      <div class="now">
        <div class="aside">
          <Areas areas={state.areas.filter(({ id }) => used.includes(id))} />
          <Problems key={state.host.id} />
        </div>
        <div class="stack">
          <Later>
            <div class="charts">
              {[...services, ...HOST].map((spec) => (
                <Chart key={spec.id} spec={spec} />
              ))}
            </div>
            <h2>Host</h2>
            <FactCards metrics={CARDS} optional={[SWAP]} label="Latest values" />
            <Part load={() => import("./host-facts")} />
          </Later>
        </div>
      </div>
    </>
  );
}

function Verdict({ state }: { state: Now }) {
  const { severity, text, since_ms } = verdict.value;
  const newest = state.freshness.newest_ms;
  return (
    <div class={`verdict ${severity}`}>
      <Shape severity={severity} />
      <p>
        <span class="unseen">{SEVERITY_WORD[severity]}: </span>
        {keepUnits(since_ms === null ? text : withoutTime(text))}
      </p>
      <p class="muted">
        {severity !== "ok" && since_ms !== null ? (
          <Since ms={since_ms} words="Since " />
        ) : (
          newest !== null && `Newest sample ${formatClock(newest, utc.value)}`
        )}
      </p>
    </div>
  );
}

function Areas({ areas }: { areas: readonly Area[] }) {
  if (areas.length === 0) return null;
  return (
    <section class="areas panel" aria-label="Areas">
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
      <b>{trusted.value && area.count > 0 ? area.count : ""}</b>
      <span class="muted clip">
        {trusted.value ? area.worst || (severity === "ok" ? "OK" : "") : "unknown"}
      </span>
    </>
  );
  return viewById(area.view) ? (
    <ViewLink view={area.view} class={`area ${severity}`}>
      {content}
    </ViewLink>
  ) : (
    <div class={`area ${severity}`}>{content}</div>
  );
}
