import { expect, test } from "vitest";
import type { SeriesAnswer } from "../api/types.gen";
import { count } from "./counts";

test("rates are counted per bucket, of the newest one what is over, of gaps nothing", () => {
  // One in ten seconds of a bucket of a hundred; the last bucket is ten seconds old.
  const answer: SeriesAnswer = {
    now_ms: 0,
    t0_ms: 0,
    source: "raw",
    generation: "g",
    cursor: "c",
    partial: false,
    marks: [],
    errors: [],
    step_ms: 100_000,
    n: 4,
    gaps: [[200_000, 250_000]],
    series: [
      { metric: "m", key: null, lo: [0, 0, 0, 0], hi: [1, 1, 1, 1], avg: [0.1, null, 0.1, 0.1], last: 0.1 },
    ],
  };
  const [line] = count(answer, 1000, 310_000).series;
  expect(line?.avg).toEqual([10, null, 5, 1]);
  expect(line?.hi).toEqual(line?.avg);
  expect(line?.last).toBe(1);
  expect(count(answer, 3_600_000, 400_000).series[0]?.avg).toEqual([0, null, 0, 0]);
});
