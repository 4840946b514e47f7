/**
 * A heat map: one row per key, one column per bucket, darker is more.
 *
 * For many like things (cores) where lines would cover each other. It shares the crosshair and the
 * gestures of the charts; the greatest sample of a bucket decides its cell, so a peak is not
 * averaged away.
 */
import { effect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { useSeries } from "../api/series";
import { metricsById, shownNow } from "../api/store";
import { formatClock } from "../format/time";
import { formatValue } from "../format/value";
import { range, utc } from "../state/location";
import { resolveRange } from "../state/range";
import { PLOT_HEIGHT } from "./chart";
import { crosshairMs, hoverMs, pinnedMs, pointerChart } from "./crosshair";
import { Figure } from "./figure";
import { attachGestures } from "./gestures";
import { bucketAt, buildModel, type Line, type Model } from "./model";
import { useNear, useWidth } from "./near";
import { openSnapshot } from "./open";
import { fade, palette } from "./palette";
import { readByKeys } from "./reading";
import { describeChart } from "./sentence";
import { Slots } from "./slots";
import { chooseTimeStep, labelTimes, splitTime } from "./time-axis";

interface HeatProps {
  id: string;
  title: string;
  metric: string;
  limit: number;
  /** Only keys that begin with this name and a dot. */
  keyPrefix?: string;
  /** The rows, top down; by name unless given. */
  rows?(lines: readonly Line[]): Line[];
  ceiling?: number;
  empty?: string;
}

function byName(lines: readonly Line[]): Line[] {
  return [...lines].sort((a, b) => a.label.localeCompare(b.label, "en", { numeric: true }));
}

/** The charts' value axis and right padding, so that times line up. */
const LEFT = 66;
const RIGHT = 8;
const AXIS = 18;

export function Heat({ id, title, metric, limit, keyPrefix, rows = byName, ceiling, empty }: HeatProps) {
  const root = useRef<HTMLElement>(null);
  const near = useNear(root);
  const width = useWidth(root);
  const resource = useSeries(
    near && width > 0
      ? { metrics: [metric], px: Math.min(320, width - LEFT - RIGHT), limit, keyPrefix }
      : null,
  );
  const answer = resource.data.value;
  const registry = metricsById.value;
  const { from, to } = range.value;
  const model = useMemo(() => {
    if (!answer) return null;
    const made = buildModel({
      answer,
      metrics: [metric],
      registry,
      stacked: false,
      hidden: new Set(),
      slots: new Slots(),
      ownSlots: new Map(),
      levels: [],
      ...resolveRange({ from, to }, shownNow.peek()),
    });
    made.lines = rows(made.lines);
    const values = made.lines.flatMap((line) => line.hi).filter((value) => value !== null);
    made.max = ceiling ?? (values.length > 0 ? Math.max(...values) : 0);
    return made;
  }, [answer, registry, from, to, metric, rows, ceiling]);
  const known = registry.get(metric) ?? null;
  const sentence = model ? describeChart({ title, model, utc: utc.value, metric: known }) : title;
  return (
    <Figure
      root={root}
      near={near}
      id={id}
      title={title}
      metrics={[metric]}
      resource={resource}
      model={model}
      sentence={sentence}
      height={PLOT_HEIGHT}
      empty={empty}
      legend={model && <Scale model={model} />}
    >
      {model && <HeatArea id={id} title={title} sentence={sentence} model={model} near={near} />}
    </Figure>
  );
}

function Scale({ model }: { model: Model }) {
  return (
    <div class="heat-scale muted">
      <span>{formatValue(0, model.unit)}</span>
      <i aria-hidden="true" />
      <span>{formatValue(model.max, model.unit)}</span>
      <span>
        · {model.lines.length} {model.lines.length === 1 ? "row" : "rows"}
      </span>
    </div>
  );
}

interface HeatAreaProps {
  id: string;
  title: string;
  sentence: string;
  model: Model;
  near: boolean;
}

function HeatArea({ id, title, sentence, model, near }: HeatAreaProps) {
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(host);
  const latest = useRef(model);
  latest.current = model;
  const colours = palette.value;
  const isUtc = utc.value;
  useEffect(() => {
    if (near && canvas.current && width > 0) paint(canvas.current, model, width, colours, isUtc);
  }, [model, near, width, colours, isUtc]);
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const inner = (): [number, number] => {
      const box = element.getBoundingClientRect();
      return [box.left + LEFT, box.width - LEFT - RIGHT];
    };
    const shareAt = (clientX: number): number => (clientX - inner()[0]) / inner()[1];
    const timeAt = (clientX: number): number => {
      const { fromMs, toMs } = latest.current;
      return fromMs + Math.max(0, Math.min(1, shareAt(clientX))) * (toMs - fromMs);
    };
    const enter = (): void => {
      pointerChart.value = id;
    };
    const detach = attachGestures(element, { timeAt, shareAt }, enter, (atMs) =>
      openSnapshot(atMs, latest.current),
    );
    const move = (event: MouseEvent): void => {
      enter();
      if (pinnedMs.peek() === null) hoverMs.value = timeAt(event.clientX);
    };
    const leave = (): void => {
      if (pointerChart.peek() !== id || pinnedMs.peek() !== null) return;
      pointerChart.value = null;
      hoverMs.value = null;
    };
    element.addEventListener("mousemove", move);
    element.addEventListener("mouseleave", leave);
    const line = element.querySelector<HTMLElement>(".heat-line");
    const follow = effect(() => {
      const atMs = crosshairMs.value;
      if (!line) return;
      const { fromMs, toMs } = latest.current;
      line.hidden = atMs === null || atMs < fromMs || atMs > toMs;
      if (atMs !== null) line.style.left = `${LEFT + ((atMs - fromMs) / (toMs - fromMs)) * inner()[1]}px`;
    });
    return () => {
      detach();
      follow();
      element.removeEventListener("mousemove", move);
      element.removeEventListener("mouseleave", leave);
    };
  }, [id]);
  const atMs = crosshairMs.value;
  const last = model.times.length - 1;
  const at = atMs === null ? last : bucketAt(model, atMs);
  const read = model.lines.map((line) => {
    const value = formatValue(line.hi[at] ?? null, line.unit);
    // Parts of a whole also have a sum.
    return `${line.label} ${value}${line.base ? ` (${formatValue(line.top[at] ?? null, line.unit)} in total)` : ""}`;
  });
  const isReading = pointerChart.value === id && atMs !== null;
  return (
    <div ref={host} class="plot heat" style={{ height: `${PLOT_HEIGHT}px` }}>
      <canvas ref={canvas} />
      <i class="heat-line" hidden aria-hidden="true" />
      <div
        class="reader"
        role="slider"
        tabIndex={0}
        aria-label={isReading ? title : sentence}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, last)}
        aria-valuenow={Math.max(0, at)}
        aria-valuetext={`${formatClock(model.times[at] ?? 0, isUtc)}: ${read.slice(0, 16).join(", ")}`}
        onKeyDown={(event) => readByKeys(event, id, at, model)}
      />
      {isReading && (
        <div class="chart-tip" style={{ right: "12px" }}>
          <div class="when">{formatClock(model.times[at] ?? 0, isUtc)}</div>
          <div class="heat-read">
            {read.slice(0, 16).map((text) => (
              <span key={text}>{text}</span>
            ))}
          </div>
        </div>
      )}
    </div>
  );
}

function paint(
  canvas: HTMLCanvasElement,
  model: Model,
  width: number,
  colours: typeof palette.value,
  isUtc: boolean,
): void {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(PLOT_HEIGHT * ratio);
  const ctx = canvas.getContext("2d");
  if (!ctx) return;
  ctx.scale(ratio, ratio);
  ctx.clearRect(0, 0, width, PLOT_HEIGHT);
  const inner = width - LEFT - RIGHT;
  const top = 8;
  const height = PLOT_HEIGHT - top - AXIS;
  const rowHeight = height / Math.max(1, model.lines.length);
  const x = (ms: number): number => LEFT + ((ms - model.fromMs) / (model.toMs - model.fromMs)) * inner;
  const cell = Math.max(1, (model.stepMs / (model.toMs - model.fromMs)) * inner);
  const shades = Array.from({ length: 21 }, (_, level) => fade(colours.accent, 0.04 + 0.96 * (level / 20)));
  ctx.save();
  ctx.beginPath();
  ctx.rect(LEFT, 0, inner, PLOT_HEIGHT);
  ctx.clip();
  ctx.fillStyle = fade(colours.muted, 0.18);
  for (const [from, to] of model.gaps) ctx.fillRect(x(from), top, x(to) - x(from), height);
  model.lines.forEach((line, row) => {
    line.hi.forEach((value, at) => {
      if (value === null) return;
      ctx.fillStyle = shades[Math.round(Math.min(1, Math.max(0, value / model.max)) * 20)] ?? "";
      ctx.fillRect(
        x(model.times[at] ?? 0),
        top + row * rowHeight,
        cell + 0.3,
        Math.max(1, rowHeight - (rowHeight > 6 ? 1 : 0)),
      );
    });
  });
  ctx.restore();
  ctx.fillStyle = colours.muted;
  ctx.font = "11px system-ui, sans-serif";
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  const every = Math.ceil(12 / rowHeight);
  model.lines.forEach((line, row) => {
    if (row % every === 0) ctx.fillText(line.label.slice(0, 9), LEFT - 5, top + (row + 0.5) * rowHeight);
  });
  ctx.textAlign = "center";
  const step = chooseTimeStep(model.toMs - model.fromMs, inner, 60);
  const splits = splitTime(model.fromMs, model.toMs, step, isUtc);
  const labels = labelTimes(splits, step, isUtc);
  splits.forEach((at, index) => {
    // One line is all the room there is: the day where it begins, else the time.
    const text = labels[index]?.split("\n").at(index === 0 ? 0 : -1) ?? "";
    if (isInside(ctx.measureText(text).width, x(at), width))
      ctx.fillText(text, x(at), PLOT_HEIGHT - AXIS / 2);
  });
}

/** Whether a centred label is not cut at the edge. */
function isInside(labelPx: number, at: number, width: number): boolean {
  return at - labelPx / 2 >= 0 && at + labelPx / 2 <= width;
}
