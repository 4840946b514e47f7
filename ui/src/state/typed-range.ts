/** Parses a typed range and formats a range as text. Nothing here reads a clock. */
import { formatAbsolute, type Instant, parseInstant, type Range, resolveInstant, UNIT_MS } from "./range";

export const PRESETS: readonly string[] = [
  "5m",
  "15m",
  "30m",
  "1h",
  "3h",
  "6h",
  "12h",
  "24h",
  "2d",
  "7d",
  "14d",
  "30d",
];

/** The one spelling of an instant that links and requests carry. */
export function formatInstant(instant: Instant): string {
  if (instant.kind === "absolute") return formatAbsolute(instant.atMs);
  if (instant.backMs === 0) return "now";
  for (const unit of ["w", "d", "h", "m"]) {
    const size = UNIT_MS[unit] ?? 1;
    // Weeks are written as weeks from two on; the preset has 7d.
    if (instant.backMs % size === 0 && unit !== "w") return `now-${instant.backMs / size}${unit}`;
  }
  return `now-${Math.round(instant.backMs / 1000)}s`;
}

/** Parses a typed range; the message names the end that is wrong. */
export function readRange(from: string, to: string, nowMs: number, utc: boolean): Range | { fault: string } {
  const start = parseInstant(from, utc);
  if (!start) return { fault: "From is neither now-6h nor a date such as 2026-03-01 14:00" };
  const end = parseInstant(to, utc);
  if (!end) return { fault: "To is neither now nor a date such as 2026-03-01 14:00" };
  if (resolveInstant(start, nowMs) >= resolveInstant(end, nowMs)) return { fault: "From must lie before To" };
  return { from: formatInstant(start), to: formatInstant(end) };
}
