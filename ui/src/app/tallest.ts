/**
 * Room that is kept once it was needed.
 *
 * What grows and shrinks by itself above other things (a list of problems) would move them under the eyes of whoever
 * reads them, or under the pointer just before a click. So it keeps the greatest height it has had since it
 * was opened, until somebody folds it (`state`) or the width changes, and with it every height.
 */
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

export function useTallest(root: RefObject<HTMLElement | null>, state: boolean): void {
  const held = useRef({ width: 0, height: 0, state });
  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return;
    const width = element.clientWidth;
    // Its own height, without the room kept so far.
    element.style.minHeight = "";
    const height = element.offsetHeight;
    if (width !== held.current.width || state !== held.current.state) {
      held.current = { width, height, state };
    }
    held.current.height = Math.max(held.current.height, height);
    element.style.minHeight = `${held.current.height}px`;
  });
}
