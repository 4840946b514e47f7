/**
 * What lies behind the lines of a chart: pure, without a canvas.
 *
 * A ghost is the same metrics at another time, moved onto the time on the screen. A band is what is usual, hour by hour.
 */
import type { Band, SeriesAnswer } from "../api/types.gen";
import { parseInstant, type Span } from "../state/range";
import { type Line, MOST_BANDS, type Model, type Values } from "./model";

export interface Ghost {
  /** How much earlier it was. */
  shiftMs: number;
  label: string;
}

const DAY_MS = 86_400_000;

/** A day and a week before the snapshot of an instant. */
const BEFORE: readonly Ghost[] = [
  { shiftMs: DAY_MS, label: "a day before" },
  { shiftMs: 7 * DAY_MS, label: "a week before" },
];

/** The ghosts of a view: those of a snapshot, and the range that is compared (`compare`: its start). */
export function ghostsOf(view: string, compare: string | null, span: Span): Ghost[] {
  const ghosts = view === "snapshot" ? [...BEFORE] : [];
  const start = compare === null ? null : parseInstant(compare);
  if (start?.kind === "absolute" && start.atMs !== span.fromMs) {
    ghosts.push({ shiftMs: span.fromMs - start.atMs, label: "compared" });
  }
  return ghosts;
}

/** The lines that have a ghost: of a stack the sum alone. */
export interface Outline {
  colour: number;
  values: Values;
}

export interface GhostLines {
  times: number[];
  lines: Outline[];
}

/** A ghost as it is drawn: times on the screen's axis, values of the lines that are shown. */
export function outline(answer: SeriesAnswer, model: Model, { shiftMs }: Ghost): GhostLines {
  const times = Array.from({ length: answer.n }, (_, at) => answer.t0_ms + at * answer.step_ms + shiftMs);
  const of = (metric: string, key: string | null): Values | undefined =>
    answer.series.find((series) => series.metric === metric && series.key === key)?.avg;
  const shown = model.lines.filter((line) => !line.hidden);
  if (!model.stacked) {
    const lines = shown.flatMap(({ colour, metric, key }) => {
      const values = of(metric, key);
      return values ? [{ colour, values }] : [];
    });
    return { times, lines };
  }
  const parts = shown.filter((line) => line.base !== null).map(({ metric, key }) => of(metric, key));
  const values = times.map((_, at) => {
    const known = parts.flatMap((part) => part?.[at] ?? []);
    // A sum without one of its parts never was.
    return known.length === parts.length && known.length > 0 ? known.reduce((a, b) => a + b, 0) : null;
  });
  const last = shown.at(-1);
  return { times, lines: last ? [{ colour: last.colour, values }] : [] };
}

const HOUR_MS = 3_600_000;

export interface DrawnBand {
  colour: number;
  /** Start, end, low and high of each hour. */
  hours: [number, number, number, number][];
}

/** What has a band: its metric and key, and the colour of its line; -1 where it is the sum of the lines. */
export type Banded = Pick<Line, "metric" | "key" | "colour">;

/** The lines that are shown; of many, which would hide each other, the one whose levels are drawn, and of a stack what it adds up to. */
export function bandedOf({ stacked, drawing, lines, subject }: Model): Banded[] {
  const shown = lines.filter((line) => !line.hidden);
  if (drawing || shown.length === 0) return [];
  if (!stacked && shown.length <= MOST_BANDS) return shown;
  const own = lines.filter((line) => line.metric === subject);
  if (!stacked) return own.length === 1 ? own.filter((line) => !line.hidden) : [];
  // Without all of its parts it is no sum.
  const isSum = own.length === 0 && shown.length === lines.length && lines.every((line) => line.key === null);
  return isSum && subject ? [{ metric: subject, key: null, colour: -1 }] : [];
}

/** The bands that are drawn. */
export function bandsOf(bands: readonly Band[], model: Model): DrawnBand[] {
  return bandedOf(model).flatMap(({ colour, metric, key }) => {
    const band = bands.find((one) => one.metric === metric && one.key === key);
    return band
      ? [{ colour, hours: band.hours.map(([at, low, high]) => [at, at + HOUR_MS, low, high]) }]
      : [];
  });
}
