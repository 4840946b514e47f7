import { expect, test } from "vitest";
import type { Line } from "../charts/model";
import { spread } from "./latency-rows";

const line = (bound: string, avg: (number | null)[]): Line => ({
  id: bound,
  label: bound,
  metric: "target.within_pct",
  key: `shop.${bound}`,
  colour: 0,
  dash: 0,
  unit: "percent",
  lo: avg,
  hi: avg,
  avg,
  last: avg[avg.length - 1] ?? null,
  base: null,
  top: avg,
  hidden: false,
  everyMs: 0,
});

test("shares within bounds become shares between them, slowest first", () => {
  const rows = spread([line("+Inf", [100, null]), line("2.5", [10, null]), line("1000", [95, null])]);
  expect(rows.map((row) => row.label)).toEqual(["> 1\u00a0s", "≤ 1\u00a0s", "≤ 2.5\u00a0ms"]);
  expect(rows.map((row) => row.avg[0])).toEqual([5, 85, 10]);
  expect(rows.map((row) => row.top[0])).toEqual([100, 95, 10]);
  expect(rows.map((row) => row.avg[1])).toEqual([null, null, null]);
});

test("a value reported for one bound is unknown for its neighbour", () => {
  const rows = spread([line("10", [null]), line("20", [50]), line("+Inf", [100])]);
  expect(rows.map((row) => row.avg[0])).toEqual([50, null, null]);
});
