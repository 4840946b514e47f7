/** The time span of the lines of a finding. Pure. */
import { absoluteRange, type Range, resolveRange } from "../state/range";

/** A pass over the logs comes every few minutes, and what led to a finding is as informative as what follows. */
const AROUND_MS = 15 * 60_000;

export function aroundFinding(sinceMs: number): Range {
  return absoluteRange(sinceMs - AROUND_MS, sinceMs + AROUND_MS);
}

/** The range that has the lines of a finding's pattern: the one on the screen, unless it lies elsewhere. */
export function rangeOfPattern(sinceMs: number, held: Range, nowMs: number): Range {
  const { fromMs, toMs } = resolveRange(held, nowMs);
  return sinceMs >= fromMs && sinceMs <= toMs ? held : aroundFinding(sinceMs);
}
