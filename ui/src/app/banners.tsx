/** What is wrong with the picture itself: server, database, collector, age, version. */
import {
  ageSecs,
  clock,
  freshness,
  metaFailure,
  now,
  nowFailure,
  retryAll,
  serverChanged,
} from "../api/store";
import type { AgentState, Severity } from "../api/types.gen";
import { formatClock, formatDuration, withoutTime } from "../format/time";
import { utc } from "../state/location";
import { retryWords } from "./panel";
import { Shape } from "./shape";

export function Banners() {
  const state = now.value;
  const failure = nowFailure.value ?? (state ? null : metaFailure.value);
  const shown: { severity: Severity; text: string; action?: [string, () => void] }[] = [];
  if (serverChanged.value) {
    shown.push({
      severity: "info",
      text: "The server was updated to a new version.",
      action: ["Reload", () => location.reload()],
    });
  }
  if (failure) {
    void clock.value;
    const words = retryWords(failure.retryAtMs);
    shown.push({
      severity: "critical",
      text: `${failure.message}.${state ? " Values shown are the last known." : ""} ${words && `${words.charAt(0).toUpperCase()}${words.slice(1).replace(/s$/, "s.")}`}`,
      action: ["Retry now", retryAll],
    });
  } else if (state) {
    const newest = state.freshness.newest_ms;
    const until = newest === null ? "" : `, showing data until ${formatClock(newest, utc.value)}`;
    if (state.database.state === "unreachable") {
      const since = state.database.since_ms;
      // What the collector holds was counted when the database still took it.
      const reason = withoutTime(state.database.message).replace(/^the database has not answered\.?$/i, "");
      shown.push({
        severity: "critical",
        text: `Database unreachable${since === null ? "" : ` since ${formatClock(since, utc.value)}`}${until}. The collector queues its samples. ${reason}`.trimEnd(),
      });
    } else if (freshness.value === "stale") {
      const heartbeat = state.agent.heartbeat_ms;
      const silent = heartbeat === null ? null : (clock.value - heartbeat) / 1000;
      // Where data were read, so was their collector's state.
      const agent = {
        running: "The collector reports that it is running",
        silent: silent === null ? "No heartbeat" : `No heartbeat for ${formatDuration(silent)}`,
        stopped: "The collector was stopped",
        never: "No collector has reported yet",
      }[state.agent.state as Exclude<AgentState, "unknown">];
      shown.push({
        severity: "warn",
        text: `Data is ${formatDuration(ageSecs.value ?? 0)} old${until}. ${agent}.`,
      });
    } else if (freshness.value === "empty") {
      shown.push({
        severity: "unknown",
        text: "The database holds no sample of this host yet. The first one arrives one interval after the collector starts.",
      });
    }
  }
  if (shown.length === 0) return null;
  return (
    <div class="banners">
      {shown.map(({ severity, text, action }) => (
        <div
          key={text.slice(0, 12)}
          class={`banner ${severity}`}
          role={severity === "critical" ? "alert" : "status"}
        >
          <Shape severity={severity} />
          <span>{text}</span>
          {action && (
            <button type="button" class="button small" onClick={action[1]}>
              {action[0]}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
