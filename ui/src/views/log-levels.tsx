/** How the lines of the last hour are spread over levels, all sources together. */
import { Empty } from "../app/panel";
import { formatExact, formatValue } from "../format/value";

interface LogLevelsProps {
  /** Of the table of sources; without it nothing is known. */
  sums: Readonly<Record<string, number>> | undefined;
  /** Levels with their labels. */
  levels: readonly (readonly [string, string])[];
}

export default function LogLevels({ sums, levels }: LogLevelsProps) {
  const counts = levels.map(([level, label]) => ({ level, label, count: sums?.[`${level}_lines`] ?? 0 }));
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
