/**
 * The canvas of one chart: uPlot, with our own strokes.
 *
 * Strokes are one pixel wide, which is what keeps a dozen charts at full frame rate without a
 * graphics processor. A line is the mean of each bucket with a faint band from least to greatest
 * sample; where one bucket stands out of its neighbours the extreme itself is stroked, so a single
 * high sample in a week is seen. Buckets without samples end the line, unless the metric is sampled
 * so seldom that there could be none. Dragging only selects; what a selection means is decided by
 * the component.
 */
import uPlot from "uplot";
import { axisSteps, formatTicks } from "../format/ticks";
import { formatValue } from "../format/value";
import { type Box, placeLabels, type Wanted } from "./labels";
import { isJoined, type Line, type Model, reach } from "./model";
import { DASHES, fade, type Palette, system } from "./palette";
import { labelTimes, splitTime, TIME_STEPS } from "./time-axis";

export interface PlotEvents {
  onHover(atMs: number): void;
  onSelect(fromMs: number, toMs: number, altKey: boolean): void;
}

export interface Plot {
  u: uPlot;
  update(model: Model): void;
  /** What is drawn behind the lines, beside gaps, levels and marks. */
  behind: Behind | null;
  repaint(): void;
}

export type Behind = (u: uPlot, colours: Palette) => void;

const DRAG_PX = 6;
/** How far an extreme must stand out of its neighbours to be stroked, in pixels. */
const SPIKE_PX = 4;
const AXIS_FONT = "11px system-ui, sans-serif";

/** Paper is light, whatever the screen is. */
for (const [event, scheme] of [
  ["beforeprint", "light"],
  ["afterprint", ""],
] as const) {
  addEventListener(event, () => {
    document.documentElement.style.colorScheme = scheme;
    system.value += 1;
  });
}

interface Held {
  model: Model;
  utc: () => boolean;
  palette: () => Palette;
  behind: Behind | null;
}

export function createPlot(
  host: HTMLElement,
  model: Model,
  size: { width: number; height: number },
  look: { utc: () => boolean; palette: () => Palette },
  events: PlotEvents,
): Plot {
  const held: Held = { model, ...look, behind: null };
  let altKey = false;
  const u = new uPlot(
    {
      ...size,
      ms: 1,
      legend: { show: false },
      padding: [8, 8, 0, 0],
      cursor: {
        y: false,
        points: { size: 5, width: 1 },
        drag: { x: true, y: false, setScale: false, dist: DRAG_PX },
        bind: {
          dblclick: () => null,
          mousedown: (_, __, handler) => (event: MouseEvent) => {
            altKey = event.altKey;
            handler(event);
            return null;
          },
        },
      },
      scales: {
        x: { time: true, range: () => [held.model.fromMs, held.model.toMs] },
        y: { range: () => [held.model.min, held.model.max] },
      },
      series: [{}, ...model.lines.map((_, at) => lineSeries(held, at))],
      axes: [timeAxis(held), valueAxis(held)],
      hooks: {
        drawAxes: [(plot) => drawBackground(plot, held)],
        draw: [(plot) => drawLabels(plot, held)],
        setCursor: [
          (plot) => {
            const left = plot.cursor.left ?? -1;
            if (left >= 0) events.onHover(plot.posToVal(left, "x"));
          },
        ],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width < DRAG_PX) return;
            events.onSelect(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"), altKey);
          },
        ],
      },
    },
    toData(model),
    host,
  );
  return {
    u,
    get behind() {
      return held.behind;
    },
    set behind(draw) {
      held.behind = draw;
    },
    update(next) {
      held.model = next;
      u.batch(() => {
        next.lines.forEach((line, at) => {
          if (u.series[at + 1]?.show === line.hidden) u.setSeries(at + 1, { show: !line.hidden });
        });
        u.setData(toData(next), false);
        u.setScale("x", { min: next.fromMs, max: next.toMs });
        u.setScale("y", { min: next.min, max: next.max });
      });
    },
    repaint: () => u.redraw(false),
  };
}

function toData(model: Model): uPlot.AlignedData {
  return [model.times, ...model.lines.map((line) => line.top as (number | null)[])];
}

function lineSeries(held: Held, at: number): uPlot.Series {
  const line = held.model.lines[at];
  const colour = (): string => held.palette().series[held.model.lines[at]?.colour ?? 0] ?? "";
  return {
    width: 1,
    show: !line?.hidden,
    stroke: colour,
    fill: () => fade(colour(), held.model.lines[at]?.base ? 0.4 : 0.17),
    dash: [...(DASHES[line?.dash ?? 0] ?? [])],
    points: { show: false },
    paths: (u) => drawLine(u, held.model, at),
  };
}

function drawLine(u: uPlot, model: Model, at: number): uPlot.Series.Paths | null {
  const line = model.lines[at];
  if (!line) return null;
  if (model.drawing) return model.drawing.draw(u, model, line);
  const stroke = new Path2D();
  const fill = new Path2D();
  const x = (bucket: number): number => u.valToPos(model.times[bucket] ?? 0, "x", true);
  const y = (value: number): number => u.valToPos(value, "y", true);
  let run: number[] = [];
  const endRun = (): void => {
    if (run.length > 0) drawRun(line, run, x, y, stroke, fill);
    run = [];
  };
  for (let bucket = 0; bucket < model.times.length; bucket += 1) {
    if ((line.top[bucket] ?? null) === null) continue;
    const before = run[run.length - 1] ?? bucket;
    if (!isJoined(model, line, before, bucket)) endRun();
    run.push(bucket);
  }
  endRun();
  return { stroke, fill, flags: 1 };
}

type Place = (at: number) => number;

/** One stretch of buckets that all have samples. */
function drawRun(line: Line, run: readonly number[], x: Place, y: Place, stroke: Path2D, fill: Path2D): void {
  const first = run[0] ?? 0;
  const top = (at: number): number => y(line.top[at] ?? 0);
  if (run.length === 1) {
    // A lone sample has no neighbour to be joined to; it is drawn as a dash.
    stroke.moveTo(x(first) - 2, top(first));
    stroke.lineTo(x(first) + 2, top(first));
  } else {
    stroke.moveTo(x(first), top(first));
    for (const at of run.slice(1)) stroke.lineTo(x(at), top(at));
  }
  const high = (at: number): number => y(reach(line, line.hi, at) ?? line.top[at] ?? 0);
  const low = (at: number): number => y(reach(line, line.lo, at) ?? line.top[at] ?? 0);
  const upper = line.base ? top : high;
  const lower = line.base ? (at: number): number => y(line.base?.[at] ?? 0) : low;
  run.forEach((at, index) => {
    if (index === 0) fill.moveTo(x(at), upper(at));
    else fill.lineTo(x(at), upper(at));
  });
  for (let index = run.length - 1; index >= 0; index -= 1) {
    const at = run[index] ?? 0;
    fill.lineTo(x(at), lower(at));
  }
  fill.closePath();
  run.forEach((at, index) => {
    const left = run[Math.max(0, index - 1)] ?? at;
    const right = run[Math.min(run.length - 1, index + 1)] ?? at;
    const around =
      index === 0 ? high(right) : index === run.length - 1 ? high(left) : Math.min(high(left), high(right));
    const below =
      index === 0 ? low(right) : index === run.length - 1 ? low(left) : Math.max(low(left), low(right));
    if (around - high(at) > SPIKE_PX) strokeSpike(stroke, x(at), top(at), high(at));
    if (!line.base && low(at) - below > SPIKE_PX) strokeSpike(stroke, x(at), top(at), low(at));
  });
}

function strokeSpike(stroke: Path2D, x: number, from: number, to: number): void {
  stroke.moveTo(x, from);
  stroke.lineTo(x, to);
}

function timeAxis(held: Held): uPlot.Axis {
  return {
    stroke: () => held.palette().muted,
    font: AXIS_FONT,
    size: 34,
    gap: 4,
    space: 70,
    grid: { stroke: () => held.palette().grid, width: 1 },
    ticks: { stroke: () => held.palette().grid, width: 1, size: 4 },
    splits: (u, _axis, _min, _max, incr) =>
      splitTime(u.scales.x?.min ?? 0, u.scales.x?.max ?? 0, incr, held.utc()),
    incrs: [...TIME_STEPS],
    values: (u, splits, _axis, _space, incr) => {
      const right = u.bbox.left + u.bbox.width;
      return labelTimes(splits, incr, held.utc()).map((label, at) =>
        // A label at the very end would be cut off.
        right - u.valToPos(splits[at] ?? 0, "x", true) < 12 * uPlot.pxRatio ? "" : label,
      );
    },
  };
}

function valueAxis(held: Held): uPlot.Axis {
  const incrs = axisSteps(held.model.unit);
  return {
    stroke: () => held.palette().muted,
    font: AXIS_FONT,
    size: 66,
    gap: 5,
    space: 32,
    ...(incrs ? { incrs } : {}),
    grid: { stroke: () => held.palette().grid, width: 1 },
    ticks: { show: false },
    values: (_u, splits) => formatTicks(splits, held.model.unit),
  };
}

/** What lies behind the lines: gaps, levels, marks. */
function drawBackground(u: uPlot, held: Held): void {
  const { ctx, bbox } = u;
  const { model } = held;
  const colours = held.palette();
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = `${10 * ratio}px system-ui, sans-serif`;
  ctx.lineWidth = Math.max(1, Math.floor(ratio));
  held.behind?.(u, colours);
  for (const [from, to] of model.gaps) drawGap(u, from, to, colours, ratio);
  drawLevels(u, model, colours, ratio);
  for (const mark of model.marks) {
    const x = Math.round(u.valToPos(mark.at_ms, "x", true)) + 0.5;
    ctx.strokeStyle = colours[mark.severity];
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

function drawGap(u: uPlot, fromMs: number, toMs: number, colours: Palette, ratio: number): void {
  const { ctx, bbox } = u;
  const left = Math.max(bbox.left, u.valToPos(fromMs, "x", true));
  const right = Math.min(bbox.left + bbox.width, u.valToPos(toMs, "x", true));
  const width = Math.max(ratio, right - left);
  if (right < bbox.left || left > bbox.left + bbox.width) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, bbox.top, width, bbox.height);
  ctx.clip();
  ctx.fillStyle = fade(colours.muted, 0.1);
  ctx.fillRect(left, bbox.top, width, bbox.height);
  ctx.strokeStyle = fade(colours.muted, 0.35);
  ctx.beginPath();
  const gap = 7 * ratio;
  for (let x = Math.floor((left - bbox.height) / gap) * gap; x < right; x += gap) {
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x + bbox.height, bbox.top);
  }
  ctx.stroke();
  ctx.restore();
}

/** Threshold zones: a faint tint and a labelled line. */
function drawLevels(u: uPlot, model: Model, colours: Palette, ratio: number): void {
  const { ctx, bbox } = u;
  const levels = shownLevels(model);
  levels.forEach(([severity, level], index) => {
    const y = Math.round(u.valToPos(level, "y", true)) + 0.5;
    const next = levels[index + 1];
    const end = next
      ? Math.round(u.valToPos(next[1], "y", true))
      : model.better === "higher"
        ? bbox.top + bbox.height
        : bbox.top;
    ctx.fillStyle = fade(colours[severity], 0.08);
    ctx.fillRect(bbox.left, Math.min(y, end), bbox.width, Math.abs(end - y));
    ctx.strokeStyle = fade(colours[severity], 0.7);
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  });
  ctx.setLineDash([]);
}

/** Returns the levels that are distinct from the edge of the scale; one at (almost) 0 would tint everything. */
function shownLevels(model: Model): Model["levels"] {
  const least = model.min + (model.max - model.min) * 0.02;
  return model.levels.filter(([, level]) => level >= least && level <= model.max);
}

/** The names of levels, marks and gaps, over the lines and with room around them so that they can be read. */
function drawLabels(u: uPlot, held: Held): void {
  const { ctx, bbox } = u;
  const colours = held.palette();
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.font = `${10 * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  const wanted = [
    ...levelLabels(u, held.model, colours),
    ...markLabels(u, held.model, colours),
    ...gapLabels(u, held.model, colours),
  ];
  for (const { text, colour, box } of placeLabels(wanted, bbox)) {
    ctx.fillStyle = fade(colours.panel, 0.82);
    ctx.fillRect(box.left, box.top, box.width, box.height);
    ctx.fillStyle = colour;
    ctx.fillText(text, box.left + LABEL_PAD * ratio, box.top + box.height / 2);
  }
  ctx.restore();
}

const LABEL_PAD = 2;
const LABEL_HEIGHT = 12;

/** The room that a text takes, at the origin. */
function measure(u: uPlot, text: string): Box {
  const ratio = uPlot.pxRatio;
  const width = u.ctx.measureText(text).width + 2 * LABEL_PAD * ratio;
  return { left: 0, top: 0, width, height: LABEL_HEIGHT * ratio };
}

/** Above their line at the right edge; else below it, or further left. */
function levelLabels(u: uPlot, model: Model, colours: Palette): Wanted[] {
  const ratio = uPlot.pxRatio;
  return shownLevels(model).map(([severity, level]) => {
    const y = Math.round(u.valToPos(level, "y", true));
    const text = `${severity} ${formatValue(level, model.unit)}`;
    const box = measure(u, text);
    const tops = [y - box.height - ratio, y + 2 * ratio];
    const right = u.bbox.left + u.bbox.width - 2 * ratio;
    const places = [1, 2, 3].flatMap((column) =>
      tops.map((top) => ({ ...box, left: right - column * (box.width + 4 * ratio), top })),
    );
    return { text, colour: colours[severity], places };
  });
}

/** Beside the upper end of their line. */
function markLabels(u: uPlot, model: Model, colours: Palette): Wanted[] {
  const ratio = uPlot.pxRatio;
  return model.marks.map((mark) => {
    const x = Math.round(u.valToPos(mark.at_ms, "x", true));
    const text = mark.text.length > 28 ? `${mark.text.slice(0, 27)}…` : mark.text;
    const box = measure(u, text);
    const places = [0, 1, 2].flatMap((row) =>
      [x + 3 * ratio, x - 3 * ratio - box.width].map((left) => ({
        ...box,
        left,
        top: u.bbox.top + ratio + row * box.height,
      })),
    );
    return { text, colour: colours[mark.severity], places };
  });
}

/** In the middle of what is on the screen of a gap, where it is wide enough. */
function gapLabels(u: uPlot, model: Model, colours: Palette): Wanted[] {
  const text = "no data";
  const box = measure(u, text);
  const { left, width, top, height } = u.bbox;
  return model.gaps.flatMap(([fromMs, toMs]) => {
    const from = Math.max(left, u.valToPos(fromMs, "x", true));
    const to = Math.min(left + width, u.valToPos(toMs, "x", true));
    if (to - from < box.width) return [];
    const place = { ...box, left: (from + to - box.width) / 2 };
    const tops = [0.5, 0.7, 0.3].map((share) => top + height * share - box.height / 2);
    return [{ text, colour: colours.muted, places: tops.map((at) => ({ ...place, top: at })) }];
  });
}
