/**
 * The event stream, one per browser.
 *
 * A browser allows few connections per server, so of all visible pages one holds a lock, listens to
 * `events` and passes every hint on through a broadcast channel. A hidden page gives the lock back
 * and the next visible one takes over. Where locks do not exist (a page without a secure origin)
 * nobody listens and the store polls instead.
 */
import { effect } from "@preact/signals";
import { visible } from "../state/live";
import { basePath } from "../state/location";
import { apiUrl } from "./client";

type Message = "alive" | "hint";

const NAME = `pqcrypta.events${basePath}`;
const ALIVE_EVERY_MS = 4000;
/** A browser asks again by itself when a connection breaks, not when the server has no place for it. */
const REFUSED_AGAIN_MS = 30_000;
const handlers = new Set<() => void>();
let heardMs = Number.NEGATIVE_INFINITY;
let channel: BroadcastChannel | null = null;

export function onHint(handler: () => void): void {
  handlers.add(handler);
}

/** Returns whether a stream is open, so that polling may be slow. */
export function hintsArrive(): boolean {
  return performance.now() - heardMs < 3 * ALIVE_EVERY_MS;
}

export function startHints(): void {
  if (typeof BroadcastChannel === "undefined" || !navigator.locks) return;
  channel = new BroadcastChannel(NAME);
  channel.onmessage = (event: MessageEvent<Message>) => receive(event.data);
  effect(() => {
    if (!visible.value) return;
    const leave = new AbortController();
    navigator.locks
      .request(NAME, { signal: leave.signal }, () => listen(leave.signal))
      .catch(() => {
        // Given up before the lock was ours.
      });
    return () => leave.abort();
  });
}

function receive(message: Message): void {
  heardMs = performance.now();
  if (message === "hint" && visible.peek()) for (const handler of handlers) handler();
}

function publish(message: Message): void {
  channel?.postMessage(message);
  receive(message);
}

/** Listens until aborted; the lock is held as long as the promise is open. */
function listen(leave: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (leave.aborted) return resolve();
    let source: EventSource;
    let again: ReturnType<typeof setTimeout> | undefined;
    let wasBroken = false;
    const open = () => {
      source = new EventSource(apiUrl("events"));
      source.onopen = () => {
        // What happened in between is unknown, so a new connection counts as a hint.
        publish(wasBroken ? "hint" : "alive");
        wasBroken = false;
      };
      source.onerror = () => {
        wasBroken = true;
        if (source.readyState === EventSource.CLOSED) again = setTimeout(open, REFUSED_AGAIN_MS);
      };
      source.addEventListener("tick", () => publish("hint"));
      source.addEventListener("state", () => publish("hint"));
    };
    open();
    const beat = setInterval(() => {
      if (source.readyState === EventSource.OPEN) publish("alive");
    }, ALIVE_EVERY_MS);
    leave.addEventListener("abort", () => {
      clearInterval(beat);
      clearTimeout(again);
      source.close();
      resolve();
    });
  });
}
