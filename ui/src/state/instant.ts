/** The address of an Event Snapshot: its instant (`at`), its window (the range), and what led there. */
import { absoluteRange, formatAbsolute } from "./range";

/** How much is shown on each side unless chosen. */
export const SIDE_MS = 600_000;

/** The parameters of a snapshot; `about` names the finding or the metric. */
export function atInstant(
  atMs: number,
  about: Readonly<Record<string, string>> = {},
  beforeMs = SIDE_MS,
  afterMs = beforeMs,
): Record<string, string> {
  const { from, to } = absoluteRange(atMs - beforeMs, atMs + afterMs);
  return { from, to, at: formatAbsolute(atMs), ...about };
}
