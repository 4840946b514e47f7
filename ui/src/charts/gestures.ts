/**
 * What a pointer does on a plot beyond hovering.
 *
 * Ctrl and wheel zoom (a plain wheel scrolls the page), two fingers zoom, one finger sideways moves
 * the crosshair, a click or tap pins it, another one at the same place opens the snapshot of that instant and one elsewhere
 * lets it go, a double click goes back. Zooming by wheel is one step of
 * the browser's history however many notches it took.
 */
import { serverNow } from "../api/store";
import { range, setRange, takePreviousRange } from "../state/location";
import { scaleRange } from "../state/range";
import { hoverMs, pin, pinnedMs } from "./crosshair";

/** Back to the range before, or out when there is none. */
export function zoomOut(): void {
  const previous = takePreviousRange();
  setRange(previous ?? scaleRange(range.value, 2, 0.5, serverNow()), previous ? "replace" : "push");
}

export interface Surface {
  /** The instant under a horizontal position of the window. */
  timeAt(clientX: number): number;
  /** The position as a share of the plot's width. */
  shareAt(clientX: number): number;
}

const SAME_GESTURE_MS = 700;
const CLICK_PX = 6;
/** How near a click is to the one before that pinned an instant. */
const SAME_PX = 12;
/** Two clicks that are closer together are a double click. */
const DOUBLE_MS = 500;

export function attachGestures(
  element: HTMLElement,
  surface: Surface,
  enter: () => void,
  open: (atMs: number) => void,
): () => void {
  const stop = new AbortController();
  const options = { signal: stop.signal };
  let lastWheel = Number.NEGATIVE_INFINITY;
  const zoom = (factor: number, share: number, at: number): void => {
    const step = at - lastWheel < SAME_GESTURE_MS ? "replace" : "push";
    lastWheel = at;
    setRange(scaleRange(range.value, factor, Math.max(0, Math.min(1, share)), serverNow()), step);
  };
  element.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.25 : 0.8, surface.shareAt(event.clientX), event.timeStamp);
    },
    { passive: false, signal: stop.signal },
  );

  let downX = 0;
  let pinnedX = 0;
  let pinnedAt = 0;
  element.addEventListener(
    "mousedown",
    (event) => {
      downX = event.clientX;
    },
    options,
  );
  element.addEventListener(
    "click",
    (event) => {
      if (event.detail !== 1 || Math.abs(event.clientX - downX) >= CLICK_PX) return;
      enter();
      const atMs = surface.timeAt(event.clientX);
      const held = pinnedMs.peek();
      const isSame = held !== null && Math.abs(event.clientX - pinnedX) < SAME_PX;
      if (isSame && event.timeStamp - pinnedAt > DOUBLE_MS) {
        pin(null);
        open(held);
        return;
      }
      pinnedX = event.clientX;
      pinnedAt = event.timeStamp;
      pin(held === null ? atMs : null);
    },
    options,
  );
  element.addEventListener(
    "dblclick",
    () => {
      pin(null);
      zoomOut();
    },
    options,
  );

  const fingers = new Map<number, number>();
  const spread = (): number => {
    const [a = 0, b = 0] = fingers.values();
    return Math.abs(a - b);
  };
  element.addEventListener(
    "pointerdown",
    (event) => {
      if (event.pointerType === "touch") fingers.set(event.pointerId, event.clientX);
    },
    options,
  );
  element.addEventListener(
    "pointermove",
    (event) => {
      if (!fingers.has(event.pointerId)) return;
      const before = spread();
      fingers.set(event.pointerId, event.clientX);
      if (fingers.size === 2) {
        const [a = 0, b = 0] = fingers.values();
        if (before > 10 && spread() > 10) {
          zoom(before / spread(), surface.shareAt((a + b) / 2), event.timeStamp);
        }
      } else if (pinnedMs.peek() === null) {
        enter();
        hoverMs.value = surface.timeAt(event.clientX);
      }
    },
    options,
  );
  for (const end of ["pointerup", "pointercancel"] as const) {
    element.addEventListener(end, (event) => void fingers.delete(event.pointerId), options);
  }
  return () => stop.abort();
}
