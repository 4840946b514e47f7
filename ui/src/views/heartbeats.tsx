/** How many of its heartbeats each component of the collector delivered over the range. */
import type { HeartbeatStrip } from "../api/types.gen";
import { formatClock, formatDateTime, formatDuration } from "../format/time";
import { formatValue } from "../format/value";
import { utc } from "../state/location";
import { summarise } from "./heartbeat-shares";

export function HeartbeatStrips({ strips }: { strips: readonly HeartbeatStrip[] }) {
  return (
    <section class="panel timeline" aria-label="Heartbeats">
      <header>
        <h2>Heartbeats</h2>
        <span class="muted">
          {`one each ${formatDuration(strips[0]?.every_secs ?? 0)} while the database answers`}
        </span>
      </header>
      <ul class="lanes">
        {strips.map((strip) => (
          <li key={strip.component}>
            <span class="lane-name">
              <bdi class="clip">{strip.component}</bdi>
              <span class="muted">{meanOf(strip)}</span>
            </span>
            <div class="beats" role="img" aria-label={describe(strip)}>
              {strip.shares.map((share, at) => (
                <i
                  key={`${at}`}
                  class={share === null ? "none" : undefined}
                  title={`${formatClock(strip.t0_ms + at * strip.step_ms, utc.value)}: ${share === null ? "not expected" : formatValue(100 * share, "percent")}`}
                  style={{ "--share": percentOf(share) }}
                />
              ))}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function percentOf(share: number | null): string {
  return `${Math.round(100 * (share ?? 0))}%`;
}

function meanOf({ shares, t0_ms, step_ms }: HeartbeatStrip): string {
  const summary = summarise(shares, t0_ms, step_ms);
  return summary ? formatValue(Math.floor(1000 * summary.mean) / 10, "percent") : "not expected";
}

function describe(strip: HeartbeatStrip): string {
  const summary = summarise(strip.shares, strip.t0_ms, strip.step_ms);
  if (!summary) return `${strip.component}: no heartbeats were expected in this range`;
  const silent = summary.silent
    ? `; none from ${summary.silent.map((at) => formatDateTime(at, utc.value)).join(" to ")}`
    : "";
  return `${strip.component}: ${meanOf(strip)} of the expected heartbeats${silent}`;
}
