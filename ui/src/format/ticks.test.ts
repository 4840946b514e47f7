import { expect, test } from "vitest";
import type { Unit } from "../api/types.gen";
import { axisSteps, formatTicks } from "./ticks";

const UNITS: readonly Unit[] = [
  "percent",
  "bytes",
  "bytes_per_sec",
  "per_sec",
  "count",
  "ms",
  "secs",
  "ratio",
];

/** Ticks as the axis makes them: multiples of a step, from any start. */
function ticksOf(step: number, first: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

test("labels of ticks are distinct for every unit, step and start", () => {
  for (const unit of UNITS) {
    const steps = axisSteps(unit) ?? Array.from({ length: 18 }, (_, power) => 10 ** (power - 6));
    for (const step of steps) {
      for (const first of [0, 1, 7, 99, 1023, 4999]) {
        const texts = formatTicks(ticksOf(step, first, 5), unit);
        expect(new Set(texts).size, `${unit}, step ${step}, from ${first}: ${texts.join(" | ")}`).toBe(5);
      }
    }
  }
});

test("labels stay short where they differ anyway, and are exact where they would not", () => {
  const plain = (texts: string[]): string[] => texts.map((text) => text.replaceAll("\u00a0", " "));
  expect(plain(formatTicks([0, 25, 50, 75, 100], "percent"))).toEqual([
    "0 %",
    "25 %",
    "50 %",
    "75 %",
    "100 %",
  ]);
  expect(plain(formatTicks([0, 0.002, 0.004], "percent"))).toEqual(["0.000 %", "0.002 %", "0.004 %"]);
  expect(plain(formatTicks([1_000_000, 1_000_500, 1_001_000], "count"))).toEqual([
    "1.0000 M",
    "1.0005 M",
    "1.0010 M",
  ]);
  expect(plain(formatTicks([600, 615, 630], "secs"))).toEqual(["10 min", "10 min 15 s", "10 min 30 s"]);
  expect(plain(formatTicks([0, 1024, 2048], "bytes"))).toEqual(["0 B", "1 KiB", "2 KiB"]);
});
