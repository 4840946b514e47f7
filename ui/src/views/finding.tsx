/** One finding: what was seen, what to do, and the way to its lines. */
import { batch } from "@preact/signals";
import { serverNow, tablesByName } from "../api/store";
import type { TableRow } from "../api/types.gen";
import { Coded } from "../app/coded";
import { range, setRange } from "../state/location";
import type { Range } from "../state/range";
import { Details } from "../tables/body";
import { aroundFinding, rangeOfPattern } from "./finding-lines";
import { cellOf } from "./pick";

interface FindingProps {
  row: TableRow;
  /** Leads to the lines with these filters and no others. */
  show(filters: Readonly<Record<string, string>>): void;
}

/** Columns shown above, or in the row itself. */
const SHOWN = /^(title|severity|state|message|steps|position|rule|pattern)$/;

export default function Finding({ row, show }: FindingProps) {
  const meta = tablesByName.value.get("findings");
  if (!meta) return null;
  const cell = (column: string): string => cellOf(meta, row.cells, column);
  const steps = cell("steps").split("\n").filter(Boolean);
  const source = cell("source");
  const pattern = cell("pattern");
  const sinceMs = Number(cell("since_ms"));
  const lead = (span: Range, filters: Readonly<Record<string, string>>): void =>
    batch(() => {
      if (span !== range.peek()) setRange(span);
      show(filters);
    });
  return (
    <div class="statement finding">
      <p>
        <bdi>{cell("message")}</bdi>
      </p>
      {steps.length > 0 && (
        <section aria-label="What to do">
          <h3>What to do</h3>
          <ol>
            {steps.map((step, at) => (
              <li key={`${at}`}>
                <Coded text={step} />
              </li>
            ))}
          </ol>
        </section>
      )}
      {(pattern || source) && (
        <p class="actions">
          {pattern && (
            <button
              type="button"
              class="button small"
              onClick={() => lead(rangeOfPattern(sinceMs, range.peek(), serverNow()), { pattern })}
            >
              Lines of this pattern
            </button>
          )}
          {source && (
            <button
              type="button"
              class="button small"
              onClick={() => lead(aroundFinding(sinceMs), { "f.source": source })}
            >
              Lines of <bdi>{source.slice(0, 60)}</bdi> ± 15 minutes
            </button>
          )}
        </p>
      )}
      <Details
        row={row}
        columns={meta.columns.filter((column, at) => !SHOWN.test(column.id) && (row.cells[at] ?? "") !== "")}
        all={meta.columns}
      />
    </div>
  );
}
