/** A chart as a table, newest first, of at most 60 rows. */
import { formatDateTime } from "../format/time";
import { formatValue } from "../format/value";
import { utc } from "../state/location";
import { type Model, reduceRows } from "./model";

const TABLE_ROWS = 60;

export default function ChartTable({
  model,
  title,
  height,
}: {
  model: Model;
  title: string;
  height: number;
}) {
  const rows = reduceRows(model, TABLE_ROWS).reverse();
  return (
    <section
      class="chart-table"
      style={{ maxHeight: `${height}px` }}
      tabIndex={0}
      aria-label={`${title} as table`}
    >
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {model.lines.map((line) => (
              <th key={line.id} scope="col" class="number">
                {line.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.atMs}>
              <th scope="row">{formatDateTime(row.atMs, utc.value)}</th>
              {row.cells.map((cell, at) => {
                const line = model.lines[at];
                const unit = line?.unit ?? "count";
                const spread =
                  cell.hi !== null && cell.lo !== null && cell.hi !== cell.lo
                    ? ` (${formatValue(cell.lo, unit)} – ${formatValue(cell.hi, unit)})`
                    : "";
                return (
                  <td key={line?.id} class="number">
                    {formatValue(cell.avg, unit)}
                    <span class="muted">{spread}</span>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
