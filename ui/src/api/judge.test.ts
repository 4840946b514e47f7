import { describe, expect, test } from "vitest";
import { judge, listLevels, worstOf } from "./judge";
import type { MetricMeta, Severity } from "./types.gen";

const EPSILON = 1e-9;
type Judged = Pick<MetricMeta, "better" | "levels">;
const lower: Judged = { better: "lower", levels: { info: 20, warn: 50, critical: 80 } };
const higher: Judged = { better: "higher", levels: { info: 99, warn: 97, critical: 95 } };

describe("every edge, a hair below, at, and above", () => {
  const edges: [Judged, number, Severity, Severity, Severity][] = [
    [lower, 20, "ok", "info", "info"],
    [lower, 50, "info", "warn", "warn"],
    [lower, 80, "warn", "critical", "critical"],
    [higher, 99, "info", "info", "ok"],
    [higher, 97, "warn", "warn", "info"],
    [higher, 95, "critical", "critical", "warn"],
  ];
  test.each(edges)("%o at %d", (metric, level, below, at, above) => {
    expect(judge(level - EPSILON, metric)).toBe(below);
    expect(judge(level, metric)).toBe(at);
    expect(judge(level + EPSILON, metric)).toBe(above);
  });
});

test("without a value nothing is known, without levels nothing is wrong", () => {
  expect(judge(null, lower)).toBe("unknown");
  expect(judge(Number.NaN, lower)).toBe("unknown");
  expect(judge(1e9, { better: "lower", levels: null })).toBe("ok");
  expect(judge(1e9, { better: "neither", levels: lower.levels })).toBe("ok");
  expect(judge(60, { better: "lower", levels: { info: null, warn: null, critical: 60 } })).toBe("critical");
  expect(judge(1, null)).toBe("ok");
});

test("the worst severity wins, and unknown is not fine", () => {
  expect(worstOf(["ok", "warn", "info"])).toBe("warn");
  expect(worstOf(["ok", "unknown"])).toBe("unknown");
  expect(worstOf([])).toBe("ok");
  expect(listLevels({ info: null, warn: 1, critical: 2 })).toEqual([
    ["warn", 1],
    ["critical", 2],
  ]);
});
