/** System: one host's processor, memory, disks and network. */
import { FactCards } from "../app/card";
import { Chart } from "../charts/chart";
import { Heat } from "../charts/heat";
import { DataTable } from "../tables/table";
import { CPU, LOAD, MEMORY } from "./host-charts";
import { HOST_CHARTS } from "./system-charts";

const CARDS = [
  "system.cpu_busy_pct",
  "system.mem_used_pct",
  "system.swap_used_pct",
  "system.load_per_core",
  "mount.used_pct",
  "disk.busy_pct",
  "system.net_rx_bytes_per_sec",
  "system.net_tx_bytes_per_sec",
];

export default function SystemView() {
  return (
    <>
      <FactCards metrics={CARDS} optional={["system.swap_used_pct"]} label="Latest values" />
      <div class="charts">
        <Chart spec={CPU} />
        <Heat id="cores" title="Cores" metric="system.core_busy_pct" limit={64} ceiling={100} />
        <Chart spec={MEMORY} />
        <Chart spec={LOAD} />
        {HOST_CHARTS.map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
      </div>
      <DataTable name="mounts" />
      <DataTable name="disks" />
      <DataTable name="interfaces" />
    </>
  );
}
