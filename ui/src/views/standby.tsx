/** A standby, as it sees itself: how far behind, and whether it receives. */
import { useMemo } from "preact/hooks";
import { FactCards } from "../app/card";
import { Chart, type ChartSpec } from "../charts/chart";
import { ofServer } from "./scope";
import { useServerValues } from "./server-values";

const RECEIVING: readonly ChartSpec[] = [
  {
    id: "standby-delay",
    title: "Replay delay",
    metrics: ["replication.standby_delay_secs"],
    labels: { "replication.standby_delay_secs": "Delay" },
  },
  {
    id: "standby-backlog",
    title: "WAL received but not replayed",
    metrics: ["replication.standby_backlog_bytes"],
    labels: { "replication.standby_backlog_bytes": "Backlog" },
  },
];

const RECOVERY = ["db.in_recovery"];
const STANDBY = [
  "replication.standby_delay_secs",
  "replication.standby_backlog_bytes",
  "replication.standby_paused",
  "replication.receiver_down",
];

export default function Standby({ instance }: { instance: string }) {
  const isStandby = useServerValues(RECOVERY, instance).all("db.in_recovery")[0]?.value === 1;
  const receiving = useMemo(() => ofServer(RECEIVING, instance), [instance]);
  if (!isStandby) return null;
  return (
    <section class="stack">
      <h2>Standby</h2>
      <FactCards metrics={STANDBY} of={instance} label="Standby" />
      <div class="charts">
        {receiving.map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
      </div>
    </section>
  );
}
