/** The dialogs that are loaded only when somebody asks for them. */
import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { hold } from "../state/live";

type Content = ComponentType<{ close: () => void }>;

const open = signal<{ name: string; Content: Content } | null>(null);
/** Raised to open the range picker. */
export const rangeOpener = signal(0);

const show = (name: string, load: () => Promise<{ default: Content }>) => (): void => {
  load().then(
    (module) => {
      open.value = { name, Content: module.default };
    },
    () => location.reload(),
  );
};

export const openPalette = show("Search", () => import("./palette"));
export const openHelp = show("Help", () => import("./help"));

export function Dialogs() {
  const box = useRef<HTMLDialogElement>(null);
  const state = open.value;
  useEffect(() => {
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
