/** Tables & Indexes: growth, dead rows, unused indexes. */
import { useMemo } from "preact/hooks";
import { Card } from "../app/card";
import { Part } from "../app/part";
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";
import { useRows } from "./pick";
import { OneServer } from "./server";
import { useServerValues } from "./server-values";

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
  const only = useMemo(() => ({ instance }), [instance]);
  return (
    <>
      <Cards instance={instance} only={only} />
      <DataTable name="vacuum_needed" only={only} look={VACUUM} />
      <Part load={() => import("./relation-charts")} instance={instance} />
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
  const values = useServerValues(CARDS, instance);
  const worst = values.worst("table.dead_pct");
  // A card without a value is unknown whatever its severity.
  return (
    <section class="cards" data-count="4" aria-label="Latest values">
      <Card
        label="Size of databases"
        metric="database.size_bytes"
        value={values.sum("database.size_bytes")}
        unit="bytes"
        severity="ok"
      />
      <Card
        label="Highest dead-row share"
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
