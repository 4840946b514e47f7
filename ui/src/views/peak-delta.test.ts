import { expect, test } from "vitest";
import type { Peak } from "../api/types.gen";
import { delta } from "./peak-delta";

const peak: Peak = {
  metric: "system.cpu_busy_pct",
  key: null,
  label: "CPU busy",
  unit: "percent",
  is_least: false,
  worst: 92,
  before: 40,
};
const plain = (text: string): string => text.replace(/\u00a0/g, " ");

test("a peak is compared with that before, and unknown is not zero", () => {
  expect(plain(delta(peak))).toBe("+52 % (before 40 %)");
  expect(plain(delta({ ...peak, worst: 30 }))).toBe("−10 % (before 40 %)");
  expect(plain(delta({ ...peak, worst: 40 }))).toBe("±0 % (before 40 %)");
  expect(plain(delta({ ...peak, worst: 39.99996 }))).toBe("±0 % (before 40 %)");
  expect(plain(delta({ ...peak, before: null, key: "sda" }))).toBe("sda · nothing before");
});
