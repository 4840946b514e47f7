/**
 * A button with a popover: closed by Esc, by a click elsewhere and by moving on.
 *
 * While one is open, refreshes are held back, so nothing moves under the pointer.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { hold } from "../state/live";

/**
 * Puts a popover below its anchor, or above where there is more room, inside the window: what does
 * not fit there scrolls within it.
 */
export function place(box: HTMLElement, anchor: HTMLElement): void {
  const near = anchor.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  // On the right half the right edges are aligned, so the box may grow to the left.
  const isRight = near.left > width / 2;
  box.style.left = isRight ? "auto" : `${Math.max(8, near.left)}px`;
  box.style.right = isRight ? `${Math.max(8, width - near.right)}px` : "auto";
  box.style.maxHeight = "";
  const placed = box.getBoundingClientRect();
  if (placed.left < 8 || placed.right > width - 8) {
    box.style.left = placed.left < 8 ? "8px" : "auto";
    box.style.right = placed.left < 8 ? "auto" : "8px";
  }
  const below = innerHeight - near.bottom - 14;
  const above = near.top - 14;
  const isBelow = placed.height <= below || below >= above;
  const room = Math.max(120, isBelow ? below : above);
  box.style.maxHeight = `${room}px`;
  box.style.top = `${isBelow ? near.bottom + 6 : Math.max(8, near.top - Math.min(placed.height, room) - 6)}px`;
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
