/**
 * The time range: two expressions, kept as typed.
 *
 * `now-6h` stays relative until it is resolved at a given instant; an absolute end is
 * held as ISO 8601 in UTC, which is what links carry. Nothing here reads a clock.
 */

export const UNIT_MS: Record<string, number> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

export type Instant = { kind: "relative"; backMs: number } | { kind: "absolute"; atMs: number };

export interface Range {
  from: string;
  to: string;
}

export interface Span {
  fromMs: number;
  toMs: number;
}

export const DEFAULT_RANGE: Range = { from: "now-1h", to: "now" };
/** Instead of the default range on a host whose data are younger than it. */
const FIRST_MINUTES = [5, 15, 30];
/** Shorter than this a chart has nothing left to show. */
export const SHORTEST_MS = 30_000;

/** What an expression means, or null when it means nothing. */
export function parseInstant(text: string, utc = true): Instant | null {
  const typed = text.trim();
  if (/^now$/i.test(typed)) return { kind: "relative", backMs: 0 };
  const back = /^(?:now)?\s*-?\s*(\d{1,6})\s*([smhdw])$/i.exec(typed);
  if (back && !/^\+/.test(typed)) {
    const backMs = Number(back[1]) * (UNIT_MS[(back[2] ?? "").toLowerCase()] ?? Number.NaN);
    return Number.isFinite(backMs) ? { kind: "relative", backMs } : null;
  }
  if (/^\d{11,14}$/.test(typed)) return { kind: "absolute", atMs: Number(typed) };
  const date =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,3})?)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/i.exec(
      typed,
    );
  if (!date) return null;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "0", zone] = date;
  const fields = [
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  ] as const;
  if (fields[1] > 11 || fields[2] < 1 || fields[2] > 31 || fields[3] > 23 || fields[4] > 59 || fields[5] > 59)
    return null;
  const millis = Math.round(Number(fraction) * 1000);
  let atMs: number;
  if (zone !== undefined) {
    const offset = /^[+-]/.test(zone)
      ? (zone.startsWith("-") ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2)))
      : 0;
    atMs = Date.UTC(...fields, millis) - offset * 60_000;
  } else {
    atMs = utc ? Date.UTC(...fields, millis) : new Date(...fields, millis).getTime();
  }
  return Number.isFinite(atMs) ? { kind: "absolute", atMs } : null;
}

export function formatAbsolute(atMs: number): string {
  return new Date(Math.round(atMs)).toISOString().replace(".000Z", "Z");
}

export function resolveInstant(instant: Instant, nowMs: number): number {
  return instant.kind === "absolute" ? instant.atMs : nowMs - instant.backMs;
}

/** The span a range covers at `nowMs`; an unreadable or reversed range is the default one. */
export function resolveRange(range: Range, nowMs: number): Span {
  const from = parseInstant(range.from);
  const to = parseInstant(range.to);
  if (from && to) {
    const span = { fromMs: resolveInstant(from, nowMs), toMs: resolveInstant(to, nowMs) };
    if (span.fromMs < span.toMs) return span;
  }
  return { fromMs: nowMs - 3_600_000, toMs: nowMs };
}

/** The default range for data of this age: on the first look an hour would be mostly empty. */
export function fitRange(ageMs: number): Range {
  const minutes = FIRST_MINUTES.find((one) => ageMs <= one * 60_000);
  return minutes === undefined ? DEFAULT_RANGE : { from: `now-${minutes}m`, to: "now" };
}

/** Whether the range moves with the clock. */
export function isLive(range: Range): boolean {
  return parseInstant(range.to)?.kind === "relative";
}

/** The range with `now` frozen, for links that must show the same data later. */
export function freezeRange(range: Range, nowMs: number): Range {
  const span = resolveRange(range, nowMs);
  return absoluteRange(span.fromMs, span.toMs);
}

export function absoluteRange(fromMs: number, toMs: number): Range {
  const lack = SHORTEST_MS - (toMs - fromMs);
  const start = Math.round(lack > 0 ? fromMs - lack / 2 : fromMs);
  const end = Math.round(lack > 0 ? toMs + lack / 2 : toMs);
  return { from: formatAbsolute(start), to: formatAbsolute(end) };
}

/** The range `fraction` of its width later (negative: earlier), never beyond now. */
export function shiftRange(range: Range, fraction: number, nowMs: number): Range {
  const { fromMs, toMs } = resolveRange(range, nowMs);
  const width = toMs - fromMs;
  const by = Math.min(width * fraction, Math.max(0, nowMs - toMs));
  return by === 0 ? range : absoluteRange(fromMs + by, toMs + by);
}

/** The range scaled by `factor` about a point given as a share of its width, never beyond now. */
export function scaleRange(range: Range, factor: number, about: number, nowMs: number): Range {
  const { fromMs, toMs } = resolveRange(range, nowMs);
  const width = Math.max(SHORTEST_MS, (toMs - fromMs) * factor);
  const pivot = fromMs + (toMs - fromMs) * about;
  const end = Math.min(pivot + width * (1 - about), Math.max(nowMs, toMs));
  return absoluteRange(end - width, end);
}
