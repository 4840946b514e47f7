/**
 * Series of metrics over the range on the screen.
 *
 * The question is the address without a cursor; while it stays the same, only what came after the
 * cursor is asked for and merged. What cannot be merged is fetched whole.
 */
import { range } from "../state/location";
import { parseInstant, type Range, resolveRange } from "../state/range";
import { getJson, refreshJson } from "./client";
import { mergeSeries } from "./merge";
import { type Resource, useResource } from "./resource";
import { hostQuery, meta, metricsById, serverNow } from "./store";
import type { SeriesAnswer } from "./types.gen";

export interface SeriesQuestion {
  /** `system.load_1`, or `mount.used_pct@/` for one key. */
  metrics: readonly string[];
  px: number;
  limit?: number | undefined;
  /** Of keyed metrics only this key and those that begin with it and a dot. */
  keyPrefix?: string | undefined;
  /** Instead of the range on the screen. */
  range?: Range;
}

/** Inside a list only what would end or change the key is encoded; the query encodes the rest. */
export function metricWithKey(metric: string, key: string | null): string {
  return key === null ? metric : `${metric}@${key.replace(/[%,]/g, encodeURIComponent)}`;
}

/** How often the most frequent of some metrics is sampled, in seconds. */
export function everySecs(metrics: readonly string[]): number {
  const known = metrics.map((id) => metricsById.peek().get(id.split("@", 1)[0] ?? "")?.every_secs ?? 0);
  return Math.max(meta.peek()?.interval_secs ?? 5, Math.min(...known));
}

/**
 * As many buckets as there can be samples, so that the grid is not finer than the data; twice as many
 * for what is sampled seldom, as its samples are distinguished and joined by their real distance.
 */
function fitBuckets({ px, metrics }: SeriesQuestion, asked: Range): number {
  const { fromMs, toMs } = resolveRange(asked, serverNow());
  const every = everySecs(metrics);
  const samples = Math.ceil((toMs - fromMs) / ((every > 60 ? every / 2 : every) * 1000));
  return Math.max(10, Math.min(2000, Math.round(px / 20) * 20, samples));
}

export function seriesPath(question: SeriesQuestion): string {
  const asked = question.range ?? range.value;
  const host = hostQuery();
  return [
    `series?m=${encodeURIComponent(question.metrics.join(",")).replace(/%2C/g, ",").replace(/%40/g, "@")}`,
    `from=${encodeURIComponent(asked.from)}`,
    `to=${encodeURIComponent(asked.to)}`,
    `px=${fitBuckets(question, asked)}`,
    ...(question.limit === undefined ? [] : [`limit=${question.limit}`]),
    ...(question.keyPrefix === undefined ? [] : [`key_prefix=${encodeURIComponent(question.keyPrefix)}`]),
    ...(host ? [host] : []),
  ].join("&");
}

export async function loadSeries(
  path: string,
  held: SeriesAnswer | null,
  signal: AbortSignal,
): Promise<SeriesAnswer> {
  if (held?.cursor) {
    const answer = await refreshJson<SeriesAnswer>(
      `${path}&since=${encodeURIComponent(held.cursor)}`,
      signal,
    );
    const merged = mergeSeries(held, answer, startOf(path, answer.now_ms));
    if (merged) return merged;
  }
  return getJson<SeriesAnswer>(path, signal);
}

/** Where the range of a path begins when the server's clock reads `nowMs`. */
function startOf(path: string, nowMs: number): number {
  const from = parseInstant(new URLSearchParams(path.slice(path.indexOf("?"))).get("from") ?? "");
  if (!from) return Number.NEGATIVE_INFINITY;
  return from.kind === "absolute" ? from.atMs : nowMs - from.backMs;
}

/** A bucket of a month hardly moves in five seconds; half a minute is the longest wait. */
function rest(answer: SeriesAnswer): number {
  return Math.min(30_000, answer.step_ms / 4);
}

export function useSeries(question: SeriesQuestion | null): Resource<SeriesAnswer> {
  return useResource(question ? seriesPath(question) : null, loadSeries, rest);
}
