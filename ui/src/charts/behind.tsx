/**
 * What is drawn behind the lines of a chart: what is usual, the same at another time, the instant of a snapshot.
 *
 * Loaded when a chart is near the screen; it asks for what it draws by itself, so that a chart never waits for it.
 */
import { useEffect } from "preact/hooks";
import type uPlot from "uplot";
import { refreshJson } from "../api/client";
import { useResource } from "../api/resource";
import { loadSeries, seriesPath } from "../api/series";
import { hostQuery, metricsById, shownNow } from "../api/store";
import type { BandsAnswer, SeriesAnswer } from "../api/types.gen";
import { place, range, bands as wantsBands } from "../state/location";
import { absoluteRange, parseInstant, resolveRange } from "../state/range";
import { formatParams, param } from "../state/url";
import { bandedOf, bandsOf, type DrawnBand, type Ghost, type GhostLines, ghostsOf, outline } from "./ghosts";
import { lineId, type Model } from "./model";
import { fade, type Palette } from "./palette";
import type { Plot } from "./plot";

interface BehindProps {
  model: Model;
  plot: { current: Plot | null };
}

/** Baselines are computed once an hour. */
const REST_MS = 600_000;
const GHOST_DASHES: readonly (readonly number[])[] = [
  [5, 4],
  [1, 3],
  [8, 3, 1, 3],
];

export default function Behind({ model, plot }: BehindProps) {
  const { view } = place.value;
  const span = resolveRange(range.value, shownNow.peek());
  const ghosts = ghostsOf(view, param(place.value, "compare"), span);
  const bands = useBands(model);
  const drawn = [useGhost(model, ghosts[0]), useGhost(model, ghosts[1]), useGhost(model, ghosts[2])];
  const at = view === "snapshot" ? parseInstant(param(place.value, "at") ?? "") : null;
  const markMs = at?.kind === "absolute" ? at.atMs : null;
  useEffect(() => {
    const held = plot.current;
    if (!held) return;
    held.behind = (u, colours) => {
      for (const band of bands) drawBand(u, band, colours);
      for (const [order, ghost] of drawn.entries()) {
        if (ghost) drawGhost(u, ghost, ghosts[order]?.label ?? "", GHOST_DASHES[order] ?? [], colours);
      }
      if (markMs !== null) drawInstant(u, markMs, colours);
    };
    held.u.redraw(false);
  });
  return null;
}

/** What is usual for the lines, where any of them is followed. */
function useBands(model: Model): DrawnBand[] {
  const metrics = [...new Set(bandedOf(model).map((one) => one.metric))];
  const scored = metrics.filter((id) => metricsById.value.get(id)?.scored);
  const isWanted = wantsBands.value === "on" && scored.length > 0;
  const { from, to } = range.value;
  const host = hostQuery();
  const query = formatParams({ m: [scored.join(",")], from: [from], to: [to] });
  const resource = useResource<BandsAnswer>(
    isWanted ? `bands?${query}${host ? `&${host}` : ""}` : null,
    (path, _, signal) => refreshJson(path, signal),
    () => REST_MS,
  );
  return isWanted && resource.data.value ? bandsOf(resource.data.value.bands, model) : [];
}

/** The lines of a ghost, once they have come. */
function useGhost(model: Model, ghost: Ghost | undefined): GhostLines | null {
  const metrics = [...new Set(model.lines.map(lineId))];
  const path =
    ghost && metrics.length > 0
      ? seriesPath({
          metrics,
          px: model.times.length,
          range: absoluteRange(model.fromMs - ghost.shiftMs, model.toMs - ghost.shiftMs),
        })
      : null;
  const resource = useResource<SeriesAnswer>(path, loadSeries, () => REST_MS);
  const answer = resource.data.value;
  return ghost && answer && !resource.outdated.value ? outline(answer, model, ghost) : null;
}

function drawBand(u: uPlot, { colour, hours }: DrawnBand, colours: Palette): void {
  const { ctx } = u;
  ctx.save();
  ctx.fillStyle = fade(colours.series[colour] ?? colours.muted, 0.12);
  for (const [from, to, low, high] of hours) {
    const left = u.valToPos(from, "x", true);
    const top = u.valToPos(high, "y", true);
    const width = u.valToPos(to, "x", true) - left;
    ctx.fillRect(left, top, width, Math.max(1, u.valToPos(low, "y", true) - top));
  }
  ctx.restore();
}

function drawGhost(
  u: uPlot,
  { times, lines }: GhostLines,
  label: string,
  dash: readonly number[],
  colours: Palette,
): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio || 1;
  ctx.save();
  ctx.setLineDash(dash.map((length) => length * ratio));
  for (const { colour, values } of lines) {
    ctx.strokeStyle = fade(colours.series[colour] ?? colours.muted, 0.55);
    ctx.beginPath();
    let isJoined = false;
    values.forEach((value, at) => {
      if (value === null) {
        isJoined = false;
        return;
      }
      const x = u.valToPos(times[at] ?? 0, "x", true);
      const y = u.valToPos(value, "y", true);
      if (isJoined) ctx.lineTo(x, y);
      else ctx.moveTo(x, y);
      isJoined = true;
    });
    ctx.stroke();
  }
  const [first] = lines;
  const last = first?.values.findLastIndex((value) => value !== null) ?? -1;
  const value = first?.values[last];
  if (value !== null && value !== undefined) {
    const right = bbox.left + bbox.width - 4 * ratio;
    const y = Math.max(bbox.top + 12 * ratio, u.valToPos(value, "y", true) - 4 * ratio);
    const width = ctx.measureText(label).width;
    ctx.fillStyle = fade(colours.panel, 0.82);
    ctx.fillRect(right - width - 2 * ratio, y - 10 * ratio, width + 4 * ratio, 13 * ratio);
    ctx.fillStyle = colours.muted;
    ctx.textAlign = "right";
    ctx.fillText(label, right, y);
  }
  ctx.restore();
}

/** The instant: a dashed line, with its name at the lower end, where no other label is. */
function drawInstant(u: uPlot, atMs: number, colours: Palette): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio || 1;
  const x = Math.round(u.valToPos(atMs, "x", true)) + 0.5;
  ctx.save();
  ctx.strokeStyle = colours.critical;
  ctx.fillStyle = colours.critical;
  ctx.setLineDash([6 * ratio, 4 * ratio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.textAlign = "left";
  ctx.fillText("event", x + 4 * ratio, bbox.top + bbox.height - 5 * ratio);
  ctx.restore();
}
