/** The curve of visitors and views by hour or day of the site, with the compared period and events of the host behind it. */
import { useRef, useState } from "preact/hooks";
import { loadJson } from "../api/client";
import { useResource } from "../api/resource";
import { hostQuery } from "../api/store";
import type { TrafficCurve as CurveAnswer, TrafficPoint } from "../api/types.gen";
import { Empty, FailureNote, Skeleton } from "../app/panel";
import { Shape } from "../app/shape";
import { useNear, useWidth } from "../charts/near";
import { formatClock, formatDateTime, formatDay } from "../format/time";
import { formatCount, formatExact } from "../format/value";
import { utc } from "../state/location";
import { SimpleTable } from "./simple-table";
import { drawCurve } from "./traffic-curve-path";
import type { askedOf } from "./traffic-filters";
import { trafficPath } from "./traffic-question";

const HEIGHT = 200;
const MARGIN = { left: 44, above: 12, below: 22 };
/** Room for a label of time, in pixels. */
const LABEL_PX = 120;

const LINES: readonly {
  id: keyof TrafficPoint & ("views" | "visitors" | "views_before" | "visitors_before");
  label: string;
}[] = [
  { id: "views_before", label: "Views before" },
  { id: "visitors_before", label: "Visitors before" },
  { id: "views", label: "Views" },
  { id: "visitors", label: "Visitors" },
];

export default function TrafficCurve({ asked }: { asked: ReturnType<typeof askedOf> }) {
  const root = useRef<HTMLElement>(null);
  const near = useNear(root);
  const width = useWidth(root);
  const [asTable, setAsTable] = useState(false);
  const path = trafficPath("curve", asked, hostQuery());
  const resource = useResource<CurveAnswer>(near ? path : null, loadJson<CurveAnswer>);
  const answer = resource.data.value;
  const shown = LINES.filter(({ id }) => answer?.points.some((point) => point[id] !== null));
  const views = answer?.points.reduce((sum, point) => sum + point.views, 0) ?? 0;
  const hasViews = views > 0;
  return (
    <figure ref={root} id="traffic-curve" class="panel chart wide" aria-label="Visitors and views">
      <header>
        <h2>Visitors and views</h2>
        {answer && <span class="chip">{answer.step === "day" ? "by day" : "by hour"}</span>}
        <span class="grow" />
        {hasViews && (
          <button
            type="button"
            class="button quiet"
            aria-pressed={asTable}
            aria-label="Show visitors and views as table"
            onClick={() => setAsTable(!asTable)}
          >
            Table
          </button>
        )}
      </header>
      <FailureNote resource={resource} brief={answer !== null} />
      {answer === null && !resource.failure.value && <Skeleton height={HEIGHT + 26} still={!near} />}
      {answer && !hasViews && <Empty height={HEIGHT + 26}>No views in this range.</Empty>}
      {answer && hasViews && (
        <div class={resource.outdated.value ? "outdated" : undefined}>
          <ul class="traffic-legend muted">
            {shown.map(({ id, label }) => (
              <li key={id}>
                <i class={id} aria-hidden="true" /> {label}
              </li>
            ))}
          </ul>
          {asTable ? (
            <SimpleTable
              title="Visitors and views"
              heads={["Time", ...shown.map(({ label }) => label)]}
              rows={answer.points.map((point) => ({
                key: String(point.at_ms),
                cells: [
                  <time key="at">{labelOf(point, answer.step)}</time>,
                  ...shown.map(({ id }) => formatExact(point[id], "count")),
                ],
              }))}
            />
          ) : (
            width > 0 && <Drawing answer={answer} width={width} shown={shown} />
          )}
        </div>
      )}
      <figcaption class="unseen">
        {answer ? `${formatExact(views, "count")} views in ${answer.points.length} ${answer.step}s` : ""}
      </figcaption>
    </figure>
  );
}

interface DrawingProps {
  answer: CurveAnswer;
  width: number;
  shown: typeof LINES;
}

function Drawing({ answer, width, shown }: DrawingProps) {
  const box = { width: width - 22, height: HEIGHT, ...MARGIN };
  const [at, setAt] = useState<number | null>(null);
  const { points, marks } = answer;
  const { paths, xs, levels } = drawCurve(
    shown.map(({ id }) => points.map((point) => point[id])),
    box,
  );
  const every = Math.max(1, Math.ceil(points.length / Math.max(1, (box.width - box.left) / LABEL_PX)));
  const first = points[0]?.at_ms ?? 0;
  const span = (points[points.length - 1]?.at_ms ?? first) - first || 1;
  const placeOf = (ms: number): number => {
    const [from = 0, to = from] = [xs[0], xs[xs.length - 1]];
    return from + ((to - from) * (ms - first)) / span;
  };
  const pointed = at === null ? null : points[at];
  return (
    <div class="traffic-plot">
      <svg
        width={box.width}
        height={box.height}
        aria-hidden="true"
        onPointerMove={(event) => {
          const x = event.offsetX;
          const nearest = xs.reduce(
            (best, one, index) => (Math.abs(one - x) < Math.abs((xs[best] ?? 0) - x) ? index : best),
            0,
          );
          setAt(nearest);
        }}
        onPointerLeave={() => setAt(null)}
      >
        {levels.map(({ value, y }) => (
          <g key={value}>
            <path class="level" d={`M${box.left} ${y}H${box.width}`} />
            <text x={box.left - 6} y={y + 4} text-anchor="end">
              {formatCount(value)}
            </text>
          </g>
        ))}
        {points.map((point, index) =>
          index % every === 0 ? (
            <text key={point.at_ms} x={xs[index]} y={box.height - 6} text-anchor="middle">
              {labelOf(point, answer.step)}
            </text>
          ) : null,
        )}
        {marks.map((mark) => (
          <path
            key={`${mark.at_ms} ${mark.text}`}
            class={`mark ${mark.severity}`}
            d={`M${placeOf(mark.at_ms).toFixed(1)} ${box.above}V${box.height - box.below}`}
          />
        ))}
        {paths.map((path, line) => (
          <path key={shown[line]?.id} class={`line ${shown[line]?.id}`} d={path} />
        ))}
        {at !== null && <path class="pointer" d={`M${xs[at]} ${box.above}V${box.height - box.below}`} />}
      </svg>
      {pointed && (
        <div
          class="chart-tip"
          style={{ left: `${Math.min(xs[at ?? 0] ?? 0, Math.max(0, box.width - 220))}px` }}
        >
          <strong>{labelOf(pointed, answer.step)}</strong>
          {shown.map(({ id, label }) => (
            <div key={id}>
              {label} <b>{formatExact(pointed[id], "count")}</b>
            </div>
          ))}
        </div>
      )}
      {marks.length > 0 && (
        <details class="traffic-marks">
          <summary>{marks.length === 1 ? "1 event" : `${marks.length} events`} of the host</summary>
          <ul>
            {marks.map((mark) => (
              <li key={`${mark.at_ms} ${mark.text}`}>
                <Shape severity={mark.severity} /> {formatDateTime(mark.at_ms, utc.value)}{" "}
                <bdi>{mark.text}</bdi>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

const NOON_MS = 12 * 3_600_000;

/** The label of a step: a day by its noon, which lies on the same day in most zones, or an hour with its day. */
function labelOf(point: TrafficPoint, step: CurveAnswer["step"]): string {
  if (step === "day") return formatDay(point.at_ms + NOON_MS, utc.value);
  return `${formatDay(point.at_ms, utc.value)} ${formatClock(point.at_ms, utc.value, false)}`;
}
