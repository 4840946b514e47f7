/** What follows from a problem, folded; its room is that of the effects it had when it was first shown. */
import type { Effect } from "../api/types.gen";
import { SeverityMark } from "../app/shape";
import { keepUnits } from "../format/value";

/** More are scrolled. */
const MOST_ROWS = 6;

export function Effects({ effects, rows }: { effects: readonly Effect[]; rows: number }) {
  return (
    <details class="effects">
      <summary>{effects.length === 1 ? "1 effect" : `${effects.length} effects`}</summary>
      <ul style={{ "--rows": Math.min(rows, MOST_ROWS) }}>
        {effects.map(({ id, severity, title }) => (
          <li key={id}>
            <SeverityMark severity={severity} short />
            <span class="clip">{keepUnits(title)}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
