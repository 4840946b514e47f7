import { expect, test } from "vitest";
import { chooseTimeStep, labelTimes, splitTime, TIME_STEPS } from "./time-axis";

const NOON = Date.UTC(2026, 10, 29, 12, 0, 0);

test("ticks are round times with room for their labels, however wide the range", () => {
  for (const spanMs of [60_000, 900_000, 3_600_000, 86_400_000, 7 * 86_400_000, 365 * 86_400_000]) {
    for (const width of [250, 600, 1200]) {
      const step = chooseTimeStep(spanMs, width, 60);
      const splits = splitTime(NOON + 1234 - spanMs, NOON + 1234, step, true);
      expect(TIME_STEPS).toContain(step);
      expect(splits.every((at) => at % step === 0)).toBe(true);
      expect((step / spanMs) * width).toBeGreaterThanOrEqual(60);
    }
  }
});

test("labels name the day where it begins", () => {
  const splits = splitTime(NOON - 3_600_000, NOON, 1_800_000, true);
  expect(labelTimes(splits, 1_800_000, true)).toEqual(["11:00\n29 Nov", "11:30", "12:00"]);
  expect(labelTimes([NOON], 86_400_000, true)).toEqual(["29 Nov"]);
});
