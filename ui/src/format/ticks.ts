/**
 * The labels of a value axis: distinct however close the ticks are.
 *
 * Labels are those of `formatValue` as long as they differ. Where rounding made two of them equal,
 * all are written in the unit of the largest with as many places as the step between them needs.
 */
import type { Unit } from "../api/types.gen";
import { formatDuration } from "./time";
import { formatValue, groupDigits, NBSP, scaleOf } from "./value";

const BINARY_STEPS = Array.from({ length: 60 }, (_, power) => 2 ** (power - 10));
const WHOLE_STEPS = Array.from({ length: 13 }, (_, power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
).flat();
/** Parts of a minute, an hour and a day that clocks are read in, in seconds. */
const CLOCK_STEPS = [
  60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000,
  1_728_000, 4_320_000, 8_640_000, 17_280_000, 43_200_000, 86_400_000, 172_800_000, 432_000_000,
];
const BELOW_A_MINUTE = [
  ...Array.from({ length: 9 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** (power - 9))).flat(),
  1,
  2,
  5,
  10,
  15,
  30,
];
const SECOND_STEPS = [...BELOW_A_MINUTE, ...CLOCK_STEPS];

/** The steps a value axis of this unit may have; undefined where any 1-2-5 step will do. */
export function axisSteps(unit: Unit): number[] | undefined {
  switch (unit) {
    case "bytes":
    case "bytes_per_sec":
      return BINARY_STEPS;
    // Half a process does not exist.
    case "count":
    case "bool":
      return WHOLE_STEPS;
    case "secs":
      return SECOND_STEPS;
    case "ms":
      return SECOND_STEPS.map((step) => step * 1000);
    default:
      return undefined;
  }
}

/** Labels of ascending ticks: no two alike. */
export function formatTicks(ticks: readonly number[], unit: Unit): string[] {
  const plain = ticks.map((tick) => formatValue(tick, unit));
  if (areDistinct(plain)) return plain;
  for (let places = 0; places <= 9; places += 1) {
    const exact = ticks.map((tick) => formatPlaces(tick, ticks, unit, places));
    if (areDistinct(exact)) return exact;
  }
  return ticks.map(String);
}

function areDistinct(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}

function formatPlaces(tick: number, ticks: readonly number[], unit: Unit, places: number): string {
  const largest = Math.max(...ticks.map(Math.abs));
  if (unit === "secs" && largest >= 60) return formatExactDuration(tick, places);
  const [divisor, suffix] = scaleOf(largest, unit);
  const [whole = "0", fraction] = (tick / divisor).toFixed(places).split(".");
  return groupDigits(whole) + (fraction ? `.${fraction}` : "") + (suffix ? NBSP + suffix : "");
}

/** A duration whose seconds are kept, `10 min 15 s`. */
function formatExactDuration(secs: number, places: number): string {
  const rest = secs % 60;
  const minutes = formatDuration(secs - rest);
  return rest === 0 ? minutes : `${minutes} ${rest.toFixed(places)}${NBSP}s`;
}
