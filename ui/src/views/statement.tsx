/** One statement: its text in full, and how it did over the range. */
import { useMemo } from "preact/hooks";
import { metricWithKey } from "../api/series";
import type { TableMeta, TableRow } from "../api/types.gen";
import { Part } from "../app/part";
import { Chart, type ChartSpec } from "../charts/chart";
import { cellOf, useRows } from "./pick";

const HISTORY: readonly [string, string, string][] = [
  ["one-time", "Time per second", "statement.exec_ms_per_sec"],
  ["one-calls", "Calls", "statement.calls_per_sec"],
  ["one-mean", "Mean time", "statement.mean_ms"],
];

export default function Statement({ row, meta }: { row: TableRow; meta: TableMeta }) {
  // The table has the first words only.
  const detail = useRows("statement_detail", {}, row.id);
  const full = detail.answer?.rows[0];
  const text =
    (full && detail.meta && cellOf(detail.meta, full.cells, "query")) || cellOf(meta, row.cells, "query");
  const specs = useMemo(
    () =>
      HISTORY.map(
        ([id, title, metric]): ChartSpec => ({
          id,
          title,
          metrics: [metricWithKey(metric, row.id)],
          labels: { [metric]: title },
          height: 130,
          empty: "No calls in this range.",
        }),
      ),
    [row.id],
  );
  return (
    <div class="statement">
      {text ? (
        <>
          <section class="text" tabIndex={0} aria-label="Statement">
            <pre>
              <bdi>{text}</bdi>
            </pre>
          </section>
          <Part load={() => import("../tables/command")} text={text} name="statement" brief />
        </>
      ) : (
        <p class="muted">The text of this statement is not available.</p>
      )}
      <div class="charts">
        {specs.map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
      </div>
    </div>
  );
}
