/** Logs: how loud and how bad they are, what stands out, what they say, what is alike, what concerns security. */
import { now } from "../api/store";
import type { TableAnswer } from "../api/types.gen";
import { Card } from "../app/card";
import { Empty } from "../app/panel";
import { Part } from "../app/part";
import { Chart, type ChartSpec } from "../charts/chart";
import { counted } from "../charts/counts";
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

/** What opens below a row, and columns that have nothing to say. */
const FINDINGS: Look = {
  hide: ["position", "message", "steps", "pattern"],
  fold: /^(value|expected|over_ms)$/,
};

export default function LogsView() {
  const { answer } = useRows("log_sources");
  // A range may lie before the first line, and what was found in logs that are read no more stays to be told.
  const hasLogs = now.value?.areas.find(({ id }) => id === "logs")?.present;
  if (answer?.total === 0 && !hasLogs) {
    return (
      <Empty height={200}>
        No log is read on this host. Name one as [[logs.source]] in the configuration of the collector.
      </Empty>
    );
  }
  return (
    <>
      <Health answer={answer} />
      <DataTable
        name="findings"
        look={FINDINGS}
        detail={(row) => <Part key={row.id} load={() => import("./finding")} row={row} show={showLines} />}
      />
      <div class="charts">
        {CHARTS.map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
        <Part load={() => import("./log-levels")} sums={answer?.sums} levels={LEVELS} />
      </div>
      <Part load={() => import("./log-lines")} sources={answer?.rows.map((row) => row.id) ?? []} />
      <Part load={() => import("./log-tables")} show={showLines} />
    </>
  );
}

/** The lines with these filters, and no others. */
function showLines(filters: Readonly<Record<string, string>>): void {
  setParams({
    pattern: null,
    q: null,
    "f.level": null,
    "f.source": null,
    before: null,
    behind: null,
    around: null,
    ...filters,
  });
  document.getElementById("log-lines")?.scrollIntoView();
}

/** Of the last hour, all sources together. */
function Health({ answer }: { answer: TableAnswer | null }) {
  // Without a source nothing is known, which is not zero.
  const sum = (column: string): number | null => (answer?.total ? (answer.sums[column] ?? 0) : null);
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
        value={answer?.total ? (states.silent ?? 0) : null}
        unit="count"
        severity={unreadable > 0 ? "warn" : "ok"}
        note={
          answer?.total ? `${unreadable > 0 ? `${unreadable} unreadable, ` : ""}${answer.total} in all` : ""
        }
      />
    </section>
  );
}
