/** PostgreSQL: one server's sessions, waits, transactions, checkpoints and WAL. */
import { useMemo } from "preact/hooks";
import { FactCards } from "../app/card";
import { Part } from "../app/part";
import { Chart } from "../charts/chart";
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";
import { KEY_CARDS, lockBars, serverCharts, sizeCharts } from "./postgres-charts";
import { OneServer } from "./server";

export default function PostgresView() {
  return (
    <OneServer>
      {(instance, isDown) => <Server key={instance} instance={instance} isDown={isDown} />}
    </OneServer>
  );
}

const TREE: Look = { depth: "depth", hide: ["position", "root_pid"] };

function Server({ instance, isDown }: { instance: string; isDown: boolean }) {
  const [waits, ...charts] = useMemo(() => serverCharts(instance), [instance]);
  const sizes = useMemo(() => sizeCharts(instance), [instance]);
  const locks = useMemo(() => lockBars(instance), [instance]);
  const only = useMemo(() => ({ instance }), [instance]);
  return (
    <>
      {!isDown && <FactCards metrics={KEY_CARDS} of={instance} label="Latest values" />}
      <DataTable name="blocking" only={only} look={TREE} />
      <div class="charts">
        {waits && <Chart spec={waits} />}
        {charts.map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
        <Part load={() => import("./postgres-counts")} instance={instance} />
        <Part load={() => import("../charts/bars")} spec={locks} />
        {sizes.map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
      </div>
      <DataTable name="sessions" only={only} />
      <Part load={() => import("./postgres-more")} instance={instance} isDown={isDown} />
    </>
  );
}
