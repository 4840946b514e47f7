/**
 * The states every panel can be in.
 *
 * A panel shows its last answer as long as it has one; a failure is shown above it. Without an
 * answer it shows a skeleton of its final height (after 150 ms, so fast answers do not flicker), or
 * what failed, since when, and when it tries again.
 */
import type { ComponentChildren } from "preact";
import type { Resource } from "../api/resource";
import { clock, freshness, now, serverNow } from "../api/store";
import { formatAgo, formatClock, withoutTime } from "../format/time";
import { utc } from "../state/location";

export function FailureNote<T>({ resource, brief = false }: { resource: Resource<T>; brief?: boolean }) {
  const failure = resource.failure.value;
  if (!failure) return null;
  // Read so that the countdown ticks.
  void clock.value;
  // The server's own since is on its clock, ours on ours.
  const sinceMs =
    failure.code === "database_unreachable" ? failure.sinceMs : failure.sinceMs + serverNow() - Date.now();
  return (
    <div class={`failure${brief ? " brief" : ""}`} role="status">
      <span>
        <strong>{FAILURE_WORDS[failure.code] ?? "Loading failed"}</strong>
        {[
          "",
          withoutTime(failure.message),
          `since ${formatClock(sinceMs, utc.value)}`,
          retryWords(failure.retryAtMs),
        ]
          .filter((part, at) => at === 0 || part !== "")
          .join(" · ")}
      </span>
      <button type="button" class="button small" onClick={() => resource.retryNow()}>
        Retry now
      </button>
    </div>
  );
}

/** When something is tried again by itself, in words. */
export function retryWords(atMs: number): string {
  if (atMs === Number.POSITIVE_INFINITY) return "";
  const wait = Math.ceil((atMs - Date.now()) / 1000);
  return wait > 0 ? `retry in ${wait} s` : "retrying …";
}

const FAILURE_WORDS: Record<string, string> = {
  unreachable: "Server unreachable",
  database_unreachable: "Database unreachable",
  timeout: "Request timed out",
  bad_request: "Request rejected",
  not_found: "Not found",
  foreign_host: "Host name rejected",
};

/** `still` where it is off the screen. */
export function Skeleton({ height, still = false }: { height: number; still?: boolean }) {
  return (
    <div class={`skeleton${still ? " still" : ""}`} style={{ height: `${height}px` }} role="status">
      <span class="unseen">Loading</span>
    </div>
  );
}

export function Empty({ children, height }: { children: ComponentChildren; height?: number | undefined }) {
  return (
    <div class="empty" style={height === undefined ? undefined : { minHeight: `${height}px` }}>
      <p>{children}</p>
    </div>
  );
}

/** What to do about a part of the pages that does not arrive. */
export function Unloaded({ what, height }: { what: string; height?: number | undefined }) {
  return (
    <Empty height={height}>
      {what} could not be loaded; the server may be of another version.{" "}
      <button type="button" class="button" onClick={() => location.reload()}>
        Reload
      </button>
    </Empty>
  );
}

/** So long a host is young: rates need two samples, and some statistics are read every minute or seldomer. */
const YOUNG_MS = 120_000;

/** Returns whether the host has reported for so short a time that missing data proves nothing. */
export function isYoung(): boolean {
  const state = now.value;
  return state !== null && state.now_ms - (state.host.first_ms ?? state.now_ms) < YOUNG_MS;
}

/** Returns why a panel is empty, as far as the current state explains it. */
export function whyEmpty(otherwise: string): string {
  if (freshness.value === "empty") return "No sample has been stored yet. Is the collector running?";
  return otherwise;
}

interface SinceProps {
  ms: number | null;
  words?: string;
  /** What follows. */
  then?: string;
}

export function Since({ ms, words = "", then = "" }: SinceProps) {
  if (ms === null) return null;
  return (
    <time dateTime={new Date(ms).toISOString()}>
      {/* One text: parts of it that grow would move those behind them. */}
      {`${words}${formatClock(ms, utc.value)} (${formatAgo(ms, clock.value)})${then}`}
    </time>
  );
}
