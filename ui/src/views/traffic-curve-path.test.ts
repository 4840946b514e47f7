import { describe, expect, it } from "vitest";
import { ceiling, drawCurve } from "./traffic-curve-path";

const BOX = { width: 140, height: 120, left: 40, above: 10, below: 10 };

describe("the curve of traffic", () => {
  it("has a round top above all values", () => {
    expect([0, 4, 5, 11, 20, 21, 51, 999, 100_001].map(ceiling)).toEqual([
      5, 5, 5, 20, 20, 50, 100, 1000, 200_000,
    ]);
  });

  it("draws each step in its middle, and nothing where nothing is known", () => {
    const curve = drawCurve(
      [
        [0, 5, null, 5],
        [1, null, null, null],
      ],
      BOX,
    );
    expect(curve.xs).toEqual([52.5, 77.5, 102.5, 127.5]);
    expect(curve.paths).toEqual(["M52.5 110.0L77.5 10.0M127.5 10.0", "M52.5 90.0"]);
    expect(curve.levels.map(({ value }) => value)).toEqual([0, 2.5, 5]);
  });

  it("stands still without any step", () => {
    expect(drawCurve([[]], BOX).paths).toEqual([""]);
  });
});
