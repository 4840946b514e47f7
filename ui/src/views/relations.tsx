/** Tables & Indexes: what grows, what is dead, what nobody uses. */
import { useMemo } from "preact/hooks";
import { Card } from "../app/card";
import { Chart, type ChartSpec } from "../charts/chart";
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";
import { ownPart } from "./own-part";
import { useRows } from "./pick";
import { withinServer } from "./scope";
import { OneServer } from "./server";
import { useWithin } from "./within";

const NO_TABLE = "No table was read in this range.";
const NO_INDEX = "No index was read in this range.";

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
    title: "Rows read by sequential scans, top 8 tables",
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

const DEAD: Look = { bars: ["dead_pct"] };
const VACUUM: Look = { ...DEAD, move: { command: 3 } };
const UNUSED: Look = { move: { command: 4 } };

const FAMILIES = /table|index|relation|size|server|connect|database/;

export default function RelationsView() {
  return (
    <OneServer families={FAMILIES}>
      {(instance) => <Relations key={instance} instance={instance} />}
    </OneServer>
  );
}

function Relations({ instance }: { instance: string }) {
  const charts = useMemo(() => withinServer(CHARTS, instance), [instance]);
  const only = useMemo(() => ({ instance }), [instance]);
  return (
    <>
      <Cards instance={instance} only={only} />
      <DataTable name="vacuum_needed" only={only} look={VACUUM} />
      <div class="charts">
        {charts.map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
      </div>
      <DataTable name="tables" primary only={only} look={DEAD} />
      <DataTable name="unused_indexes" only={only} look={UNUSED} />
      <DataTable name="indexes" only={only} />
    </>
  );
}

const CARDS = ["database.size_bytes", "table.dead_pct"];

function Cards({ instance, only }: { instance: string; only: Readonly<Record<string, string>> }) {
  const needed = useRows("vacuum_needed", only);
  const unused = useRows("unused_indexes", only);
  const within = useWithin(CARDS, instance);
  const worst = within.worst("table.dead_pct");
  // A card without a value is unknown whatever it is told.
  return (
    <section class="cards" data-count="4" aria-label="Latest values">
      <Card
        label="Size of databases"
        metric="database.size_bytes"
        value={within.sum("database.size_bytes")}
        unit="bytes"
        severity="ok"
      />
      <Card
        label="Most dead rows"
        metric="table.dead_pct"
        value={worst?.value ?? null}
        unit="percent"
        severity={worst?.severity ?? "ok"}
        note={worst?.key ?? ""}
      />
      <Card
        label="Tables that need vacuum"
        value={needed.answer?.matched ?? null}
        unit="count"
        severity={needed.answer?.rows[0]?.severity ?? "ok"}
      />
      <Card
        label="Size of unused indexes"
        value={unused.answer?.sums.size_bytes ?? (unused.answer ? 0 : null)}
        unit="bytes"
        severity="ok"
        note={
          unused.answer ? `${unused.answer.matched} ${unused.answer.matched === 1 ? "index" : "indexes"}` : ""
        }
      />
    </section>
  );
}
