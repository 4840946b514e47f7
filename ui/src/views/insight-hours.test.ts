import { expect, test } from "vitest";
import type { AlertBar } from "../api/types.gen";
import { countByHour } from "./insight-hours";

const at = (day: number, hour: number): number => Date.UTC(2026, 10, day, hour, 30);
const lane = (domain: string, ...opened: number[]) => ({
  domain,
  bars: opened.map((opened_ms) => ({ opened_ms }) as AlertBar),
});

test("insights are counted by the hour they began at, and what began outside of the span is not", () => {
  const lanes = [
    lane("db", at(20, 3), at(21, 3), at(22, 4)),
    lane("system", at(22, 4)),
    lane("db", at(1, 3)),
    lane("api", at(23, 0)),
  ];
  const found = countByHour(lanes, at(20, 0), at(22, 23), true);
  expect(found.map(({ domain }) => domain)).toEqual(["db", "system"]);
  expect(found[0]?.counts[3]).toBe(2);
  expect(found[0]?.counts[4]).toBe(1);
  expect(found[1]?.counts.reduce((a, b) => a + b)).toBe(1);
  expect(countByHour([], 0, 1, true)).toEqual([]);
});
