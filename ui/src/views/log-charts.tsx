/**
 * Charts of the lines: their rate by level and source, and how those of the range are spread over levels.
 *
 * A rate counts a line when it is read, which may be long after it was written.
 */
import { useMemo } from "preact/hooks";
import { Empty } from "../app/panel";
import { Chart, type ChartSpec } from "../charts/chart";
import { counted } from "../charts/counts";
import { formatExact, formatValue } from "../format/value";

const NO_LINE = "No log lines in this range.";

/** Charts of these levels, all sources together, and of each source. */
function specs(levels: Levels): readonly ChartSpec[] {
  const metric = (level: string) => `log.all_${level}_per_sec`;
  const ofAll = levels.map(([level]) => metric(level));
  const labels = Object.fromEntries(levels.map(([level, label]) => [metric(level), label]));
  return [
    {
      id: "log-volume",
      title: "Lines read by level",
      metrics: ofAll,
      labels,
      stacked: true,
      drawing: counted(1000),
      wide: true,
      empty: NO_LINE,
    },
    {
      id: "log-errors",
      title: "Errors and warnings read",
      metrics: ofAll.slice(0, 2),
      labels,
      empty: NO_LINE,
    },
    {
      id: "log-error-sources",
      title: "Errors read by source",
      metrics: ["log.error_per_sec"],
      stacked: true,
      drawing: counted(1000),
      empty: NO_LINE,
    },
    {
      id: "log-sources",
      title: "Lines read by source",
      metrics: ["log.lines_per_sec"],
      stacked: true,
      drawing: counted(1000),
      empty: NO_LINE,
    },
  ];
}

type Levels = readonly (readonly [string, string])[];

interface LogChartsProps {
  /** Lines by level; null when nothing is known. */
  counts: Readonly<Record<string, number>> | null;
  /** Levels with their labels. */
  levels: Levels;
}

export default function LogCharts({ counts, levels }: LogChartsProps) {
  const charts = useMemo(() => specs(levels), [levels]);
  return (
    <div class="charts">
      {charts.map((spec) => (
        <Chart key={spec.id} spec={spec} />
      ))}
      <Shares counts={counts} levels={levels} />
    </div>
  );
}

function Shares({ counts, levels }: LogChartsProps) {
  const parts = levels.map(([level, label]) => ({ level, label, count: counts?.[level] ?? 0 }));
  const all = parts.reduce((total, one) => total + one.count, 0);
  return (
    <figure class="panel chart" id="log-distribution">
      <header>
        <h2>Share of lines by level</h2>
      </header>
      {all === 0 ? (
        <Empty height={206}>{counts ? NO_LINE : "No data yet."}</Empty>
      ) : (
        <ul class="bars">
          {parts.map(({ level, label, count }) => (
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
