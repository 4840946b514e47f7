/** A plot is read by keys: arrows move through its buckets, Enter pins and then opens the snapshot, Esc lets go. */
import { crosshairMs, hoverMs, pin, pinnedMs, pointerChart } from "./crosshair";
import type { Model } from "./model";
import { openSnapshot } from "./open";

/** Handles a key on the plot `id`, whose cursor is in bucket `at`. */
export function readByKeys(event: KeyboardEvent, id: string, at: number, model: Model): void {
  const last = model.times.length - 1;
  const atMs = crosshairMs.peek();
  const held = pinnedMs.peek();
  const step = event.shiftKey ? 10 : 1;
  const next = { ArrowLeft: at - step, ArrowRight: at + step, Home: 0, End: last }[event.key];
  if (next !== undefined) {
    pin(null);
    pointerChart.value = id;
    hoverMs.value = model.times[Math.max(0, Math.min(last, next))] ?? null;
  } else if (event.key === "Enter") {
    if (held === null) pin(atMs ?? model.times[last] ?? null);
    else openSnapshot(held, model);
  } else if (event.key === "Escape" && atMs !== null) pin(null);
  else return;
  event.preventDefault();
  event.stopPropagation();
}
