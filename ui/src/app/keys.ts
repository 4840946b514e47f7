/**
 * The keys of the page.
 *
 * Off while something is typed or a dialog is open; single letters can be switched off altogether.
 */
import { serverNow } from "../api/store";
import { pin, pinnedMs } from "../charts/crosshair";
import { zoomOut } from "../charts/gestures";
import { refreshNow } from "../state/live";
import { goToView, range, setRange } from "../state/location";
import { preferences } from "../state/preferences";
import { shiftRange } from "../state/range";
import { VIEWS } from "../views/registry";
import { toggleLive } from "./bar";
import { cancelDialog, openHelp, openPalette, rangeOpener } from "./dialogs";

const CHORD_MS = 1500;

export function listenForKeys(): () => void {
  let chordMs = Number.NEGATIVE_INFINITY;
  const onKey = (event: KeyboardEvent): void => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape") {
      cancelDialog();
      if (pinnedMs.value !== null) pin(null);
    }
    if (isTaken(event) || !preferences.value.shortcuts) return;
    if (event.timeStamp - chordMs < CHORD_MS) {
      chordMs = Number.NEGATIVE_INFINITY;
      const view = VIEWS.find((one) => one.key === event.key);
      if (view) goToView(view.id);
      return;
    }
    if (event.key === "g") {
      chordMs = event.timeStamp;
      return;
    }
    const action = ACTIONS[event.key];
    if (!action) return;
    event.preventDefault();
    action(event);
  };
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}

/** Whether the key belongs to what has the focus. */
function isTaken(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  if (document.querySelector("dialog[open]") || target.closest("input,select,textarea,[popover]"))
    return true;
  return event.key === " " && target.closest("button,a,summary,[role=slider]") !== null;
}

const ACTIONS: Record<string, (event: KeyboardEvent) => void> = {
  "/": () => {
    const field = document.querySelector<HTMLInputElement>("main input[type=search]");
    field?.focus();
    field?.select();
  },
  "?": openHelp,
  t: () => {
    rangeOpener.value += 1;
  },
  z: zoomOut,
  r: refreshNow,
  "[": () => step("previous"),
  "]": () => step("next"),
  " ": toggleLive,
  ArrowLeft: (event) => shift(event.shiftKey ? -1 : -0.25),
  ArrowRight: (event) => shift(event.shiftKey ? 1 : 0.25),
};

/** Follows the link of a snapshot to the event beside it. */
function step(to: string): void {
  document.querySelector<HTMLElement>(`[data-step=${to}]`)?.click();
}

function shift(fraction: number): void {
  setRange(shiftRange(range.value, fraction, serverNow()));
}
