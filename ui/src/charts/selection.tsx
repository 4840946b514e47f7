/** What may be done with a stretch of time that was marked on a chart. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { formatClock } from "../format/time";
import { atInstant } from "../state/instant";
import { hold } from "../state/live";
import { goToView, setParams, utc } from "../state/location";
import { formatAbsolute } from "../state/range";

export interface Selection {
  fromMs: number;
  toMs: number;
}

interface SelectionMenuProps {
  selection: Selection;
  u: uPlot | undefined;
  onZoom(selection: Selection): void;
  onCancel(): void;
}

export default function SelectionMenu({ selection, u, onZoom, onCancel }: SelectionMenuProps) {
  const box = useRef<HTMLDivElement>(null);
  // Before the first paint: a key that follows the menu at once is its own.
  useLayoutEffect(() => {
    hold("selection", true);
    box.current?.querySelector("button")?.focus({ preventScroll: true });
    const outside = (event: Event): void => {
      if (
        event instanceof KeyboardEvent ? event.key === "Escape" : !box.current?.contains(event.target as Node)
      ) {
        onCancel();
      }
    };
    addEventListener("pointerdown", outside, true);
    addEventListener("keydown", outside);
    return () => {
      hold("selection", false);
      removeEventListener("pointerdown", outside, true);
      removeEventListener("keydown", outside);
    };
  }, []);
  const { fromMs, toMs } = selection;
  const compare = (): void => {
    onZoom(selection);
    setParams({ compare: formatAbsolute(fromMs - (toMs - fromMs)) });
  };
  const snapshot = (): void => {
    onCancel();
    const side = Math.max(60_000, Math.min(3_600_000, (toMs - fromMs) / 2));
    goToView("snapshot", atInstant((fromMs + toMs) / 2, {}, side));
  };
  const middle = u
    ? u.bbox.left / (devicePixelRatio || 1) + u.valToPos((selection.fromMs + selection.toMs) / 2, "x")
    : 0;
  const left = Math.max(150, Math.min(middle, (u?.width ?? 0) - 150));
  return (
    <div
      ref={box}
      class="selection-menu"
      role="dialog"
      aria-label="Selected time"
      style={{ left: `${left}px` }}
    >
      <span>
        {formatClock(selection.fromMs, utc.value)} – {formatClock(selection.toMs, utc.value)}
      </span>
      <button type="button" class="button small primary" onClick={() => onZoom(selection)}>
        Zoom
      </button>
      <button type="button" class="button small" onClick={compare}>
        Compare
      </button>
      <button type="button" class="button small" onClick={snapshot}>
        Snapshot
      </button>
    </div>
  );
}
