/** One folded topic of a PostgreSQL server: its values, charts and tables. */
import { useMemo } from "preact/hooks";
import { metricWithKey } from "../api/series";
import { FactCards } from "../app/card";
import { Part } from "../app/part";
import type { BarsSpec } from "../charts/bars";
import { Chart } from "../charts/chart";
import { counted } from "../charts/counts";
import { DataTable } from "../tables/table";
import { COUNTED, FOLDED, LOCK_MODES, SIZES } from "./postgres-folded";
import { ofServer, withinServer } from "./scope";

interface TopicProps {
  topic: string;
  title: string;
  instance: string;
  isDown: boolean;
}

export default function PostgresTopic({ topic, title, instance, isDown }: TopicProps) {
  const only = useMemo(() => ({ instance }), [instance]);
  const charts = useMemo(() => {
    const own = ofServer(FOLDED[topic]?.charts ?? [], instance).map((spec) => {
      const perMs = COUNTED[spec.id];
      return perMs === undefined ? spec : { ...spec, drawing: counted(perMs) };
    });
    return topic === "databases" ? withinServer([SIZES], instance) : own;
  }, [topic, instance]);
  const locks = useMemo(() => (topic === "statements" ? lockBars(instance) : null), [topic, instance]);
  const { cards = [], tables = [] } = FOLDED[topic] ?? {};
  return (
    <>
      {!isDown && cards.length > 0 && <FactCards metrics={cards} of={instance} label={title} />}
      {charts.length > 0 && (
        <div class="charts">
          {charts.map((spec) => (
            <Chart key={spec.id} spec={spec} />
          ))}
          {locks && <Part load={() => import("../charts/bars")} spec={locks} />}
        </div>
      )}
      {tables.map((name) => (
        <DataTable key={name} name={name} only={only} />
      ))}
    </>
  );
}

function lockBars(instance: string): BarsSpec {
  return {
    id: "locks",
    title: "Locks on relations, by mode",
    metrics: LOCK_MODES.map((id) => metricWithKey(id, instance)),
    empty: "The server reported no data for this range.",
  };
}
