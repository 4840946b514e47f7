import { expect, test } from "vitest";
import type { Series, SeriesAnswer } from "../api/types.gen";
import { bucketAt, buildModel, heldAt, isJoined, reduceRows } from "./model";
import { Slots } from "./slots";

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

const ASK = {
  answer: ANSWER,
  metrics: ["m.a", "m.b"],
  registry: new Map(),
  hidden: new Set<string>(),
  levels: [],
  fromMs: 0,
  toMs: 5000,
};

const ask = (stacked: boolean, hidden: string[] = []) =>
  buildModel({ ...ASK, stacked, hidden: new Set(hidden), slots: new Slots(), ownSlots: new Map() });

test("a stack adds means in the order asked, and keeps its holes", () => {
  const model = ask(true);
  expect(model.lines.map((line) => line.metric)).toEqual(["m.a", "m.b"]);
  expect(model.lines[1]?.top).toEqual([12, 12, null, 12, 12]);
  expect(model.lines[1]?.base).toEqual([10, 10, 10, 10, 10]);
});

test("lines of zeros alone are left out where that is asked for", () => {
  const zero = {
    metric: "m.c",
    lo: [0, 0, null, 0, 0],
    hi: [0, 0, null, 0, 0],
    avg: [0, 0, null, 0, 0],
    last: 0,
  };
  const answer = { ...ANSWER, series: [...ANSWER.series, { ...zero, key: null }] };
  const metrics = (isSparse: boolean) =>
    buildModel({
      ...ASK,
      answer,
      isSparse,
      stacked: true,
      slots: new Slots(),
      ownSlots: new Map(),
    }).lines.map((line) => line.metric);
  expect(metrics(true)).toEqual(["m.a", "m.b"]);
  expect(metrics(false)).toEqual(["m.a", "m.b", "m.c"]);
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

test("a stack of shares ends at its whole, though the greatest samples of its parts add up to more", () => {
  const shares: SeriesAnswer = {
    ...ANSWER,
    series: [
      { metric: "m.a", key: null, lo: [40], hi: [90], avg: [60], last: 60 },
      { metric: "m.b", key: null, lo: [10], hi: [80], avg: [40.3], last: 40 },
    ],
    n: 1,
  };
  const top = (answer: SeriesAnswer): number =>
    buildModel({ ...ASK, answer, stacked: true, ceiling: 100, slots: new Slots(), ownSlots: new Map() }).max;
  expect(top(shares)).toBe(100);
  const more = { ...shares, series: [...shares.series, { ...shares.series[0], metric: "m.c" } as Series] };
  expect(top(more)).toBeGreaterThan(160);
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
