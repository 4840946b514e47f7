/**
 * A button with a popover: closed by Esc, by a click elsewhere and by moving on.
 *
 * While one is open, refreshes are held back, so nothing moves under the pointer.
 */
import type { ComponentChildren, ComponentType } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { hold } from "../state/live";

/** Puts a popover below its anchor, or above where there is more room, inside the window. */
export function place(box: HTMLElement, anchor: HTMLElement): void {
  const near = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = box;
  const left = Math.max(8, Math.min(near.left, document.documentElement.clientWidth - width - 8));
  const below = near.bottom + 6;
  const fits = below + height <= innerHeight - 8 || near.top < height + 14;
  box.style.left = `${left}px`;
  box.style.top = `${fits ? below : near.top - height - 6}px`;
}

export interface MenuProps {
  label: ComponentChildren;
  name: string;
  class?: string;
  /** Opens when it is raised (by a shortcut). */
  openWhen?: number;
  children: (close: () => void) => ComponentChildren;
}

export function Menu({ label, name, class: extra, openWhen = 0, children }: MenuProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);
  const close = (): void => box.current?.hidePopover();
  useEffect(() => {
    if (openWhen > 0) box.current?.showPopover();
  }, [openWhen]);
  useEffect(() => () => hold(`menu ${id}`, false), [id]);
  useEffect(() => {
    const [opened, anchor] = [box.current, button.current];
    if (!isOpen || !opened || !anchor) return;
    // The content may come later than the box; the box stays where there is room for it.
    const observer = new ResizeObserver(() => place(opened, anchor));
    observer.observe(opened);
    return () => observer.disconnect();
  }, [isOpen]);
  return (
    <>
      <button
        ref={button}
        type="button"
        class={`button ${extra ?? ""}`}
        popovertarget={id}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        aria-label={name}
      >
        {label}
      </button>
      <div
        ref={box}
        id={id}
        popover="auto"
        class="menu"
        role="dialog"
        aria-label={name}
        onToggle={(event) => {
          const opened = event.newState === "open";
          setOpen(opened);
          hold(`menu ${id}`, opened);
        }}
      >
        {isOpen && children(close)}
      </div>
    </>
  );
}

type Content = ComponentType<{ close: () => void }>;

/** Content that is fetched when its menu is first opened. */
export function Later({ load, close }: { load: () => Promise<{ default: Content }>; close: () => void }) {
  const [Loaded, setLoaded] = useState<Content | null>(null);
  useEffect(() => {
    load().then(
      (module) => setLoaded(() => module.default),
      () => location.reload(),
    );
  }, []);
  return Loaded ? <Loaded close={close} /> : <p class="muted">Loading …</p>;
}
