/** The receiver of visits: what it takes and refuses, how quickly, and what waits; and the samples of one site. */
import { useMemo } from "preact/hooks";
import { FactCards } from "../app/card";
import { Chart, type ChartSpec } from "../charts/chart";
import { ofServer } from "./scope";

const NO_SITE = "No samples of this site: name it in the settings of this host's collector, too.";
const NO_RECEIVER = "No receiver answers on this host, or at analytics.metrics_url.";

const OF_SITE: readonly ChartSpec[] = [
  {
    id: "traffic-site",
    title: "Views and refusals a minute",
    metrics: ["traffic.views_per_min", "traffic.refused_per_min"],
    labels: { "traffic.views_per_min": "Views", "traffic.refused_per_min": "Refused" },
    empty: NO_SITE,
  },
  {
    id: "traffic-visitors",
    title: "Visitors, and views that usually come",
    metrics: ["traffic.visitors_live", "traffic.missed_views"],
    labels: { "traffic.visitors_live": "Visitors", "traffic.missed_views": "Missed views" },
    levelsOf: "traffic.missed_views",
    empty: NO_SITE,
  },
];

const OF_RECEIVER: readonly ChartSpec[] = [
  {
    id: "traffic-accepted",
    title: "Events accepted",
    metrics: ["traffic.accepted_per_sec"],
    empty: NO_RECEIVER,
  },
  {
    id: "traffic-refused",
    title: "Not counted, by reason",
    metrics: ["traffic.refused_per_sec"],
    nameOf: (reason) => reason.replaceAll("_", " "),
    stacked: true,
    limit: 6,
    legendLines: 2,
    empty: NO_RECEIVER,
    none: "All reports of this range counted.",
  },
  {
    id: "traffic-acknowledged",
    title: "99 of 100 acknowledged within",
    metrics: ["traffic.ingest_p99_ms"],
    empty: `No report was acknowledged. Or: ${NO_RECEIVER}`,
  },
  {
    id: "traffic-queue",
    title: "Queue of the receiver",
    metrics: ["traffic.queue_pct"],
    ceiling: 100,
    empty: NO_RECEIVER,
  },
];

export default function TrafficReceiver({ site }: { site: string }) {
  const charts = useMemo(() => [...ofServer(OF_SITE, site), ...OF_RECEIVER], [site]);
  return (
    <>
      <FactCards
        label="Receiver"
        metrics={[
          "traffic.accepted_per_sec",
          "traffic.ingest_p99_ms",
          "traffic.queue_pct",
          "traffic.queue_oldest_secs",
          "traffic.unreadable_files",
        ]}
      />
      <div class="charts">
        {charts.map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
      </div>
    </>
  );
}
