/**
 * Numbers as people read them.
 *
 * One function per way of reading a unit, all pure. A value and its unit are separated by a
 * no-break space, so a figure never falls apart at the end of a line. What is shortened
 * (`12.3 k`) has an exact form beside it for titles and detail panels.
 */
import type { Cell, Unit } from "../api/types.gen";
import { formatDateTime, formatDuration } from "./time";

export const NBSP = "\u00a0";
export const NOTHING = "–";

/** At most three significant places: 0.12, 1.23, 12.3, 123, 1,234. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  const places = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.095 ? 2 : 3;
  const text = value.toFixed(places);
  const plain = places > 0 ? text.replace(/\.?0+$/, "") : groupDigits(text);
  return plain === "-0" ? "0" : plain;
}

/** `1288490188` as `1,288,490,188`. */
export function groupDigits(integer: string): string {
  return integer.replace(/\B(?=(\d{3})+$)/g, ",");
}

function scaled(value: number, base: number, suffixes: readonly string[]): string {
  let rest = value;
  let at = 0;
  // 1023.6 would be shown as "1,024", which is the next unit's 1.
  while (Math.abs(rest) >= base - 0.5 && at < suffixes.length - 1) {
    rest /= base;
    at += 1;
  }
  const suffix = suffixes[at] ?? "";
  return suffix ? formatNumber(rest) + NBSP + suffix : formatNumber(rest);
}

const IEC = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const SI = ["", "k", "M", "G", "T"];

/** What values as large as `largest` are divided by, and the unit they then have. */
export function scaleOf(largest: number, unit: Unit): [number, string] {
  const [base, suffixes, rate] = SCALES[unit] ?? [1000, [""], ""];
  let divisor = 1;
  let at = 0;
  while (largest / divisor >= base && at < suffixes.length - 1) {
    divisor *= base;
    at += 1;
  }
  return [divisor, (suffixes[at] ?? "") + rate];
}

/** Base, names of its powers, and what follows them. */
const SCALES: Partial<Record<Unit, [number, readonly string[], string]>> = {
  bytes: [1024, IEC, ""],
  bytes_per_sec: [1024, IEC, "/s"],
  count: [1000, SI, ""],
  per_sec: [1000, SI, "/s"],
  percent: [1, ["%"], ""],
  ms: [1000, ["ms", "s"], ""],
  secs: [1, ["s"], ""],
};

export function formatBytes(value: number): string {
  return scaled(value, 1024, IEC);
}

export function formatCount(value: number): string {
  return scaled(value, 1000, SI);
}

export function formatMs(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 0.9995) return `${formatNumber(value * 1000)}${NBSP}µs`;
  if (size < 999.5) return `${formatNumber(value)}${NBSP}ms`;
  if (size < 59_950) return `${formatNumber(value / 1000)}${NBSP}s`;
  return formatDuration(value / 1000);
}

/** A value for the eye, with its unit. */
export function formatValue(value: Cell | undefined, unit: Unit, utc = false): string {
  if (value === null || value === undefined || value === "") return NOTHING;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value;
  if (!Number.isFinite(value)) return NOTHING;
  switch (unit) {
    case "percent":
      return `${formatNumber(Math.abs(value) < 0.005 ? 0 : value)}${NBSP}%`;
    case "bytes":
      return formatBytes(value);
    case "bytes_per_sec":
      return `${formatBytes(value)}/s`;
    case "per_sec":
      return `${formatCount(value)}/s`;
    case "count":
      return formatCount(value);
    case "ms":
      return formatMs(value);
    case "secs":
      return formatDuration(value);
    case "bool":
      return value ? "yes" : "no";
    case "time_ms":
      return formatDateTime(value, utc);
    default:
      return formatNumber(value);
  }
}

const EXACT: Partial<Record<Unit, string>> = {
  percent: "%",
  bytes: "bytes",
  bytes_per_sec: "bytes/s",
  per_sec: "per second",
  ms: "ms",
  secs: "s",
};

/** The same value unshortened: `1,288,490,188 bytes`. */
export function formatExact(value: Cell | undefined, unit: Unit, utc = false): string {
  if (typeof value !== "number" || !Number.isFinite(value) || unit === "bool") {
    return formatValue(value, unit, utc);
  }
  if (unit === "time_ms") return new Date(value).toISOString();
  const [whole = "0", fraction] = String(value).split(".");
  const grouped = /e/.test(String(value)) ? String(value) : groupDigits(whole);
  const suffix = EXACT[unit];
  return grouped + (fraction ? `.${fraction}` : "") + (suffix ? NBSP + suffix : "");
}

/** Whether a column of this unit is read as a number (right-aligned, tabular figures). */
export function isNumeric(unit: Unit): boolean {
  return unit !== "text" && unit !== "bool" && unit !== "severity" && unit !== "time_ms";
}

/**
 * Formats a latest value. A count is a mean of the last samples; it is shown as a whole number, and as at least 1
 * unless it is 0: there are no "0.67 sessions".
 */
export function formatLatest(value: Cell | undefined, unit: Unit, utc = false): string {
  if (unit !== "count" || typeof value !== "number") return formatValue(value, unit, utc);
  return formatValue(value > 0 && value < 1 ? 1 : Math.round(value), unit);
}

/** Keeps figures and their percent signs on one line. */
export function keepUnits(text: string): string {
  return text.replace(/(\d) %/g, `$1${NBSP}%`);
}
