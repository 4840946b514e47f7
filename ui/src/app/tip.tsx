/**
 * Explanations of metrics, from the registry only.
 *
 * One shared popover explains what a metric is, how it is computed, its levels and what to do first.
 * The (i) button opens it on hover, focus and tap; the pointer may move into it, Esc closes it. The
 * text is laid out by a part that is loaded, like all explanations, with the first one.
 */
import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { metricsById } from "../api/store";
import type { MetricMeta } from "../api/types.gen";
import { place as placeBeside } from "./menu";

const OPEN_AFTER_MS = 250;
const CLOSE_AFTER_MS = 200;
const shown = signal<{ anchor: HTMLElement; metric: MetricMeta } | null>(null);
let timer: ReturnType<typeof setTimeout> | undefined;

function later(ms: number, run: () => void): void {
  clearTimeout(timer);
  timer = setTimeout(run, ms);
}

function close(): void {
  clearTimeout(timer);
  shown.value = null;
}

export function Info({ metric: id }: { metric: string }) {
  const button = useRef<HTMLButtonElement>(null);
  const metric = metricsById.value.get(id);
  if (!metric) return null;
  const open = (): void => {
    clearTimeout(timer);
    if (button.current) shown.value = { anchor: button.current, metric };
  };
  const isOpen = shown.value?.anchor === button.current && shown.value !== null;
  return (
    <button
      ref={button}
      type="button"
      class="info-button"
      aria-label={`About ${metric.label}`}
      aria-describedby={isOpen ? "tip" : undefined}
      onClick={open}
      onFocus={(event) => event.currentTarget.matches(":focus-visible") && open()}
      onBlur={() => later(CLOSE_AFTER_MS, close)}
      onPointerEnter={(event) => event.pointerType === "mouse" && later(OPEN_AFTER_MS, open)}
      onPointerLeave={() => later(CLOSE_AFTER_MS, close)}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="6.2" />
        <path d="M8 7.2v4M8 4.6v.6" />
      </svg>
    </button>
  );
}

export function Tip() {
  const box = useRef<HTMLDivElement>(null);
  const state = shown.value;
  const [Text, setText] = useState<typeof import("./tip-text").default | null>(null);
  useEffect(() => {
    if (state && !Text) void import("./tip-text").then((loaded) => setText(() => loaded.default));
  }, [state]);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    if (!state) {
      if (element.matches(":popover-open")) element.hidePopover();
      return;
    }
    if (!element.matches(":popover-open")) element.showPopover();
    placeBeside(element, state.anchor);
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      close();
    };
    addEventListener("keydown", onKey, true);
    addEventListener("scroll", close, { passive: true });
    return () => {
      removeEventListener("keydown", onKey, true);
      removeEventListener("scroll", close);
    };
  }, [state, Text]);
  return (
    <div
      ref={box}
      id="tip"
      class="tip"
      popover="manual"
      role="tooltip"
      onPointerEnter={() => clearTimeout(timer)}
      onPointerLeave={() => later(CLOSE_AFTER_MS, close)}
    >
      {state && Text && (
        <Text metric={state.metric} onGrown={() => box.current && placeBeside(box.current, state.anchor)} />
      )}
    </div>
  );
}
