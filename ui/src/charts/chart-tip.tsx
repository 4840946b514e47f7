/** The tooltip of a chart at the crosshair: mean, least and greatest sample of each line; loaded with the first one. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { formatClock, formatDuration } from "../format/time";
import { formatValue } from "../format/value";
import { utc } from "../state/location";
import { crosshairMs, pin, pinnedMs } from "./crosshair";
import { Swatch } from "./legend";
import { bucketAt, heldAt, type Model } from "./model";
import { openSnapshot } from "./open";
import type { Plot } from "./plot";

interface ChartTipProps {
  model: Model;
  plot: { current: Plot | null };
}

export default function ChartTip({ model, plot }: ChartTipProps) {
  const box = useRef<HTMLDivElement>(null);
  const atMs = crosshairMs.value;
  const u = plot.current?.u;
  useLayoutEffect(() => {
    if (!box.current || !u || atMs === null) return;
    // Beside the crosshair where there is room, but never beyond the panel.
    const x = u.bbox.left / (devicePixelRatio || 1) + u.valToPos(atMs, "x");
    const width = box.current.offsetWidth;
    const right = x + 10 + width <= u.width ? x + 10 : x - 10 - width;
    box.current.style.left = `${right >= 0 ? right : Math.max(0, u.width - width)}px`;
  });
  if (atMs === null || !u) return null;
  const at = bucketAt(model, atMs);
  const bucketMs = model.times[at] ?? atMs;
  const inGap = model.gaps.some(([from, to]) => bucketMs >= from && bucketMs < to);
  return (
    <div ref={box} class="chart-tip">
      <div class="when">
        {formatClock(bucketMs, utc.value)}
        {model.stepMs > 1000 && <span class="muted"> +{formatDuration(model.stepMs / 1000)}</span>}
      </div>
      {inGap && <div>no samples</div>}
      <table>
        <tbody>
          {model.lines
            .filter((line) => !line.hidden)
            .map((line) => {
              const held = heldAt(model, line, at);
              const lo = line.lo[held] ?? null;
              const hi = line.hi[held] ?? null;
              return (
                <tr key={line.id}>
                  <td>
                    <Swatch colour={line.colour} dash={line.dash} />
                  </td>
                  <td class="name">{line.label}</td>
                  <td class="number">{formatValue(line.avg[held] ?? null, line.unit)}</td>
                  <td class="muted number">
                    {lo !== null &&
                      hi !== null &&
                      hi !== lo &&
                      `${formatValue(lo, line.unit)} – ${formatValue(hi, line.unit)}`}
                  </td>
                </tr>
              );
            })}
        </tbody>
      </table>
      {pinnedMs.value !== null && (
        <div class="tip-ways">
          <span class="muted">pinned</span>
          <button type="button" class="button small primary" onClick={() => openSnapshot(atMs, model)}>
            Snapshot
          </button>
          <button type="button" class="button small" onClick={() => pin(null)}>
            Release
          </button>
        </div>
      )}
    </div>
  );
}
