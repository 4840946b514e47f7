/** Logs: how loud and how bad they are, what they say, what is alike, and what concerns security. */
import type { TableAnswer } from "../api/types.gen";
import { Card } from "../app/card";
import { Empty } from "../app/panel";
import { Part } from "../app/part";
import { Chart, type ChartSpec } from "../charts/chart";
import { counted } from "../charts/counts";
import { formatExact, formatValue } from "../format/value";
import { setParams } from "../state/location";
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";
import { useRows } from "./pick";

const NO_LINE = "No line was stored in this range.";

const LEVELS: readonly [string, string][] = [
  ["error", "Errors"],
  ["warn", "Warnings"],
  ["info", "Information"],
  ["debug", "Debugging"],
];
const OF_ALL = LEVELS.map(([level]) => `log.all_${level}_per_sec`);
const LABELS = Object.fromEntries(LEVELS.map(([level, label]) => [`log.all_${level}_per_sec`, label]));

const CHARTS: readonly ChartSpec[] = [
  {
    id: "log-volume",
    title: "Lines by level",
    metrics: OF_ALL,
    labels: LABELS,
    stacked: true,
    drawing: counted(1000),
    wide: true,
    empty: NO_LINE,
  },
  {
    id: "log-errors",
    title: "Errors and warnings per second",
    metrics: OF_ALL.slice(0, 2),
    labels: LABELS,
    empty: NO_LINE,
  },
  {
    id: "log-error-sources",
    title: "Errors by source",
    metrics: ["log.error_per_sec"],
    stacked: true,
    drawing: counted(1000),
    empty: NO_LINE,
  },
  {
    id: "log-sources",
    title: "Lines by source",
    metrics: ["log.lines_per_sec"],
    stacked: true,
    drawing: counted(1000),
    empty: NO_LINE,
  },
];

const TRENDS: Look = { parts: { trend: () => import("../tables/trend") } };

export default function LogsView() {
  const { answer } = useRows("log_sources");
  if (answer?.total === 0) {
    return (
      <Empty height={200}>
        No log is read on this host. Name one as [[logs.source]] in the configuration of the collector.
      </Empty>
    );
  }
  return (
    <>
      <Health answer={answer} />
      <div class="charts">
        {CHARTS.map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
        <Distribution sums={answer?.sums} />
      </div>
      <Part load={() => import("./log-lines")} sources={answer?.rows.map((row) => row.id) ?? []} />
      <DataTable
        name="log_patterns"
        look={TRENDS}
        action={{ label: "Lines", run: (row) => showPattern(row.id) }}
      />
      <DataTable name="security_events" />
      <DataTable name="log_sources" />
    </>
  );
}

/** All lines of a pattern, and nothing else. */
function showPattern(pattern: string): void {
  setParams({
    pattern,
    q: null,
    "f.level": null,
    "f.source": null,
    before: null,
    behind: null,
    around: null,
  });
  document.getElementById("log-lines")?.scrollIntoView();
}

/** Of the last hour, all sources together. */
function Health({ answer }: { answer: TableAnswer | null }) {
  const sum = (column: string): number | null => (answer ? (answer.sums[column] ?? 0) : null);
  const states = answer?.facets.state ?? {};
  const lines = sum("lines");
  const grave = (sum("error_lines") ?? 0) + (sum("warn_lines") ?? 0);
  const errors = sum("error_lines");
  const unreadable = states.unreadable ?? 0;
  return (
    <section class="cards" data-count="6" aria-label="The last hour">
      <Card
        label="Health"
        metric="log.grave_pct"
        value={lines ? 100 - (100 * grave) / lines : null}
        unit="percent"
        severity="ok"
        note="neither error nor warning"
      />
      <Card
        label="Error rate"
        metric="log.all_error_per_sec"
        value={errors === null ? null : errors / 3600}
        unit="per_sec"
        severity="ok"
      />
      {LEVELS.slice(0, 3).map(([level, label]) => (
        <Card
          key={level}
          label={label}
          value={sum(`${level}_lines`)}
          unit="count"
          severity="ok"
          note="last hour"
        />
      ))}
      <Card
        label="Silent sources"
        metric="log.readable"
        value={answer ? (states.silent ?? 0) : null}
        unit="count"
        severity={unreadable > 0 ? "warn" : "ok"}
        note={`${unreadable > 0 ? `${unreadable} unreadable, ` : ""}${answer?.total ?? 0} in all`}
      />
    </section>
  );
}

function Distribution({ sums }: { sums: Readonly<Record<string, number>> | undefined }) {
  const counts = LEVELS.map(([level, label]) => ({ level, label, count: sums?.[`${level}_lines`] ?? 0 }));
  const all = counts.reduce((total, one) => total + one.count, 0);
  return (
    <figure class="panel chart" id="log-distribution">
      <header>
        <h2>Levels of the last hour</h2>
      </header>
      {all === 0 ? (
        <Empty height={206}>{sums ? "No line was stored within the last hour." : "Not known yet."}</Empty>
      ) : (
        <ul class="bars">
          {counts.map(({ level, label, count }) => (
            <li key={level}>
              <span class="name">{label}</span>
              <span class="track" aria-hidden="true">
                <i class={level} style={{ width: `${(100 * count) / all}%` }} />
              </span>
              <b class="number" title={formatExact(count, "count")}>
                {formatValue(count, "count")} · {formatValue((100 * count) / all, "percent")}
              </b>
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}
