/**
 * A chart in a sentence, for screen readers.
 *
 * "CPU, last 6 h: busy now 12 %, lowest 3 %, highest 97 % at 14:41; at or above warn (80 %) since 14:32."
 */
import { judge } from "../api/judge";
import type { Levels, MetricMeta } from "../api/types.gen";
import { formatClock, formatDuration } from "../format/time";
import { formatValue } from "../format/value";
import type { Line, Model } from "./model";

export interface SentenceAsk {
  title: string;
  model: Model;
  utc: boolean;
  metric: Pick<MetricMeta, "better" | "levels"> | null;
}

const LINES_READ = 3;

export function describeChart({ title, model, utc, metric }: SentenceAsk): string {
  const span = formatDuration((model.toMs - model.fromMs) / 1000);
  const lines = model.lines.filter((line) => !line.hidden);
  const read = lines.slice(0, LINES_READ).map((line) => describeLine(line, model, utc));
  const parts = read.filter((text) => text !== "");
  if (parts.length === 0) return `${title}, ${span}: no samples.`;
  const rest = lines.length - LINES_READ;
  if (rest > 0) parts.push(`and ${rest} more`);
  const since = metric && lines[0] ? describeBreach(lines[0], model, metric, utc) : "";
  const holes = model.gaps.length;
  const gaps = holes > 0 ? ` ${holes} ${holes === 1 ? "gap" : "gaps"} without samples.` : "";
  return `${title}, ${span}: ${parts.join("; ")}${since}.${gaps}`;
}

function describeLine(line: Line, model: Model, utc: boolean): string {
  let low: number | null = null;
  let high: number | null = null;
  let highAt = 0;
  for (let at = 0; at < line.avg.length; at += 1) {
    const lo = line.lo[at] ?? null;
    const hi = line.hi[at] ?? null;
    if (lo !== null && (low === null || lo < low)) low = lo;
    if (hi !== null && (high === null || hi > high)) {
      high = hi;
      highAt = model.times[at] ?? 0;
    }
  }
  if (low === null || high === null) return "";
  const value = (number: number | null): string => formatValue(number, line.unit);
  return `${line.label} now ${value(line.last)}, lowest ${value(low)}, highest ${value(high)} at ${formatClock(highAt, utc, false)}`;
}

function describeBreach(
  line: Line,
  model: Model,
  metric: { better: MetricMeta["better"]; levels: Levels | null },
  utc: boolean,
): string {
  const severity = judge(line.last, metric);
  if (severity === "ok" || severity === "unknown" || !metric.levels) return "";
  let since: number | null = null;
  for (let at = line.avg.length - 1; at >= 0; at -= 1) {
    const value = line.avg[at] ?? null;
    if (value === null) continue;
    if (judge(value, metric) === "ok") break;
    since = model.times[at] ?? null;
  }
  const level = formatValue(metric.levels[severity], line.unit);
  const side = metric.better === "higher" ? "at or below" : "at or above";
  const when = since === null ? "" : ` since ${formatClock(since, utc, false)}`;
  return `; ${side} ${severity} (${level})${when}`;
}
