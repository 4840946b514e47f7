/** Round times for a time axis, in the zone that is shown. */
import { formatClock, formatDay, parts } from "../format/time";

const DAY_MS = 86_400_000;

/** The distances that ticks may have, in milliseconds. */
export const TIME_STEPS: readonly number[] = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800,
  432_000, 604_800, 1_209_600, 2_592_000, 5_184_000, 7_776_000, 15_552_000, 31_104_000,
].map((secs) => secs * 1000);

/** The smallest distance that leaves each label its room. */
export function chooseTimeStep(spanMs: number, widthPx: number, labelPx: number): number {
  const least = (spanMs / Math.max(1, widthPx)) * labelPx;
  return TIME_STEPS.find((step) => step >= least) ?? least;
}

/** Multiples of a step in the zone that is shown, also where a day has 23 hours. */
export function splitTime(min: number, max: number, step: number, utc: boolean): number[] {
  const offset = (at: number): number => (utc ? 0 : new Date(at).getTimezoneOffset() * 60_000);
  const splits: number[] = [];
  for (let local = Math.ceil((min - offset(min)) / step) * step; ; local += step) {
    const at = local + offset(local + offset(min));
    if (at > max || splits.length > 200) return splits;
    if (at >= min) splits.push(at);
  }
}

/** Labels of ticks: clock times with the day where it begins, or days. */
export function labelTimes(splits: readonly number[], step: number, utc: boolean): string[] {
  let day = -1;
  return splits.map((at) => {
    const now = parts(at, utc);
    const isNewDay = now.day !== day;
    day = now.day;
    if (step >= DAY_MS) return formatDay(at, utc);
    const clock = formatClock(at, utc, step < 60_000);
    return isNewDay ? `${clock}\n${formatDay(at, utc)}` : clock;
  });
}
