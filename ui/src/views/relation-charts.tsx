/** How tables and indexes of a server grow, age and are used. */
import { useMemo } from "preact/hooks";
import { Chart, type ChartSpec } from "../charts/chart";
import { ownPart } from "./own-part";
import { withinServer } from "./scope";

const NO_TABLE = "No table statistics in this range.";
const NO_INDEX = "No index statistics in this range.";

const CHARTS = [
  {
    id: "table-size",
    title: "Size, top 8 tables",
    metrics: ["table.total_bytes"],
    levelsOf: null,
    empty: NO_TABLE,
  },
  {
    id: "table-dead",
    title: "Dead rows, top 8 tables",
    metrics: ["table.dead_pct"],
    empty: NO_TABLE,
  },
  {
    id: "table-writes",
    title: "Rows written, top 8 tables",
    metrics: ["table.writes_per_sec"],
    empty: NO_TABLE,
  },
  {
    id: "table-scans",
    title: "Seq. scan rows, top 8 tables",
    metrics: ["table.seq_rows_per_sec"],
    empty: NO_TABLE,
  },
  {
    id: "index-size",
    title: "Size, top 8 indexes",
    metrics: ["index.size_bytes"],
    levelsOf: null,
    empty: NO_INDEX,
  },
  {
    id: "index-scans",
    title: "Scans, top 8 indexes",
    metrics: ["index.scans_per_sec"],
    empty: NO_INDEX,
  },
].map((spec): ChartSpec => ({ ...spec, nameOf: ownPart }));

export default function RelationCharts({ instance }: { instance: string }) {
  const charts = useMemo(() => withinServer(CHARTS, instance), [instance]);
  return (
    <div class="charts">
      {charts.map((spec) => (
        <Chart key={spec.id} spec={spec} />
      ))}
    </div>
  );
}
