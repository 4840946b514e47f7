/**
 * Joining an increment of series to what is already held.
 *
 * Buckets lie on one grid (start `t0_ms`, width `step_ms`). A partial answer replaces every bucket
 * from its own start on, and buckets before the start of the range fall away. Where the two do not
 * fit together (another generation, another step, other series, a hole between them) the join is
 * refused with null, and the caller asks for the whole: a wrong picture costs more than a request.
 */
import type { Mark, Series, SeriesAnswer } from "./types.gen";

export function mergeSeries(
  held: SeriesAnswer | null,
  answer: SeriesAnswer,
  fromMs: number,
): SeriesAnswer | null {
  if (!answer.partial) return answer;
  if (!held || held.generation !== answer.generation || held.step_ms !== answer.step_ms) return null;
  if (held.source !== answer.source) return null;
  const step = held.step_ms;
  const keep = (answer.t0_ms - held.t0_ms) / step;
  if (!Number.isInteger(keep) || keep < 0 || keep > held.n) return null;
  if (answer.series.length !== held.series.length) return null;

  const drop = Math.min(keep, Math.max(0, Math.floor((fromMs - held.t0_ms) / step)));
  const series: Series[] = [];
  for (const old of held.series) {
    const fresh = answer.series.find((other) => other.metric === old.metric && other.key === old.key);
    if (!fresh || fresh.avg.length !== answer.n) return null;
    series.push({
      metric: old.metric,
      key: old.key,
      lo: old.lo.slice(drop, keep).concat(fresh.lo),
      hi: old.hi.slice(drop, keep).concat(fresh.hi),
      avg: old.avg.slice(drop, keep).concat(fresh.avg),
      last: fresh.last,
    });
  }
  const start = held.t0_ms + drop * step;
  return {
    ...answer,
    partial: false,
    t0_ms: start,
    n: keep - drop + answer.n,
    series,
    gaps: mergeGaps(held.gaps, answer.gaps, answer.t0_ms, start),
    marks: mergeMarks(held.marks, answer.marks, answer.t0_ms, start),
  };
}

/** Old gaps up to the seam, new ones from there; two that touch become one. */
export function mergeGaps(
  held: readonly [number, number][],
  fresh: readonly [number, number][],
  seamMs: number,
  startMs: number,
): [number, number][] {
  const joined: [number, number][] = [];
  const all = held
    .filter(([from]) => from < seamMs)
    .map(([from, to]): [number, number] => [from, Math.min(to, seamMs)])
    .concat(fresh.map(([from, to]): [number, number] => [from, to]))
    .filter(([, to]) => to > startMs)
    .sort((a, b) => a[0] - b[0]);
  for (const gap of all) {
    const before = joined[joined.length - 1];
    if (before && gap[0] <= before[1]) before[1] = Math.max(before[1], gap[1]);
    else joined.push(gap);
  }
  return joined;
}

function mergeMarks(held: readonly Mark[], fresh: readonly Mark[], seamMs: number, startMs: number): Mark[] {
  return held.filter((mark) => mark.at_ms < seamMs && mark.at_ms >= startMs).concat(fresh);
}
