/** A small line without axes: the last hour of one metric, with its least and greatest value in words. */
import { useRef } from "preact/hooks";
import { useSeries } from "../api/series";
import { metricsById } from "../api/store";
import { formatValue } from "../format/value";
import type { Range } from "../state/range";
import { useNear } from "./near";

const LAST_HOUR: Range = { from: "now-1h", to: "now" };
const WIDTH = 160;
const HEIGHT = 34;

export default function Spark({ metric, level }: { metric: string; level: number | null }) {
  const root = useRef<HTMLDivElement>(null);
  const near = useNear(root);
  const known = metricsById.value.get(metric.split("@")[0] ?? "");
  const question = near && known ? { metrics: [metric], px: 80, limit: 1, range: LAST_HOUR } : null;
  const series = useSeries(question).data.value?.series[0];
  const values = series?.hi ?? [];
  const present = values.filter((value): value is number => value !== null);
  return (
    <div ref={root}>
      {present.length > 1 && (
        <>
          <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
            {drawLevel(present, level)}
            <path class="line" d={drawPath(values, present, level)} />
          </svg>
          <span class="muted">
            last hour {formatValue(Math.min(...present), known?.unit ?? "count")} –{" "}
            {formatValue(Math.max(...present), known?.unit ?? "count")}
          </span>
        </>
      )}
    </div>
  );
}

function scale(present: readonly number[], level: number | null): (value: number) => number {
  const all = level === null ? present : [...present, level];
  const low = Math.min(...all);
  const high = Math.max(...all);
  const height = HEIGHT - 4;
  return (value) => 2 + height - (high === low ? height / 2 : ((value - low) / (high - low)) * height);
}

function drawPath(
  values: readonly (number | null)[],
  present: readonly number[],
  level: number | null,
): string {
  const y = scale(present, level);
  const step = WIDTH / Math.max(1, values.length - 1);
  let joined = false;
  let path = "";
  values.forEach((value, at) => {
    if (value !== null) path += `${joined ? "L" : "M"}${(at * step).toFixed(1)} ${y(value).toFixed(1)}`;
    joined = value !== null;
  });
  return path;
}

function drawLevel(present: readonly number[], level: number | null) {
  if (level === null) return null;
  const y = scale(present, level)(level).toFixed(1);
  return <path class="level" d={`M0 ${y}H${WIDTH}`} />;
}
