/**
 * The instant all charts point at.
 *
 * One signal is shared by every chart: the chart under the pointer writes it, the others follow.
 * A pinned instant stays until it is let go, and holds back refreshes meanwhile.
 */
import { computed, signal } from "@preact/signals";
import { hold } from "../state/live";

export const hoverMs = signal<number | null>(null);
export const pinnedMs = signal<number | null>(null);
/** The chart that shows the tooltip. */
export const pointerChart = signal<string | null>(null);
export const crosshairMs = computed(() => pinnedMs.value ?? hoverMs.value);

export function pin(atMs: number | null): void {
  pinnedMs.value = atMs;
  if (atMs === null) hoverMs.value = null;
  hold("point pinned", atMs !== null);
}
