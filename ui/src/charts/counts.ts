/**
 * Rare events as bars: how often something happened in each bucket.
 *
 * As a rate such a thing is a row of needles: one checkpoint within ten seconds is 360 an hour. The
 * rate over a bucket times the time that was seen of it is the number of events again.
 */
import type uPlot from "uplot";
import type { SeriesAnswer } from "../api/types.gen";
import type { Drawing, Line, Model } from "./model";

/** Wide enough for bars with gaps between them. */
const BAR_PX = 12;

/** Of rates per `perMs`. */
export function counted(perMs: number): Drawing {
  return {
    px: BAR_PX,
    unit: "count",
    prepare: (answer, toMs) => count(answer, perMs, toMs),
    draw: drawBars,
  };
}

/**
 * How often something happened in each bucket, from its rate per `perMs`. Of the newest bucket only
 * what is over counts, and what lies in a gap was not seen.
 */
export function count(answer: SeriesAnswer, perMs: number, toMs: number): SeriesAnswer {
  const seen = Array.from({ length: answer.n }, (_, at) => {
    const from = answer.t0_ms + at * answer.step_ms;
    const to = Math.min(from + answer.step_ms, toMs);
    const missing = answer.gaps.map(([start, end]) => Math.max(0, Math.min(end, to) - Math.max(start, from)));
    return Math.max(0, to - from - missing.reduce((sum, ms) => sum + ms, 0));
  });
  const series = answer.series.map((one) => {
    const counts = one.avg.map((rate, at) =>
      rate === null ? null : Math.round((rate * (seen[at] ?? 0)) / perMs),
    );
    return { ...one, lo: counts, hi: counts, avg: counts, last: counts[answer.n - 1] ?? null };
  });
  return { ...answer, series };
}

/** One bar per bucket in which something happened, with a pixel between neighbours. */
function drawBars(u: uPlot, model: Model, line: Line): uPlot.Series.Paths {
  const bars = new Path2D();
  const x = (ms: number): number => Math.round(u.valToPos(ms, "x", true));
  const y = (value: number): number => Math.round(u.valToPos(value, "y", true));
  model.times.forEach((ms, at) => {
    const top = line.top[at] ?? null;
    const base = line.base?.[at] ?? 0;
    if (top === null || top === base) return;
    const left = x(ms);
    bars.rect(left + 0.5, y(top) + 0.5, Math.max(1, x(ms + model.stepMs) - left - 2), y(base) - y(top));
  });
  return { stroke: bars, fill: bars, flags: 1 };
}
