/**
 * Engaged time: how long a page was visible and had the focus.
 *
 * The clock is monotonic, so a changed wall clock changes nothing. A view has one figure that only grows;
 * it is sent whole each time, so a message that is lost or doubled changes nothing either.
 */

/** Engaged time at which a page that stays open reports, so that a crash loses little. */
const MILESTONES_MS = [10_000, 60_000, 300_000, 900_000];

/** Timers may fire before the clock shows their time; a visit of ten seconds must show ten. */
const TIMER_SLACK_MS = 20;

/** Returns a clock: a call sets whether it runs from now on, and returns how long it has run. */
export const stopwatch = (now: () => number): ((runs: boolean) => number) => {
  let sum = 0;
  let since: number | undefined;
  return (runs) => {
    const at = now();
    if (since !== undefined) sum += at - since;
    since = runs ? at : undefined;
    return sum;
  };
};

/** Returns in how many milliseconds of engagement a view reports by itself, if it does again. */
export const untilReport = (engagedMs: number): number | undefined => {
  const next = MILESTONES_MS.find((milestone) => milestone > engagedMs);
  return next && next - engagedMs + TIMER_SLACK_MS;
};

/** Returns the share of a page that has been seen, from its deepest visible pixel. */
export const scrolledPct = (deepest: number, height: number): number =>
  height > deepest ? Math.round((deepest / height) * 100) : 100;
