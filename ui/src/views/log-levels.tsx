/** How the lines of the range are spread over levels, all sources together. */
import { Empty } from "../app/panel";
import { formatExact, formatValue } from "../format/value";

interface LogLevelsProps {
  /** Lines by level; null when nothing is known. */
  counts: Readonly<Record<string, number>> | null;
  /** Levels with their labels. */
  levels: readonly (readonly [string, string])[];
}

export default function LogLevels({ counts, levels }: LogLevelsProps) {
  const parts = levels.map(([level, label]) => ({ level, label, count: counts?.[level] ?? 0 }));
  const all = parts.reduce((total, one) => total + one.count, 0);
  return (
    <figure class="panel chart" id="log-distribution">
      <header>
        <h2>Share of lines by level</h2>
      </header>
      {all === 0 ? (
        <Empty height={206}>{counts ? "No log lines in this range." : "No data yet."}</Empty>
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
