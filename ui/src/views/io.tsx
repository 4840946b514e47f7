/** What a server reads and writes, by kind of process. */
import { useMemo } from "preact/hooks";
import { metricsById } from "../api/store";
import { Card } from "../app/card";
import { Part } from "../app/part";
import type { BarsSpec } from "../charts/bars";
import { Chart, type ChartSpec } from "../charts/chart";
import { DataTable } from "../tables/table";
import { withinServer, withoutServer } from "./scope";
import { useServerValues } from "./server-values";

const NO_IO = "No reads or writes in this range. Rates need two samples; one is taken every five minutes.";

const IO: readonly ChartSpec[] = [
  {
    id: "io-read",
    title: "Reads by process type",
    metrics: ["io.read_bytes_per_sec"],
    stacked: true,
    levelsOf: null,
    empty: NO_IO,
  },
  {
    id: "io-written",
    title: "Writes by process type",
    metrics: ["io.write_bytes_per_sec"],
    stacked: true,
    levelsOf: null,
    empty: NO_IO,
  },
];

export default function Io({ instance }: { instance: string }) {
  const only = useMemo(() => ({ instance }), [instance]);
  const charts = useMemo(() => withinServer(IO, instance), [instance]);
  const bars = useMemo(() => ioBars(instance), [instance]);
  return (
    <>
      <h2>Reads and writes</h2>
      <IoCards instance={instance} />
      <div class="charts">
        {bars.map((spec) => (
          <Part key={spec.id} load={() => import("../charts/bars")} spec={spec} />
        ))}
        {charts.map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
      </div>
      <DataTable name="io" only={only} />
    </>
  );
}

const IO_SUMS: readonly [string, string, "sum" | "most"][] = [
  ["io.read_pct", "Time reading", "sum"],
  ["io.write_pct", "Time writing", "sum"],
  ["io.read_ms", "Slowest mean read", "most"],
  ["io.write_ms", "Slowest mean write", "most"],
  ["io.evictions_per_sec", "Evictions", "sum"],
  ["io.fsyncs_per_sec", "Fsyncs", "sum"],
];
const IO_IDS = IO_SUMS.map(([id]) => id);

function IoCards({ instance }: { instance: string }) {
  const values = useServerValues(IO_IDS, instance);
  return (
    <section class="cards" data-count="6" aria-label="All process types together">
      {IO_SUMS.map(([id, label, how]) => {
        const worst = values.worst(id);
        const value = how === "sum" ? values.sum(id) : (worst?.value ?? null);
        const metric = metricsById.value.get(id);
        return (
          <Card
            key={id}
            label={label}
            metric={id}
            value={value}
            unit={metric?.unit ?? "count"}
            severity={how === "sum" && worst ? "ok" : (worst?.severity ?? "unknown")}
            note={how === "most" ? (worst?.key ?? "") : ""}
          />
        );
      })}
    </section>
  );
}

function ioBars(instance: string): BarsSpec[] {
  const shared = {
    byKey: true,
    keyPrefix: instance,
    nameOf: (key: string) => withoutServer(key, instance),
    empty: NO_IO,
  };
  return [
    {
      ...shared,
      id: "io-backends",
      title: "I/O by process type",
      metrics: ["io.read_bytes_per_sec", "io.write_bytes_per_sec", "io.extend_bytes_per_sec"],
      labels: {
        "io.read_bytes_per_sec": "Reads",
        "io.write_bytes_per_sec": "Writes",
        "io.extend_bytes_per_sec": "Extends",
      },
    },
    {
      ...shared,
      id: "io-hits",
      title: "Buffer hits by process type",
      metrics: ["io.hits_per_sec"],
      labels: { "io.hits_per_sec": "Hits" },
    },
  ];
}
