/** One folded topic of an API or a proxy: its values and charts, or how its response times are spread. */
import { useMemo } from "preact/hooks";
import { FactCards } from "../app/card";
import { Part } from "../app/part";
import { Chart } from "../charts/chart";
import { API_FOLDED, PROXY_FOLDED } from "./application-folded";
import { ofServer } from "./scope";

interface TopicProps {
  topic: string;
  title: string;
  kind: string;
  target: string;
}

export default function ApplicationTopic({ topic, title, kind, target }: TopicProps) {
  const folded = [...API_FOLDED, ...PROXY_FOLDED].find(({ id }) => id === topic);
  const charts = useMemo(() => ofServer(folded?.charts ?? [], target), [folded, target]);
  const cards = folded?.cards ?? [];
  return (
    <>
      {cards.length > 0 && <FactCards metrics={cards} of={target} label={title} />}
      <div class="charts">
        {charts.map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
        {topic.endsWith("-latency") && <Part load={() => import("./latency")} kind={kind} target={target} />}
      </div>
    </>
  );
}
