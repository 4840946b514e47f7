import { describe, expect, test } from "vitest";
import { scrolledPct, stopwatch, untilReport } from "./engaged";

describe("the stopwatch", () => {
  test.each<[what: string, steps: [at: number, runs: boolean, sum: number][]]>([
    [
      "counts from when it runs",
      [
        [500, true, 0],
        [1_700, true, 1_200],
      ],
    ],
    [
      "stops",
      [
        [0, true, 0],
        [300, false, 300],
        [90_000, false, 300],
      ],
    ],
    [
      "goes on where it was",
      [
        [0, true, 0],
        [300, false, 300],
        [1_000, true, 300],
        [1_250, false, 550],
      ],
    ],
    [
      "counts nothing before",
      [
        [0, false, 0],
        [4_000, false, 0],
        [5_000, true, 0],
        [5_001, true, 1],
      ],
    ],
    [
      "counts a repeated call once",
      [
        [0, true, 0],
        [10, true, 10],
        [10, true, 10],
        [30, true, 30],
      ],
    ],
  ])("%s", (_, steps) => {
    let now = 0;
    const engaged = stopwatch(() => now);
    for (const [at, runs, sum] of steps) {
      now = at;
      expect(engaged(runs)).toBe(sum);
    }
  });
});

test.each([
  [0, 10_020],
  [9_999, 21],
  [10_000, 50_020],
  [59_999.5, 20.5],
  [60_000, 240_020],
  [300_000, 600_020],
  [900_000, undefined],
  [1e9, undefined],
])("after %d ms of engagement a view reports in %s", (engaged, rest) => {
  expect(untilReport(engaged)).toBe(rest);
});

test.each([
  [720, 720, 100],
  [900, 400, 100],
  [720, 1_440, 50],
  [1_439, 1_440, 100],
  [1_000, 3_000, 33],
  [0, 0, 100],
])("of a page, %d of %d pixels seen are %d %%", (deepest, height, pct) => {
  expect(scrolledPct(deepest, height)).toBe(pct);
});
