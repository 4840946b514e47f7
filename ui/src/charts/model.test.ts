import { expect, test } from "vitest";
import type { SeriesAnswer } from "../api/types.gen";
import { bucketAt, buildModel, claimSlot, heldAt, isJoined, reduceRows } from "./model";

const ANSWER: SeriesAnswer = {
  now_ms: 5000,
  t0_ms: 0,
  step_ms: 1000,
  n: 5,
  source: "raw",
  generation: "g",
  cursor: "c",
  partial: false,
  series: [
    {
      metric: "m.b",
      key: null,
      lo: [1, 1, null, 1, 1],
      hi: [3, 3, null, 99, 3],
      avg: [2, 2, null, 2, 2],
      last: 2,
    },
    {
      metric: "m.a",
      key: null,
      lo: [9, 9, 9, 9, 9],
      hi: [11, 11, 11, 11, 11],
      avg: [10, 10, 10, 10, 10],
      last: 10,
    },
  ],
  gaps: [],
  marks: [],
  errors: [],
};

const ask = (stacked: boolean, hidden: string[] = []) =>
  buildModel({
    answer: ANSWER,
    metrics: ["m.a", "m.b"],
    registry: new Map(),
    stacked,
    hidden: new Set(hidden),
    slots: new Map(),
    levels: [],
    fromMs: 0,
    toMs: 5000,
  });

test("a stack adds means in the order asked, and keeps its holes", () => {
  const model = ask(true);
  expect(model.lines.map((line) => line.metric)).toEqual(["m.a", "m.b"]);
  expect(model.lines[1]?.top).toEqual([12, 12, null, 12, 12]);
  expect(model.lines[1]?.base).toEqual([10, 10, 10, 10, 10]);
});

test("a hidden line leaves the stack", () => {
  expect(ask(true, ["m.a"]).lines[1]?.top).toEqual([2, 2, null, 2, 2]);
});

test("one high sample is inside the scale and inside the table", () => {
  expect(ask(false).max).toBeGreaterThan(99);
  const rows = reduceRows(ask(false), 2);
  expect(rows).toHaveLength(2);
  expect(rows[1]?.cells[1]).toEqual({ avg: 2, lo: 1, hi: 99 });
});

test("a colour stays with its name", () => {
  const slots = new Map<string, number>();
  expect([claimSlot(slots, "x"), claimSlot(slots, "y"), claimSlot(slots, "x")]).toEqual([0, 1, 0]);
  slots.delete("x");
  expect(claimSlot(slots, "z")).toBe(0);
});

test("what is sampled seldom is joined and held until the next sample is due, and no longer", () => {
  const grid = { stepMs: 100_000 };
  const slow = { everyMs: 300_000, avg: [1, null, null, 2, null, null, null, null, 3] };
  expect(isJoined(grid, slow, 0, 3)).toBe(true);
  expect(isJoined(grid, slow, 3, 8)).toBe(false);
  expect(slow.avg.map((_, at) => heldAt(grid, slow, at))).toEqual([0, 0, 0, 3, 3, 3, 3, 7, 8]);
  const quick = { everyMs: 0, avg: [1, null, 2] };
  expect(isJoined(grid, quick, 0, 1)).toBe(true);
  expect(isJoined(grid, quick, 0, 2)).toBe(false);
  expect(heldAt(grid, quick, 1)).toBe(1);
});

test("instants find their bucket, clamped", () => {
  const grid = { times: [0, 1000, 2000], stepMs: 1000 };
  expect([-5, 400, 600, 9999].map((at) => bucketAt(grid, at))).toEqual([0, 0, 1, 2]);
  expect(bucketAt({ times: [], stepMs: 1 }, 0)).toBe(-1);
});
