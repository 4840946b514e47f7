/** One folded topic of a host: its charts and tables. */
import { Chart } from "../charts/chart";
import { DataTable } from "../tables/table";
import { HOST_FOLDED } from "./system-folded";

export default function SystemTopic({ topic }: { topic: string }) {
  const { charts = [], tables = [] } = HOST_FOLDED[topic] ?? {};
  return (
    <>
      <div class="charts">
        {charts.map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
      </div>
      {tables.map((name) => (
        <DataTable key={name} name={name} />
      ))}
    </>
  );
}
