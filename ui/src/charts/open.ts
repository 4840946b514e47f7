/** From a point of a chart to the snapshot of that instant. */
import { metricWithKey } from "../api/series";
import { atInstant } from "../state/instant";
import { goToView } from "../state/location";
import { pin } from "./crosshair";
import type { Model } from "./model";

/** Opens the snapshot of an instant; of a chart with one line it is about that line. */
export function openSnapshot(atMs: number, model: Pick<Model, "lines">): void {
  pin(null);
  const [line, ...others] = model.lines.filter((one) => !one.hidden);
  const isOne = line !== undefined && others.every((other) => other.metric === line.metric);
  goToView("snapshot", atInstant(atMs, isOne ? { metric: metricWithKey(line.metric, line.key) } : {}));
}
