/** Who is there now: visitors of the last five minutes, views by minute, their pages and sources. */
import { loadJson } from "../api/client";
import { useResource } from "../api/resource";
import type { TrafficCount, TrafficLive } from "../api/types.gen";
import { formatExact } from "../format/value";
import { toggleChip } from "./traffic-question";
import { TrafficRefusals } from "./traffic-refusals";

export default function TrafficNow({ site }: { site: string }) {
  const resource = useResource<TrafficLive>(
    `traffic/live?site=${encodeURIComponent(site)}`,
    loadJson<TrafficLive>,
  );
  const live = resource.data.value;
  if (!live) return null;
  const most = Math.max(1, ...live.views);
  return (
    <>
      <section class="panel traffic-live" aria-label="Now">
        <p>
          <b>{formatExact(live.visitors, "count")}</b> {live.visitors === 1 ? "visitor" : "visitors"} in the
          last five minutes
        </p>
        <div class="traffic-minutes" role="img" aria-label={minutesRead(live.views)}>
          {live.views.map((views, minute) => (
            <i
              key={minute}
              style={{ height: `${(views / most) * 100}%` }}
              title={`${views} views ${live.views.length - 1 - minute} min ago`}
            />
          ))}
        </div>
        <Counts title="Pages" dimension="page" counts={live.pages} />
        <Counts title="Sources" dimension="source" counts={live.sources} />
      </section>
      {live.refusals.length > 0 && (
        <details class="fold">
          <summary>
            <h2>Not counted in the last hour: {reasons(live.refusals.length)}</h2>
          </summary>
          <TrafficRefusals refusals={live.refusals} />
        </details>
      )}
    </>
  );
}

function reasons(count: number): string {
  return count === 1 ? "one reason" : `${count} reasons`;
}

function minutesRead(views: readonly number[]): string {
  const sum = views.reduce((all, one) => all + one, 0);
  return `${sum} views in the last ${views.length} minutes`;
}

interface CountsProps {
  title: string;
  dimension: string;
  counts: readonly TrafficCount[];
}

function Counts({ title, dimension, counts }: CountsProps) {
  if (counts.length === 0) return null;
  return (
    <div class="traffic-counts">
      <h3>{title}</h3>
      <ul>
        {counts.slice(0, 5).map(({ name, count }) => (
          <li key={name}>
            <button type="button" class="link clip" onClick={() => toggleChip({ dimension, value: name })}>
              <bdi>{name.slice(0, 80) || "none"}</bdi>
            </button>
            <b>{count}</b>
          </li>
        ))}
      </ul>
    </div>
  );
}
