/**
 * When what is on the screen may change.
 *
 * New samples raise `pulse`, on which panels fetch anew. While the reader is busy (a menu
 * is open, text is selected, a point is pinned, the range is absolute, or they pressed pause)
 * samples are only counted, and the first pulse after that brings everything up to date.
 */
import { computed, effect, signal } from "@preact/signals";
import { rangeIsLive } from "./location";

export const visible = signal(document.visibilityState !== "hidden");
document.addEventListener("visibilitychange", () => {
  visible.value = document.visibilityState !== "hidden";
});

export const pausedByHand = signal(false);
const holds = signal<ReadonlySet<string>>(new Set());

export function hold(reason: string, held: boolean): void {
  if (holds.peek().has(reason) === held) return;
  const next = new Set(holds.peek());
  if (held) next.add(reason);
  else next.delete(reason);
  holds.value = next;
}

document.addEventListener("selectionchange", () => {
  const selection = document.getSelection();
  const inField = document.activeElement instanceof HTMLInputElement;
  hold("text selected", !inField && selection !== null && !selection.isCollapsed);
});

/** Why nothing moves, or "" when everything does. */
export const pauseReason = computed<string>(() => {
  if (pausedByHand.value) return "paused";
  if (!rangeIsLive.value) return "fixed range";
  for (const reason of holds.value) return reason;
  return "";
});

/** Raised when panels should fetch anew. */
export const pulse = signal(0);
/** Raised when they must, however fresh they are. */
export const urge = signal(0);
/** Samples that arrived while paused. */
export const missed = signal(0);

export function announceSample(): void {
  if (pauseReason.peek() === "") pulse.value += 1;
  else missed.value += 1;
}

export function refreshNow(): void {
  missed.value = 0;
  urge.value += 1;
}

effect(() => {
  if (pauseReason.value === "" && missed.peek() > 0) refreshNow();
});
