/**
 * One chart: its question, its canvas, its crosshair and its selection.
 *
 * A chart far from the screen neither asks nor draws. All charts share the range of the address and
 * the crosshair, so zooming one zooms all. The plot is a slider for assistive technology: arrow keys
 * move through the buckets and the values are read out.
 */
import { effect, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { listLevels } from "../api/judge";
import { useSeries } from "../api/series";
import { metricsById, shownNow } from "../api/store";
import { Unloaded } from "../app/panel";
import { Part } from "../app/part";
import { formatClock } from "../format/time";
import { formatValue } from "../format/value";
import { bands, place, range, setRange, utc } from "../state/location";
import { absoluteRange, resolveRange } from "../state/range";
import { crosshairMs, hoverMs, pinnedMs, pointerChart } from "./crosshair";
import { engine, engineFailed } from "./engine";
import { Figure } from "./figure";
import { attachGestures } from "./gestures";
import { Legend } from "./legend";
import { bucketAt, buildModel, type Drawing, heldAt, type Model } from "./model";
import { useNear, useWidth } from "./near";
import { openSnapshot } from "./open";
import { palette } from "./palette";
import type { Plot } from "./plot";
import { readByKeys } from "./reading";
import type { Selection } from "./selection";
import { describeChart } from "./sentence";
import { Slots } from "./slots";
import { inTurn } from "./turn";

export interface ChartSpec {
  id: string;
  title: string;
  metrics: readonly string[];
  stacked?: boolean;
  /** Metrics drawn as lines over a stack. */
  overlays?: readonly string[];
  /** How many keys of a keyed metric. */
  limit?: number;
  /** Only keys that begin with this name and a dot. */
  keyPrefix?: string;
  /** What of a key is shown, among all that are. */
  nameOf?(key: string, all: readonly string[]): string;
  /** Whose levels are drawn; the first metric's unless given, null for none. */
  levelsOf?: string | null;
  drawing?: Drawing;
  /** The top of the scale as long as the data stay below. */
  ceiling?: number;
  /** Shorter names than the registry's, where the title completes them. */
  labels?: Readonly<Record<string, string>>;
  height?: number;
  /** How many lines its legend has room for, so that nothing moves when it comes: one unless given. */
  legendLines?: number;
  wide?: boolean;
  empty?: string;
  /** Lines whose values are all zero are left out, and this is said where that leaves none. */
  none?: string;
}

type SelectionMenu = typeof import("./selection").default;

export const PLOT_HEIGHT = 180;

/** A series has one colour on all charts. */
const pageSlots = new Slots();

export function Chart({ spec }: { spec: ChartSpec }) {
  const root = useRef<HTMLElement>(null);
  const near = useNear(root);
  const width = useWidth(root);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const ownSlots = useRef(new Map<string, number>());
  const height = spec.height ?? PLOT_HEIGHT;
  const resource = useSeries(
    near && width > 0
      ? {
          metrics: spec.metrics,
          px: (width - 76) / (spec.drawing?.px ?? 1),
          limit: spec.limit,
          keyPrefix: spec.keyPrefix,
        }
      : null,
  );
  const answer = resource.data.value;
  const registry = metricsById.value;
  const levelsOf = spec.levelsOf === undefined ? (spec.metrics[0] ?? null) : spec.levelsOf;
  const judged = levelsOf === null ? null : (registry.get(levelsOf.split("@")[0] ?? "") ?? null);
  const { from, to } = range.value;
  const model = useMemo(() => {
    if (!answer) return null;
    const span = resolveRange({ from, to }, shownNow.peek());
    return buildModel({
      answer,
      metrics: spec.metrics,
      registry,
      overlays: spec.overlays,
      stacked: spec.stacked ?? false,
      isSparse: spec.none !== undefined,
      hidden,
      slots: pageSlots,
      ownSlots: ownSlots.current,
      labels: spec.labels,
      nameOf: spec.nameOf,
      levels: listLevels(judged?.levels),
      subject: judged?.id,
      ceiling: spec.ceiling,
      drawing: spec.drawing,
      ...span,
    });
  }, [answer, registry, hidden, from, to, spec, judged]);
  const isUtc = utc.value;
  const sentence = useMemo(
    () => (model ? describeChart({ title: spec.title, model, utc: isUtc, metric: judged }) : spec.title),
    [model, isUtc, judged, spec.title],
  );
  const held = useSignal(model as Model);
  held.value = model as Model;
  return (
    <Figure
      root={root}
      near={near}
      id={spec.id}
      title={spec.title}
      metrics={spec.metrics}
      resource={resource}
      model={model}
      sentence={sentence}
      height={height}
      legendLines={spec.legendLines}
      wide={spec.wide}
      empty={(answer?.series.length && spec.none) || spec.empty}
      legend={model && <Legend model={held} hidden={hidden} onHide={setHidden} />}
    >
      {model && (
        <PlotArea
          id={spec.id}
          title={spec.title}
          sentence={sentence}
          model={model}
          near={near}
          height={height}
        />
      )}
    </Figure>
  );
}

interface PlotAreaProps {
  id: string;
  title: string;
  sentence: string;
  model: Model;
  near: boolean;
  height: number;
}

function PlotArea({ id, title, sentence, model, near, height }: PlotAreaProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const latest = useRef(model);
  latest.current = model;
  const width = useWidth(host);
  const [selection, setSelection] = useState<Selection | null>(null);
  const [SelectionMenu, setSelectionMenu] = useState<SelectionMenu | null>(null);
  const shape = model.lines.map((line) => `${line.id} ${line.colour}`).join("|") + model.unit;

  const drawing = engine.value;

  const size = useRef({ width, height });
  size.current = { width, height };
  const build = (engineParts: NonNullable<typeof drawing>, element: HTMLElement): (() => void) => {
    const made = engineParts.createPlot(
      element,
      latest.current,
      size.current,
      { utc: () => utc.peek(), palette: () => palette.peek() },
      {
        // The plot reports its cursor after every drawing, too; only a pointer above it may move the instant.
        onHover: (atMs) => {
          const isPointedAt = pointerChart.peek() === id && plot.current?.u.over.matches(":hover");
          if (isPointedAt && pinnedMs.peek() === null) hoverMs.value = atMs;
        },
        onSelect: (fromMs, toMs, altKey) => {
          if (altKey) zoomTo({ fromMs, toMs });
          else {
            setSelection({ fromMs, toMs });
            void import("./selection").then((loaded) => setSelectionMenu(() => loaded.default));
          }
        },
      },
    );
    plot.current = made;
    const { over } = made.u;
    const enter = (): void => {
      pointerChart.value = id;
    };
    over.addEventListener("mouseenter", enter);
    over.addEventListener("mouseleave", () => {
      if (pointerChart.peek() !== id || pinnedMs.peek() !== null) return;
      pointerChart.value = null;
      hoverMs.value = null;
    });
    const box = (): DOMRect => over.getBoundingClientRect();
    const detach = attachGestures(
      over,
      {
        timeAt: (clientX) => made.u.posToVal(clientX - box().left, "x"),
        shareAt: (clientX) => (clientX - box().left) / box().width,
      },
      enter,
      (atMs) => openSnapshot(atMs, latest.current),
    );
    const unfollow = effect(() => placeCursor(made.u, crosshairMs.value));
    const repaint = effect(() => {
      void palette.value;
      void utc.value;
      made.u.redraw(false);
    });
    return () => {
      unfollow();
      repaint();
      detach();
      made.u.destroy();
      plot.current = null;
    };
  };
  useEffect(() => {
    const element = host.current;
    if (!element || width === 0 || !drawing) return;
    let remove = (): void => {};
    const takeBack = inTurn(() => {
      remove = build(drawing, element);
    });
    return () => {
      takeBack();
      remove();
    };
  }, [shape, width > 0, id, drawing]);

  useEffect(() => {
    if (width > 0) plot.current?.u.setSize({ width, height });
  }, [width, height]);
  useEffect(() => {
    if (!near || !plot.current) return;
    plot.current.update(model);
    placeCursor(plot.current.u, crosshairMs.peek());
  }, [model, near]);

  const zoomTo = (span: Selection): void => {
    cancel();
    setRange(absoluteRange(span.fromMs, span.toMs));
  };
  const cancel = (): void => {
    setSelection(null);
    plot.current?.u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  };
  return (
    <div class="plot" style={{ height: `${height}px` }}>
      <div ref={host} class="canvas" aria-hidden="true" />
      {engineFailed.value && <Unloaded what="Charts" height={height} />}
      {near && hasBehind() && <Part load={() => import("./behind")} model={model} plot={plot} />}
      <Reader id={id} title={title} sentence={sentence} model={model} />
      {pointerChart.value === id && <Part load={() => import("./chart-tip")} model={model} plot={plot} />}
      {selection && SelectionMenu && (
        <SelectionMenu selection={selection} u={plot.current?.u} onZoom={zoomTo} onCancel={cancel} />
      )}
    </div>
  );
}

/** Whether anything can lie behind the lines: what draws it is loaded only then. */
function hasBehind(): boolean {
  const { view, params } = place.value;
  return view === "snapshot" || params.compare !== undefined || bands.value === "on";
}

/** Moves the cursor of a plot to the instant all charts point at, unless the pointer is above it and leads. */
function placeCursor(u: Plot["u"], atMs: number | null): void {
  if (u.over.matches(":hover") && pinnedMs.peek() === null) return;
  u.setCursor({ left: atMs === null ? -10 : u.valToPos(atMs, "x"), top: 10 }, false);
}

/** The chart as a slider over its buckets. */
function Reader({ id, title, sentence, model }: Omit<PlotAreaProps, "near" | "height">) {
  const atMs = crosshairMs.value;
  const last = model.times.length - 1;
  const at = atMs === null ? last : bucketAt(model, atMs);
  const isReading = pointerChart.value === id && atMs !== null;
  const time = formatClock(model.times[at] ?? 0, utc.value);
  const read = model.lines
    .filter((line) => !line.hidden)
    .map((line) => `${line.label} ${formatValue(line.avg[heldAt(model, line, at)] ?? null, line.unit)}`)
    .join(", ");
  return (
    <div
      class="reader"
      role="slider"
      tabIndex={0}
      aria-label={isReading ? title : sentence}
      aria-valuemin={0}
      aria-valuemax={Math.max(0, last)}
      aria-valuenow={Math.max(0, at)}
      aria-valuetext={`${time}: ${read}`}
      onKeyDown={(event) => readByKeys(event, id, at, model)}
      onBlur={() => {
        if (pointerChart.peek() === id && pinnedMs.peek() === null) {
          pointerChart.value = null;
          hoverMs.value = null;
        }
      }}
    />
  );
}
