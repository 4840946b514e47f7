/** From a point of a chart to the snapshot of that instant. */
import { metricWithKey } from "../api/series";
import { atInstant } from "../state/instant";
import { goToView } from "../state/location";
import { pin, pinnedMs } from "./crosshair";
import type { Model } from "./model";

/** Opens the snapshot of an instant; of a chart with one line it is about that line. */
export function openSnapshot(atMs: number, model: Pick<Model, "lines">): void {
  pin(null);
  const [line, ...others] = model.lines.filter((one) => !one.hidden);
  const isOne = line !== undefined && others.every((other) => other.metric === line.metric);
  goToView("snapshot", atInstant(atMs, isOne ? { metric: metricWithKey(line.metric, line.key) } : {}));
}

/** Enter on a chart: pins the cursor, by default to the newest bucket; where it is pinned, opens the snapshot. */
export function pinOrOpen(atMs: number | null, model: Pick<Model, "lines" | "times">): void {
  const held = pinnedMs.peek();
  if (held === null) pin(atMs ?? model.times.at(-1) ?? null);
  else openSnapshot(held, model);
}
