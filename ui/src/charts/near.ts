/** Whether an element is on or near the screen, and how wide it is. */
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

export function useNear(root: RefObject<HTMLElement | null>): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    if (!root.current) return;
    const observer = new IntersectionObserver(
      (entries) => setNear(entries[entries.length - 1]?.isIntersecting ?? false),
      { rootMargin: "120px" },
    );
    observer.observe(root.current);
    return () => observer.disconnect();
  }, [root]);
  return near;
}

export function useWidth(root: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!root.current) return;
    const observer = new ResizeObserver((entries) =>
      setWidth(Math.floor(entries[entries.length - 1]?.contentRect.width ?? 0)),
    );
    observer.observe(root.current);
    return () => observer.disconnect();
  }, [root]);
  return width;
}
