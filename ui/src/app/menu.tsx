/**
 * A button with a popover: closed by Esc, by a click elsewhere and by moving on.
 *
 * While one is open, refreshes are held back, so nothing moves under the pointer.
 */
import type { ComponentChildren } from "preact";
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
          if (!opened || !box.current || !button.current) return;
          place(box.current, button.current);
          // The content is drawn only now; a second look knows its size.
          requestAnimationFrame(() => {
            if (!box.current || !button.current) return;
            place(box.current, button.current);
            box.current.querySelector<HTMLElement>("input,button,select")?.focus();
          });
        }}
      >
        {isOpen && children(close)}
      </div>
    </>
  );
}
