/** The dialogs, which are loaded when they are first opened. */
import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { hold } from "../state/live";

type Content = ComponentType<{ close: () => void }>;

const open = signal<{ name: string; Content: Content } | null>(null);
/** Raised to open the range picker. */
export const rangeOpener = signal(0);

/** Counts requests, so that a dialog which loads slowly is dropped when another one was requested meanwhile. */
let asked = 0;

const show = (name: string, load: () => Promise<{ default: Content }>) => (): void => {
  asked += 1;
  const mine = asked;
  load().then(
    (module) => {
      if (mine === asked) open.value = { name, Content: module.default };
    },
    () => location.reload(),
  );
};

export const openPalette = show("Search", () => import("./palette"));
export const openHelp = show("Help", () => import("./help"));

/** Lets go of a dialog that was asked for and is not there yet; an open one closes by itself on Esc. */
export function cancelDialog(): void {
  asked += 1;
}

export function Dialogs() {
  const box = useRef<HTMLDialogElement>(null);
  const state = open.value;
  // Before the next key can arrive: what is in the page can be closed.
  useLayoutEffect(() => {
    if (!state) return;
    hold("dialog", true);
    box.current?.showModal();
    return () => hold("dialog", false);
  }, [state]);
  if (!state) return null;
  const close = (): void => box.current?.close();
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc closes a dialog by itself
    <dialog
      ref={box}
      aria-label={state.name}
      onClose={() => {
        open.value = null;
      }}
      onClick={(event) => event.target === box.current && close()}
    >
      <state.Content close={close} />
    </dialog>
  );
}
