import { describe, expect, test } from "vitest";
import { mergeGaps, mergeSeries } from "./merge";
import type { SeriesAnswer } from "./types.gen";

const STEP = 1000;

/** Numbers that look random and are the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The value of a bucket: gone for some, and changing while the bucket is still open. */
function bucket(index: number, upTo: number): number | null {
  if (index > upTo || index % 7 === 3) return null;
  return index * 10 + (index === upTo ? 1 : 0);
}

function answer(first: number, last: number, partial: boolean, keys = ["a", "b"]): SeriesAnswer {
  const values = Array.from({ length: last - first + 1 }, (_, at) => bucket(first + at, last));
  return {
    now_ms: last * STEP,
    t0_ms: first * STEP,
    step_ms: STEP,
    n: values.length,
    source: "raw",
    generation: "g",
    cursor: `c${last}`,
    partial,
    series: keys.map((key) => ({
      metric: "m",
      key,
      lo: values.map((value) => (value === null ? null : value - 1)),
      hi: values.map((value) => (value === null ? null : value + 1)),
      avg: [...values],
      last: values[values.length - 1] ?? null,
    })),
    gaps: [],
    marks: [],
    errors: [],
  };
}

describe("mergeSeries", () => {
  test("fifty increments equal one whole answer, whatever their sizes", () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const random = seeded(seed);
      const width = 5 + Math.floor(random() * 40);
      let last = 100;
      let held: SeriesAnswer | null = answer(last - width, last, false);
      for (let round = 0; round < 50; round += 1) {
        const seam = last - Math.floor(random() * Math.min(4, width));
        last += Math.floor(random() * 5);
        held = mergeSeries(held, answer(seam, last, true), (last - width) * STEP);
        const whole = answer(last - width, last, false);
        expect(held?.t0_ms, `seed ${seed} round ${round}`).toBeLessThanOrEqual(whole.t0_ms);
        const surplus = (whole.t0_ms - (held?.t0_ms ?? 0)) / STEP;
        expect(surplus).toBe(0);
        expect(held?.n).toBe(whole.n);
        expect(held?.series).toEqual(whole.series);
        expect(held?.cursor).toBe(whole.cursor);
      }
    }
  });

  test("the same increment twice changes nothing more", () => {
    const held = answer(0, 10, false);
    const part = answer(9, 12, true);
    const once = mergeSeries(held, part, 0);
    expect(mergeSeries(once, part, 0)).toEqual(once);
  });

  test("a whole answer replaces what was held", () => {
    const whole = answer(0, 5, false);
    expect(mergeSeries(answer(0, 3, false), whole, 0)).toBe(whole);
    expect(mergeSeries(null, whole, 0)).toBe(whole);
  });

  test.each<[string, Partial<SeriesAnswer>]>([
    ["another generation", { generation: "h" }],
    ["another step", { step_ms: 2 * STEP }],
    ["another source", { source: "hourly" }],
    ["a hole before it", { t0_ms: 12 * STEP }],
    ["a start before what is held", { t0_ms: -STEP }],
    ["a start off the grid", { t0_ms: 9 * STEP + 1 }],
    ["fewer series", { series: answer(9, 12, true, ["a"]).series }],
    ["other keys", { series: answer(9, 12, true, ["a", "c"]).series }],
    ["buckets missing", { n: 5 }],
  ])("refuses %s", (_, change) => {
    expect(mergeSeries(answer(0, 10, false), { ...answer(9, 12, true), ...change }, 0)).toBeNull();
  });

  test("refuses an increment to nothing", () => {
    expect(mergeSeries(null, answer(9, 12, true), 0)).toBeNull();
  });

  test("an increment right behind the last bucket fits", () => {
    expect(mergeSeries(answer(0, 10, false), answer(11, 12, true), 0)?.n).toBe(13);
  });
});

test("gaps join at the seam and fall away with their range", () => {
  expect(
    mergeGaps(
      [
        [0, 5],
        [20, 40],
      ],
      [[30, 50]],
      30,
      10,
    ),
  ).toEqual([[20, 50]]);
  expect(mergeGaps([[20, 40]], [], 30, 0)).toEqual([[20, 30]]);
});
