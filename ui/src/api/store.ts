/**
 * What every view knows: the registry, the state of now, and the server's clock.
 *
 * `now` is the one thing polled: on every hint of the event stream, every 10 s without a stream and
 * every 15 s with one (a host that fell silent sends no hints). Ages are measured against the
 * server's clock, carried on between answers, so data go stale on the screen even when the server
 * no longer answers.
 */
import { batch, computed, effect, signal } from "@preact/signals";
import { formatClock } from "../format/time";
import { announceSample, pulse, urge, visible } from "../state/live";
import { hostId, utc } from "../state/location";
import { getJson, onFailure } from "./client";
import { hintsArrive, onHint } from "./hints";
import { Resource } from "./resource";
import type { Meta, MetricMeta, Now, Severity, TableMeta } from "./types.gen";

const metaResource = new Resource<Meta>((path, _, signal) => getJson<Meta>(path, signal));
const nowResource = new Resource<Now>((path, _, signal) => getJson<Now>(path, signal));

export const meta = metaResource.data;
export const metaFailure = metaResource.failure;
export const now = nowResource.data;
export const nowFailure = nowResource.failure;

export const metricsById = computed<ReadonlyMap<string, MetricMeta>>(
  () => new Map((meta.value?.metrics ?? []).map((metric) => [metric.id, metric])),
);
export const tablesByName = computed<ReadonlyMap<string, TableMeta>>(
  () => new Map((meta.value?.tables ?? []).map((table) => [table.name, table])),
);

/** Difference between the server's clock and ours. */
let offsetMs = 0;
/** The server's time, once a second while the page is visible. */
export const clock = signal(Date.now());
/** The server's time at the last sample shown; what `now` means in a relative range. */
export const shownNow = signal(Date.now());

export function serverNow(): number {
  return Date.now() + offsetMs;
}

/** `host=1&` when a host was chosen. */
export function hostQuery(): string {
  return hostId.value === null ? "" : `host=${hostId.value}`;
}

export const ageSecs = computed<number | null>(() => {
  const newest = now.value?.freshness.newest_ms ?? null;
  return newest === null ? null : Math.max(0, (clock.value - newest) / 1000);
});

export type Freshness = "live" | "late" | "stale" | "empty" | "loading";

/** As the server judges it, carried on by our own clock. */
export const freshness = computed<Freshness>(() => {
  const state = now.value;
  if (!state) return "loading";
  if (state.freshness.state === "empty") return "empty";
  const intervals = (ageSecs.value ?? Number.POSITIVE_INFINITY) / state.freshness.interval_secs;
  if (state.freshness.state === "stale" || intervals > 6) return "stale";
  return state.freshness.state === "late" || intervals > 2 ? "late" : "live";
});

/** Whether the values on the screen may be believed to be current. */
export const trusted = computed(
  () =>
    nowFailure.value === null &&
    now.value?.database.state === "ok" &&
    (freshness.value === "live" || freshness.value === "late"),
);

/** The verdict at the top of every page; never better than what is known. */
export const verdict = computed<{ severity: Severity; text: string; since_ms: number | null }>(() => {
  const state = now.value;
  const failure = nowFailure.value;
  if (failure) {
    const since = formatClock(failure.sinceMs + offsetMs, utc.value);
    return {
      severity: "unknown",
      text: `Unknown: no answer from the dashboard server since ${since}.`,
      since_ms: failure.sinceMs,
    };
  }
  if (!state) return { severity: "unknown", text: "Loading …", since_ms: null };
  if (state.database.state === "unreachable") {
    return {
      severity: "unknown",
      text:
        state.verdict.severity === "unknown" && state.verdict.text
          ? state.verdict.text
          : "Unknown: the database does not answer.",
      since_ms: state.database.since_ms,
    };
  }
  if (freshness.value === "stale" || freshness.value === "empty") {
    const reported = state.verdict.severity === "unknown" && state.verdict.text;
    const fallback =
      freshness.value === "empty"
        ? "Unknown: no sample has been stored yet."
        : "Unknown: the data is too old to evaluate.";
    return {
      severity: "unknown",
      text: reported || fallback,
      since_ms: state.verdict.since_ms ?? state.freshness.newest_ms,
    };
  }
  return state.verdict;
});

/** All problems, those too that are too many to be listed. */
export const problemCount = computed(() =>
  Object.entries(now.value?.badges ?? {})
    // What is active among alerts is counted where it is.
    .filter(([view]) => view !== "alerts")
    .reduce((sum, [, badge]) => sum + badge.count, 0),
);

export const serverChanged = computed(
  () => meta.value !== null && now.value !== null && meta.value.version !== now.value.version,
);

export function retryAll(): void {
  nowResource.retryNow();
  if (!meta.value) metaResource.retryNow();
}

export function startStore(): void {
  metaResource.ask("meta");
  effect(() => nowResource.ask(hostQuery() ? `now?${hostQuery()}` : "now"));
  effect(() => {
    const shown = visible.value;
    metaResource.show(shown && meta.peek() === null);
    nowResource.show(shown);
  });

  let newest: number | null = null;
  let generation = "";
  let host = -1;
  now.subscribe((answer) => {
    if (!answer) return;
    batch(() => {
      offsetMs = answer.now_ms - Date.now();
      clock.value = serverNow();
      const isNew =
        answer.freshness.newest_ms !== newest || answer.generation !== generation || answer.host.id !== host;
      newest = answer.freshness.newest_ms;
      generation = answer.generation;
      host = answer.host.id;
      if (isNew) announceSample();
    });
  });

  effect(() => {
    void pulse.value;
    void urge.value;
    shownNow.value = Math.floor(serverNow() / 1000) * 1000;
  });
  onHint(() => nowResource.refresh());
  onFailure((code) => {
    // A panel noticed first; the verdict must not lag behind it.
    if (code === "database_unreachable" && now.peek()?.database.state === "ok") nowResource.refresh();
  });
  let asked = Date.now();
  effect(() => {
    if (!visible.value) return;
    const timer = setInterval(() => {
      clock.value = serverNow();
      const due = hintsArrive() ? 15_000 : 10_000;
      if (Date.now() - asked >= due) {
        asked = Date.now();
        nowResource.refresh();
      }
    }, 1000);
    return () => clearInterval(timer);
  });
  now.subscribe(() => {
    asked = Date.now();
  });
}
