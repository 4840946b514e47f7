/** What is folded away in which topic of its view, for the search. */
import { API_FOLDED, PROXY_FOLDED } from "./application-folded";
import { FOLDED, LOCK_MODES, SIZES } from "./postgres-folded";
import { HOST_FOLDED } from "./system-folded";

const COLLECTOR_FOLDED = [
  "tick_late_ms",
  "lost_records_per_sec",
  "commits_per_sec",
  "rss_bytes",
  "cpu_pct",
  "fd_count",
  "thread_count",
].map((name) => `collector.${name}`);

/** Below which folded topic of its view a metric or table is; null when it is not folded away. */
export function foldOf(id: string): string | null {
  const postgres = Object.entries(FOLDED).map(([fold, { cards, charts, tables }]) => ({
    fold,
    holds: [...charts.flatMap((one) => one.metrics), ...cards, ...tables],
  }));
  const host = Object.entries(HOST_FOLDED).map(([fold, { charts, tables }]) => ({
    fold,
    // Its card and its table are above.
    holds: [...charts.flatMap((one) => one.metrics), ...tables].filter((one) => one !== "mount.used_pct"),
  }));
  const all = [
    ...postgres,
    ...host,
    { fold: "statements", holds: LOCK_MODES },
    { fold: "databases", holds: SIZES.metrics },
    { fold: "checks", holds: ["health_checks"] },
    { fold: "targets", holds: ["targets"] },
    { fold: "settings", holds: ["settings"] },
    { fold: "resources", holds: COLLECTOR_FOLDED },
    { fold: "traffic-receiver", holds: id.startsWith("traffic.") ? [id] : [] },
    ...[...API_FOLDED, ...PROXY_FOLDED].map(({ id: fold, cards, charts }) => ({
      fold,
      holds: [...charts.flatMap((one) => one.metrics), ...cards],
    })),
  ];
  return all.find(({ holds }) => holds.includes(id))?.fold ?? null;
}
