/** What happens to a PostgreSQL server seldom enough to be counted. */
import { useMemo } from "preact/hooks";
import { Chart, type ChartSpec } from "../charts/chart";
import { counted } from "../charts/counts";
import { ofServer } from "./scope";

const CHARTS: readonly ChartSpec[] = [
  {
    id: "checkpoints",
    title: "Checkpoints",
    metrics: ["db.checkpoints_timed_per_hour", "db.checkpoints_req_per_hour"],
    labels: { "db.checkpoints_timed_per_hour": "Timed", "db.checkpoints_req_per_hour": "Requested" },
    stacked: true,
    levelsOf: null,
    drawing: counted(3_600_000),
    empty: "The server told nothing of this in this range.",
  },
  {
    id: "deadlocks",
    title: "Deadlocks",
    metrics: ["db.deadlocks_per_sec"],
    stacked: true,
    levelsOf: null,
    drawing: counted(1000),
    empty: "The server told nothing of this in this range.",
  },
];

export default function PostgresCounts({ instance }: { instance: string }) {
  const charts = useMemo(() => ofServer(CHARTS, instance), [instance]);
  return (
    <>
      {charts.map((spec) => (
        <Chart key={spec.id} spec={spec} />
      ))}
    </>
  );
}
