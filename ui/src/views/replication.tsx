/** Replication: how far standbys and consumers are behind, and what slots keep. */
import { useMemo } from "preact/hooks";
import { metricsById } from "../api/store";
import { Card } from "../app/card";
import { Part } from "../app/part";
import { DataTable } from "../tables/table";
import { useRows } from "./pick";
import { OneServer } from "./server";
import { useServerValues } from "./server-values";

const FAMILIES = /replic|slot|subscription|receiver|server|connect/;

export default function ReplicationView() {
  return (
    <OneServer families={FAMILIES}>
      {(instance) => <Replication key={instance} instance={instance} />}
    </OneServer>
  );
}

function Replication({ instance }: { instance: string }) {
  const only = useMemo(() => ({ instance }), [instance]);
  const { answer } = useRows("replication", only);
  const isSending = (answer?.matched ?? 0) > 0;
  return (
    <>
      <Part load={() => import("./standby")} instance={instance} />
      {isSending && <Cards instance={instance} count={answer?.matched ?? 0} />}
      <DataTable name="replication" primary only={only} />
      {isSending && <Part load={() => import("./sending")} instance={instance} />}
      <DataTable name="subscriptions" only={only} />
    </>
  );
}

const WORST = ["replay_lag_ms", "flush_lag_ms", "write_lag_ms", "retained_bytes", "reply_age_secs"].map(
  (name) => `replication.${name}`,
);
const COUNTED: readonly [string, string][] = [
  ["replication.slot_inactive", "Inactive slots"],
  ["replication.slot_lost", "Lost slots"],
];

const ALL = [...WORST, ...COUNTED.map(([id]) => id)];

/** The worst of all slots, and how many are in a bad state. */
function Cards({ instance, count }: { instance: string; count: number }) {
  const values = useServerValues(ALL, instance);
  return (
    <section class="cards" data-count="8" aria-label="Worst values">
      <Card label="Slots and standbys" value={count} unit="count" severity="ok" />
      {WORST.map((id) => {
        const metric = metricsById.value.get(id);
        if (!metric) return null;
        const worst = values.worst(id);
        return (
          <Card
            key={id}
            label={id.endsWith("_ms") ? `Longest ${metric.label.toLowerCase()}` : metric.label}
            metric={id}
            value={worst?.value ?? null}
            unit={metric.unit}
            severity={worst?.severity ?? "unknown"}
            note={worst?.key ?? ""}
          />
        );
      })}
      {COUNTED.map(([id, label]) => {
        const known = values.all(id);
        const bad = known.filter((fact) => fact.value === 1);
        return (
          <Card
            key={id}
            label={label}
            metric={id}
            value={known.length > 0 ? bad.length : null}
            unit="count"
            severity={known.length === 0 ? "unknown" : (bad[0]?.severity ?? "ok")}
            note={bad.map((fact) => fact.key).join(", ")}
          />
        );
      })}
    </section>
  );
}
