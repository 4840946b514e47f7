/**
 * From an answer to the lines of a chart: pure, without a canvas.
 *
 * A line has a mean and the least and greatest sample of every bucket. In a stack, `base` and `top`
 * are the running sums of the means; the extremes of a line are drawn from its own base, so one
 * high sample of one series stays visible without claiming a sum that never was.
 */
import type uPlot from "uplot";
import type { Mark, MetricMeta, Series, SeriesAnswer, Severity, Unit } from "../api/types.gen";
import { type Claim, COLOURS, claimId, dashOf, type Slots } from "./slots";

export type Values = readonly (number | null)[];

export interface Line {
  id: string;
  label: string;
  metric: string;
  key: string | null;
  /** Which colour, 0 to 7. */
  colour: number;
  /** Which dash, 0 to 7. */
  dash: number;
  unit: Unit;
  lo: Values;
  hi: Values;
  avg: Values;
  last: number | null;
  /** Null where the line is not part of a stack. */
  base: Values | null;
  top: Values;
  hidden: boolean;
  /** How often it is sampled when that is seldom, else 0: then an empty bucket is a hole. */
  everyMs: number;
}

/** Another way to draw than as lines. */
export interface Drawing {
  /** The least width of a bucket. */
  px: number;
  unit: Unit;
  /** What is drawn, from what was answered. */
  prepare(answer: SeriesAnswer, toMs: number): SeriesAnswer;
  draw(u: uPlot, model: Model, line: Line): uPlot.Series.Paths;
}

export interface Model {
  times: number[];
  stepMs: number;
  lines: Line[];
  stacked: boolean;
  drawing: Drawing | undefined;
  unit: Unit;
  gaps: readonly [number, number][];
  marks: readonly Mark[];
  levels: readonly [Severity, number][];
  /** The metric whose levels are drawn. */
  subject: string | undefined;
  better: MetricMeta["better"];
  min: number;
  max: number;
  fromMs: number;
  toMs: number;
}

export interface ModelAsk {
  answer: SeriesAnswer;
  metrics: readonly string[];
  registry: ReadonlyMap<string, MetricMeta>;
  /** Drawn as plain lines over a stack. */
  overlays?: readonly string[] | undefined;
  stacked: boolean;
  /** Leaves out lines without another value than zero. */
  isSparse?: boolean | undefined;
  hidden: ReadonlySet<string>;
  /** The colours of the page. */
  slots: Slots;
  /** Those that this chart has given, kept while lines come and go. */
  ownSlots: Map<string, number>;
  labels?: Readonly<Record<string, string>> | undefined;
  nameOf?: ((key: string, all: readonly string[]) => string) | undefined;
  levels: readonly [Severity, number][];
  subject?: string | undefined;
  ceiling?: number | undefined;
  drawing?: Drawing | undefined;
  fromMs: number;
  toMs: number;
}

/** More bands than this would hide each other. */
export const MOST_BANDS = 2;

/** How many keys are asked for where all of one server are wanted. */
export const MANY_KEYS = 64;

export function lineId(series: Pick<Series, "metric" | "key">): string {
  return series.key === null ? series.metric : `${series.metric}@${series.key}`;
}

export function buildModel(ask: ModelAsk): Model {
  const { registry } = ask;
  const answer = ask.drawing?.prepare(ask.answer, ask.toMs) ?? ask.answer;
  const times = Array.from({ length: answer.n }, (_, at) => answer.t0_ms + at * answer.step_ms);
  const baseOf = (id: string): string => id.split("@", 1)[0] ?? id;
  const order = new Map(ask.metrics.map((id, at) => [baseOf(id), at]));
  const many = new Set(answer.series.map((series) => series.metric)).size > 1;
  // Where all lines are of one thing, the title has named it.
  const oneThing = ask.labels !== undefined && new Set(answer.series.map((series) => series.key)).size === 1;
  const shown = answer.series.filter(({ lo, hi }) => !ask.isSparse || lo.some(Boolean) || hi.some(Boolean));
  const sorted = shown.sort((a, b) => (order.get(a.metric) ?? 99) - (order.get(b.metric) ?? 99));
  const keys = sorted.map((series) => series.key ?? "");
  // A series that failed keeps its colour free for its return.
  const alone = ask.metrics.filter((id) => !id.includes("@") && (oneThing || !registry.get(id)?.keyed));
  const claimOf = ({ metric, key }: Pick<Series, "metric" | "key">): Claim =>
    key === null || oneThing ? { family: "", name: metric } : { family: domainOf(metric), name: key };
  const claims = [...alone.map((name) => ({ family: "", name })), ...sorted.map(claimOf)];
  const slots = ask.slots.claim(claims, ask.ownSlots);
  const lines = sorted.map((series): Line => {
    const known = registry.get(series.metric);
    const name = ask.labels?.[series.metric] ?? known?.label ?? series.metric;
    const keyed = series.key !== null && !oneThing;
    const keyName = ask.nameOf?.(series.key ?? "", keys) ?? series.key ?? "";
    const slot = slots.get(claimId(claimOf(series))) ?? 0;
    return {
      id: lineId(series),
      label: keyed ? (many ? `${keyName} ${name}` : keyName) : name,
      metric: series.metric,
      key: series.key,
      colour: slot % COLOURS,
      dash: keyed && many ? (order.get(series.metric) ?? 0) % COLOURS : dashOf(slot),
      unit: ask.drawing?.unit ?? known?.unit ?? "count",
      lo: series.lo,
      hi: series.hi,
      avg: series.avg,
      last: latest(answer, series, known),
      base: null,
      top: series.avg,
      hidden: ask.hidden.has(lineId(series)),
      everyMs: (known?.every_secs ?? 0) * 1000,
    };
  });
  if (ask.stacked)
    stack(
      lines.filter((line) => !line.hidden && !ask.overlays?.includes(line.metric)),
      answer.n,
    );
  const unit = lines[0]?.unit ?? registry.get(baseOf(ask.metrics[0] ?? ""))?.unit ?? "count";
  const [min, max] = extent(lines, ask.levels, ask.ceiling);
  return {
    times,
    stepMs: answer.step_ms,
    lines,
    stacked: ask.stacked,
    drawing: ask.drawing,
    unit,
    gaps: answer.gaps,
    marks: answer.marks,
    levels: ask.levels,
    subject: ask.subject,
    better: registry.get(baseOf(ask.metrics[0] ?? ""))?.better ?? "neither",
    min,
    max,
    fromMs: ask.fromMs,
    toMs: ask.toMs,
  };
}

/** What a metric is about: the interfaces of `interface.rx_bytes` are one family. */
function domainOf(metric: string): string {
  return metric.split(".", 1)[0] ?? metric;
}

export function stack(lines: readonly Line[], count: number): void {
  let below: Values = new Array<number>(count).fill(0);
  for (const line of lines) {
    const base = below;
    line.base = base;
    line.top = line.avg.map((value, at) => (value === null ? null : value + (base[at] ?? 0)));
    below = line.top.map((value, at) => value ?? base[at] ?? 0);
  }
}

/** What a line reaches in a bucket, seen from its base. */
export function reach(line: Line, values: Values, at: number): number | null {
  const value = values[at] ?? null;
  return value === null ? null : value + (line.base?.[at] ?? 0);
}

function extent(
  lines: readonly Line[],
  levels: Model["levels"],
  ceiling: number | undefined,
): [number, number] {
  let min = 0;
  let max = 0;
  for (const line of lines) {
    if (line.hidden) continue;
    for (let at = 0; at < line.avg.length; at += 1) {
      // Parts of a whole are never more than it: the sum of their greatest samples never was.
      const high = (ceiling === undefined || !line.base ? reach(line, line.hi, at) : null) ?? line.top[at];
      const low = line.base ? 0 : line.lo[at];
      if (high !== null && high !== undefined && high > max) max = high;
      if (low !== null && low !== undefined && low < min) min = low;
    }
  }
  // Rounding may make parts of a whole a little more than it.
  if (ceiling !== undefined && max <= ceiling * 1.01) return [min, ceiling];
  // A level is worth its space once the data come near it.
  for (const [, level] of levels) if (level > max && max >= level * 0.5) max = level;
  return [min, max === min ? min + 1 : max + (max - min) * 0.06];
}

/** Buckets joined until at most `limit` are left, for the table beside a chart. */
export interface TableBucket {
  atMs: number;
  cells: { avg: number | null; lo: number | null; hi: number | null }[];
}

export function reduceRows(model: Model, limit: number): TableBucket[] {
  const per = Math.max(1, Math.ceil(model.times.length / limit));
  const rows: TableBucket[] = [];
  for (let start = 0; start < model.times.length; start += per) {
    rows.push({
      atMs: model.times[start] ?? 0,
      cells: model.lines.map((line) => {
        const slice = (values: Values): number[] =>
          values.slice(start, start + per).filter((value): value is number => value !== null);
        const avg = slice(line.avg);
        const lo = slice(line.lo);
        const hi = slice(line.hi);
        return {
          avg: avg.length > 0 ? avg.reduce((sum, value) => sum + value, 0) / avg.length : null,
          lo: lo.length > 0 ? Math.min(...lo) : null,
          hi: hi.length > 0 ? Math.max(...hi) : null,
        };
      }),
    });
  }
  return rows;
}

/**
 * The bucket whose sample a line shows at a bucket: that one, or for what is sampled seldom the last
 * one before it, until the next one is overdue.
 */
export function heldAt(
  model: Pick<Model, "stepMs">,
  line: Pick<Line, "avg" | "everyMs">,
  at: number,
): number {
  for (let back = 0; back <= at && (back === 0 || (back - 1) * model.stepMs < line.everyMs); back += 1) {
    if ((line.avg[at - back] ?? null) !== null) return at - back;
  }
  return at;
}

/** The newest value of a series; of what is sampled seldom the last one as long as no newer is due. */
export function latest(
  answer: Pick<SeriesAnswer, "step_ms" | "n">,
  series: Pick<Series, "last" | "avg">,
  metric: Pick<MetricMeta, "every_secs"> | undefined,
): number | null {
  if (series.last !== null) return series.last;
  const everyMs = (metric?.every_secs ?? 0) * 1000;
  return series.avg[heldAt({ stepMs: answer.step_ms }, { avg: series.avg, everyMs }, answer.n - 1)] ?? null;
}

/** Whether two buckets with samples and none between them are one stretch. */
export function isJoined(
  model: Pick<Model, "stepMs">,
  line: Pick<Line, "everyMs">,
  from: number,
  to: number,
): boolean {
  return to - from <= 1 || (to - from) * model.stepMs <= line.everyMs * 1.5;
}

/** The bucket that holds an instant, clamped to the ends. */
export function bucketAt(model: Pick<Model, "times" | "stepMs">, atMs: number): number {
  const first = model.times[0];
  if (first === undefined) return -1;
  return Math.max(0, Math.min(model.times.length - 1, Math.round((atMs - first) / model.stepMs)));
}
