/** How far behind each standby and consumer is, over time. */
import { useMemo } from "preact/hooks";
import { Chart, type ChartSpec } from "../charts/chart";
import { withinServer } from "./scope";

const SENDING: readonly ChartSpec[] = [
  { id: "replay-lag", title: "Replay lag", metrics: ["replication.replay_lag_ms"] },
  { id: "flush-lag", title: "Flush lag", metrics: ["replication.flush_lag_ms"] },
  { id: "write-lag", title: "Write lag", metrics: ["replication.write_lag_ms"] },
  { id: "lag-bytes", title: "WAL not replayed", metrics: ["replication.replay_lag_bytes"] },
  {
    id: "retained",
    title: "WAL retained for slots",
    metrics: ["replication.retained_bytes"],
    empty: "No slot retains WAL.",
  },
  {
    id: "decoded",
    title: "Logical decoding output",
    metrics: ["replication.decoded_bytes_per_sec"],
    empty: "No logical slot is active.",
  },
];

export default function Sending({ instance }: { instance: string }) {
  const specs = useMemo(() => withinServer(SENDING, instance), [instance]);
  return (
    <div class="charts">
      {specs.map((spec) => (
        <Chart key={spec.id} spec={spec} />
      ))}
    </div>
  );
}
