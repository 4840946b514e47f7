import { expect, test } from "vitest";
import { readStrip, worstOf } from "./health-cells";

test("a strip has a cell for each half hour, and none of them is zero without a score", () => {
  expect(readStrip("3600000 100,69,39,,0")).toEqual([
    { atMs: 3_600_000, score: 100, severity: "ok" },
    { atMs: 5_400_000, score: 69, severity: "warn" },
    { atMs: 7_200_000, score: 39, severity: "critical" },
    { atMs: 9_000_000, score: null, severity: "unknown" },
    { atMs: 10_800_000, score: 0, severity: "critical" },
  ]);
});

test("the worst half hour is the first with the lowest score", () => {
  expect(worstOf(readStrip("0 100,,39,70,39"))?.atMs).toBe(3_600_000);
  expect(worstOf(readStrip("0 ,,"))).toBeUndefined();
});
