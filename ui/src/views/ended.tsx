/** What happened recently: changes of the host, and alerts that ended, with when and for how long. */
import { serverNow } from "../api/store";
import type { Ended, RecentChange } from "../api/types.gen";
import { ViewLink } from "../app/link";
import { SeverityMark } from "../app/shape";
import { formatClock, formatDay, formatDuration } from "../format/time";
import { keepUnits } from "../format/value";
import { atInstant } from "../state/instant";
import { utc } from "../state/location";
import { viewById } from "./registry";

export function EndedList({ ended }: { ended: readonly Ended[] }) {
  return (
    <section class="ended" aria-label="Recently ended">
      <h3>Recently ended</h3>
      <ul>
        {ended.map((one) => (
          <EndedRow key={one.id} ended={one} />
        ))}
      </ul>
    </section>
  );
}

/** Most problems begin with a change; each leads to what else changed then. */
export function ChangeList({ changes }: { changes: readonly RecentChange[] }) {
  return (
    <section class="ended" aria-label="Recently changed">
      <h3>Recently changed</h3>
      <ul>
        {changes.map(({ at_ms, text, severity }) => (
          <li key={`${at_ms} ${text}`}>
            <SeverityMark severity={severity} short />
            <ViewLink view="snapshot" params={atInstant(at_ms)} class="clip">
              {keepUnits(text)}
            </ViewLink>
            <time class="muted" dateTime={new Date(at_ms).toISOString()}>
              {formatClock(at_ms, utc.value, false)}
            </time>
          </li>
        ))}
      </ul>
    </section>
  );
}

function EndedRow({ ended: { severity, title, since_ms, ended_ms, view } }: { ended: Ended }) {
  const text = keepUnits(title);
  const isToday = formatDay(ended_ms, utc.value) === formatDay(serverNow(), utc.value);
  const clock = formatClock(ended_ms, utc.value, false);
  return (
    <li>
      <SeverityMark severity={severity} short />
      {viewById(view) ? (
        <ViewLink view={view} class="clip">
          {text}
        </ViewLink>
      ) : (
        <span class="clip">{text}</span>
      )}
      <time class="muted" dateTime={new Date(ended_ms).toISOString()}>
        {isToday ? clock : `${formatDay(ended_ms, utc.value)} ${clock}`}
        {`, after ${formatDuration((ended_ms - since_ms) / 1000)}`}
      </time>
    </li>
  );
}
