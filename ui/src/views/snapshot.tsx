/**
 * Event Snapshot: everything about an instant.
 *
 * The address has the instant (`at`), the window (the range), and what led there (`finding` or `metric`). The server puts all of
 * it together once; charts ask for their series as everywhere.
 */
import { loadJson } from "../api/client";
import { useResource } from "../api/resource";
import { hostQuery, now, serverNow } from "../api/store";
import type { Snapshot, SnapshotAnswer } from "../api/types.gen";
import { Later } from "../app/later";
import { ViewLink } from "../app/link";
import { Empty, FailureNote, Skeleton } from "../app/panel";
import { Chart, type ChartSpec } from "../charts/chart";
import { formatDateTime } from "../format/time";
import { atInstant } from "../state/instant";
import { place, range, utc } from "../state/location";
import { formatAbsolute, parseInstant, resolveRange } from "../state/range";
import { formatParams, param } from "../state/url";
import { ChangedTable } from "./changed";
import { Context } from "./snapshot-context";
import { Events } from "./snapshot-events";
import { Peaks } from "./snapshot-peaks";
import { Tools } from "./snapshot-tools";
import { Tops } from "./snapshot-tops";

/** What is around the instant, in whole minutes. */
export interface Sides {
  before: number;
  after: number;
}

function sidesOf(atMs: number): Sides {
  const { fromMs, toMs } = resolveRange(range.value, serverNow());
  const minutes = (ms: number): number => Math.max(1, Math.min(60, Math.round(ms / 60_000)));
  return { before: minutes(atMs - fromMs), after: minutes(toMs - atMs) };
}

export default function SnapshotView() {
  const asked = parseInstant(param(place.value, "at") ?? "");
  if (asked?.kind !== "absolute") return <NoInstant />;
  return <At atMs={asked.atMs} />;
}

function NoInstant() {
  const newest = now.value?.freshness.newest_ms ?? null;
  return (
    <Empty height={300}>
      A snapshot shows all that is stored about an instant. Choose one: a click on a chart and another at the
      same place, Enter on a chart, a span that you drag, or “Snapshot” of a finding.{" "}
      {newest !== null && (
        <ViewLink view="snapshot" params={atInstant(newest)} class="button">
          Newest sample
        </ViewLink>
      )}
    </Empty>
  );
}

function At({ atMs }: { atMs: number }) {
  const sides = sidesOf(atMs);
  const about = (name: string): string[] => {
    const value = param(place.value, name);
    return value === null ? [] : [value];
  };
  const host = hostQuery();
  const params = formatParams({
    at: [formatAbsolute(atMs)],
    before: [String(sides.before)],
    after: [String(sides.after)],
    finding: about("finding"),
    metric: about("metric"),
  });
  const path = `snapshot?${params}${host ? `&${host}` : ""}`;
  const resource = useResource<SnapshotAnswer>(path, loadJson<SnapshotAnswer>);
  const answer = resource.data.value;
  const snapshot = answer?.snapshot ?? null;
  return (
    <>
      <p class="when">
        <time dateTime={formatAbsolute(atMs)}>{formatDateTime(atMs, utc.value, serverNow())}</time>
        <span class="muted">
          {" "}
          · −{sides.before} to +{sides.after} min, compared with the hour before
        </span>
      </p>
      <Tools atMs={atMs} sides={sides} path={path} snapshot={snapshot} />
      <FailureNote resource={resource} brief={answer !== null} />
      {answer === null && !resource.failure.value && <Skeleton height={480} />}
      {answer !== null && snapshot === null && <Empty>No collector has delivered a sample yet.</Empty>}
      {snapshot && (
        <div class={`stack${resource.outdated.value ? " outdated" : ""}`}>
          <Parts snapshot={snapshot} />
        </div>
      )}
    </>
  );
}

function Parts({ snapshot }: { snapshot: Snapshot }) {
  const isEmpty = snapshot.peaks.length === 0 && snapshot.changed.compared === 0;
  return (
    <>
      <Context snapshot={snapshot} />
      {snapshot.source !== "raw" && (
        <p class="muted">
          Samples of that time are gone; the figures are those of whole{" "}
          {snapshot.source === "daily" ? "days" : "hours"}.
        </p>
      )}
      {snapshot.notes.map((note) => (
        <p key={note} role="status">
          Not read: {note}
        </p>
      ))}
      {isEmpty ? <Empty>Nothing was sampled in this window.</Empty> : <Peaks peaks={snapshot.peaks} />}
      <div class="pair">
        {!isEmpty && <ChangedTable changed={snapshot.changed} />}
        <Events snapshot={snapshot} />
      </div>
      <Later>
        <div class="charts">
          {snapshot.charts.map((chart) => (
            <Chart key={chart.id} spec={specOf(chart)} />
          ))}
        </div>
        <Tops snapshot={snapshot} />
      </Later>
    </>
  );
}

const specs = new Map<string, ChartSpec>();

/** One object for each chart, so that it is not built anew with each answer. */
function specOf({ id, title, metrics, stacked }: Snapshot["charts"][number]): ChartSpec {
  const known = specs.get(id) ?? { id, title, metrics, stacked, legendLines: 2, limit: 4 };
  specs.set(id, known);
  return known;
}
