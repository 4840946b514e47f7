import { expect, test } from "vitest";
import type { SeriesAnswer } from "../api/types.gen";
import { bandsOf, ghostsOf, outline } from "./ghosts";
import type { Line, Model } from "./model";

const DAY = 86_400_000;
const SPAN = { fromMs: Date.UTC(2026, 10, 22, 14), toMs: Date.UTC(2026, 10, 22, 15) };

test("a snapshot has ghosts of a day and a week before, a comparison that of its range", () => {
  expect(ghostsOf("system", null, SPAN)).toEqual([]);
  expect(ghostsOf("snapshot", null, SPAN).map((ghost) => ghost.shiftMs)).toEqual([DAY, 7 * DAY]);
  expect(ghostsOf("system", "2026-11-22T13:00:00Z", SPAN)).toEqual([
    { shiftMs: 3_600_000, label: "compared" },
  ]);
  for (const nonsense of ["", "now-1h", "<b>", "2026-11-22T14:00:00Z"]) {
    expect(ghostsOf("system", nonsense, SPAN)).toEqual([]);
  }
});

const line = (metric: string, change: Partial<Line> = {}): Line =>
  ({ metric, key: null, colour: 3, hidden: false, base: null, ...change }) as Line;
const answer = (series: Record<string, (number | null)[]>): SeriesAnswer =>
  ({
    t0_ms: 1000,
    step_ms: 10,
    n: 3,
    series: Object.entries(series).map(([metric, avg]) => ({ metric, key: null, avg })),
  }) as unknown as SeriesAnswer;

test("a ghost is moved onto the axis and follows the lines that are shown", () => {
  const model = { stacked: false, lines: [line("a"), line("b", { hidden: true }), line("c")] } as Model;
  const ghost = { shiftMs: 500, label: "" };
  expect(outline(answer({ a: [1, null, 3], b: [9, 9, 9] }), model, ghost)).toEqual({
    times: [1500, 1510, 1520],
    lines: [{ colour: 3, values: [1, null, 3] }],
  });
});

test("of a stack the sum alone is drawn, where all parts are known", () => {
  const base = [0, 0, 0];
  const model = { stacked: true, lines: [line("a", { base }), line("b", { base, colour: 5 })] } as Model;
  expect(outline(answer({ a: [1, null, 3], b: [2, 2, 2] }), model, { shiftMs: 0, label: "" }).lines).toEqual([
    { colour: 5, values: [3, null, 5] },
  ]);
});

test("bands are of lines that are shown, and of many of the one whose levels are drawn", () => {
  const band = (metric: string) => ({ metric, key: null, hours: [[0, 1, 2]] as [number, number, number][] });
  const lines = ["a", "b", "c"].map((metric) => line(metric));
  const bands = ["a", "b", "c", "sum"].map(band);
  const of = (model: Partial<Model>) => bandsOf(bands, { stacked: false, lines, ...model } as Model);
  expect(of({})).toEqual([]);
  expect(of({ lines: lines.slice(1) })).toHaveLength(2);
  expect(of({ lines: lines.slice(2) })).toEqual([{ colour: 3, hours: [[0, 3_600_000, 1, 2]] }]);
  expect(of({ subject: "b" })).toHaveLength(1);
  expect(of({ subject: "sum" })).toEqual([]);
  const hidden = ["a", "b", "c", "d"].map((metric) => line(metric, { hidden: metric === "b" }));
  expect(of({ lines: hidden, subject: "b" })).toEqual([]);
});

test("the band of a stack is that of its sum, as long as all of it is shown", () => {
  const bands = [{ metric: "sum", key: null, hours: [[0, 1, 2]] as [number, number, number][] }];
  const lines = ["a", "b"].map((metric) => line(metric));
  const of = (model: Partial<Model>) => bandsOf(bands, { stacked: true, lines, ...model } as Model);
  expect(of({})).toEqual([]);
  expect(of({ subject: "sum" })).toEqual([{ colour: -1, hours: [[0, 3_600_000, 1, 2]] }]);
  expect(of({ subject: "sum", lines: [line("a"), line("b", { hidden: true })] })).toEqual([]);
  expect(of({ subject: "sum", lines: [line("a", { key: "x" })] })).toEqual([]);
});
