/** The lanes of the timeline of alerts, in shares of the range. Pure. */
import type { AlertBar, AlertLane, Severity } from "../api/types.gen";

/** A part of a bar with one severity. */
export interface Segment {
  /** Share of the range before it. */
  left: number;
  width: number;
  severity: Severity;
}

export interface DrawnBar {
  bar: AlertBar;
  left: number;
  width: number;
  segments: readonly Segment[];
}

/**
 * Returns the part of a bar within a range, cut where its severity changes; null where it is outside. After `knownMs`, the
 * newest sample where that is old, nobody knows whether it lasts.
 */
export function drawBar(
  bar: AlertBar,
  fromMs: number,
  toMs: number,
  nowMs: number,
  knownMs: number | null = null,
): DrawnBar | null {
  const span = toMs - fromMs;
  const end = Math.min(bar.resolved_ms ?? nowMs, toMs);
  if (span <= 0 || bar.opened_ms >= toMs || end < fromMs) return null;
  const share = (ms: number): number => (Math.min(Math.max(ms, fromMs), toMs) - fromMs) / span;
  const unknownMs = bar.resolved_ms === null ? (bar.unknown_ms ?? knownMs) : null;
  const marks = [
    ...bar.changes.filter((change) => unknownMs === null || change.at_ms < unknownMs),
    ...(unknownMs === null ? [] : [{ at_ms: unknownMs, severity: "unknown" as const }]),
  ];
  const segments = marks.flatMap((mark, at): Segment[] => {
    const left = share(at === 0 ? bar.opened_ms : mark.at_ms);
    const right = share(Math.min(marks[at + 1]?.at_ms ?? end, end));
    return right > left || marks.length === 1
      ? [{ left, width: Math.max(0, right - left), severity: mark.severity }]
      : [];
  });
  const left = share(bar.opened_ms);
  return { bar, left, width: share(end) - left, segments };
}

/** The filters of the table that apply to lanes, too; an empty one takes all. */
export interface LaneFilter {
  kind: readonly string[];
  severity: readonly string[];
  state: readonly string[];
  rule: readonly string[];
  domain: readonly string[];
}

export function passes(lane: AlertLane, filter: LaneFilter): boolean {
  const takes = (values: readonly string[], value: string): boolean =>
    values.length === 0 || values.includes(value);
  return (
    takes(filter.kind, lane.kind) &&
    takes(filter.severity, lane.severity) &&
    takes(filter.state, lane.state) &&
    takes(filter.rule, lane.rule) &&
    takes(filter.domain, lane.domain)
  );
}
