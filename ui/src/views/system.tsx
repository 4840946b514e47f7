/** System: one host's processor, memory, disks and network; the rest is folded by topic. */
import { FactCards } from "../app/card";
import { Fold } from "../app/fold";
import { Part } from "../app/part";
import { Chart } from "../charts/chart";
import { Heat } from "../charts/heat";
import { DataTable } from "../tables/table";
import { CPU, LOAD, MEMORY, PRESSURE } from "./host-charts";
import { KEY_CARDS, KEY_CHARTS, TOPICS } from "./system-charts";

export default function SystemView() {
  return (
    <>
      <FactCards metrics={KEY_CARDS} optional={["system.swap_used_pct"]} label="Latest values" />
      <div class="charts">
        <Chart spec={CPU} />
        <Heat id="cores" title="CPU by core" metric="system.core_busy_pct" limit={64} ceiling={100} />
        <Chart spec={MEMORY} />
        <Chart spec={LOAD} />
        {[PRESSURE, ...KEY_CHARTS].map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
      </div>
      <DataTable name="mounts" />
      {TOPICS.map(([id, title]) => (
        <Fold key={id} id={id} title={title}>
          {() => <Part load={() => import("./system-more")} topic={id} />}
        </Fold>
      ))}
    </>
  );
}
