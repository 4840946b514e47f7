/** What happened in the window, in one list: findings, lines of logs, changes of the host, gaps. */
import type { Snapshot, SnapshotEvent } from "../api/types.gen";
import { ViewLink } from "../app/link";
import { SeverityMark } from "../app/shape";
import { formatClock } from "../format/time";
import { keepUnits } from "../format/value";
import { atInstant } from "../state/instant";
import { utc } from "../state/location";
import { type SimpleRow, SimpleTable } from "./simple-table";

const KINDS: Readonly<Record<string, string>> = {
  alert: "Alert",
  insight: "Insight",
  recommendation: "Advice",
  change: "Change",
  gap: "Gap",
  log: "Log",
};

export function Events({ snapshot: { events, more_events } }: { snapshot: Snapshot }) {
  const said =
    events.length === 0
      ? "No finding, error, warning, change or gap."
      : more_events > 0 && `${more_events} more are left out.`;
  return (
    <SimpleTable
      title="What happened"
      said={said}
      heads={["Time", "Kind", "Source", "Event"]}
      rows={events.map(rowOf)}
    />
  );
}

function rowOf(event: SnapshotEvent, at: number): SimpleRow {
  const text = <bdi>{keepUnits(event.text)}</bdi>;
  return {
    key: `${event.kind} ${event.at_ms} ${event.finding ?? event.pattern ?? at}`,
    cells: [
      formatClock(event.at_ms, utc.value),
      <SeverityMark key="kind" severity={event.severity} text={KINDS[event.kind] ?? event.kind} />,
      <bdi key="source">{event.source.slice(0, 60)}</bdi>,
      <>
        {event.times > 1 && <b>{event.times}× </b>}
        {event.finding !== null ? (
          <ViewLink view="snapshot" params={atInstant(event.at_ms, { finding: event.finding })}>
            {text}
          </ViewLink>
        ) : event.pattern !== null ? (
          <ViewLink view="logs" params={{ pattern: event.pattern }}>
            {text}
          </ViewLink>
        ) : (
          text
        )}
      </>,
    ],
  };
}
