/** Alerts: what is firing, what ended, what comes and goes, when, and what to do. */
import { loadJson } from "../api/client";
import { type Resource, useResource } from "../api/resource";
import { hostQuery, serverNow, trusted } from "../api/store";
import type { AlertCount, AlertsAnswer, Severity } from "../api/types.gen";
import { Card } from "../app/card";
import { Coded } from "../app/coded";
import { FailureNote, Since, Skeleton } from "../app/panel";
import { Part } from "../app/part";
import { SEVERITY_WORD } from "../app/shape";
import { formatDuration, parts } from "../format/time";
import { range, setParams, utc } from "../state/location";
import { formatParams } from "../state/url";
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";
import { TO_SNAPSHOT } from "./finding-action";
import { DEVIATION, FINDING_DETAILS } from "./finding-columns";
import { HeartbeatStrips } from "./heartbeats";

/** Columns shown in the opened row instead, and columns that are left out while empty. */
const LOOK: Look = {
  hide: [
    ...FINDING_DETAILS.filter((column) => column !== "steps"),
    ...DEVIATION,
    ...["value", "expected", "seen_ms", "source", "kind", "domain"],
  ],
  fold: /^resolved_ms$/,
  whole: ["title"],
  // What is wanted first is in view without scrolling.
  move: { figures: 6, steps: 7 },
  parts: { steps: async () => ({ default: FirstStep }) },
};

/** What to do first; the opened row has all of it. */
function FirstStep({ text }: { text: string }) {
  const [first = ""] = text.split("\n");
  return first ? <Coded text={first} /> : <span class="muted">–</span>;
}

const PROBLEMS: readonly Severity[] = ["critical", "warn"];

export default function AlertsView() {
  const resource = useAlerts();
  const answer = resource.data.value;
  return (
    <>
      <FailureNote resource={resource} brief={answer !== null} />
      {answer ? (
        <>
          {!hasActive(answer) && <NoneActive answer={answer} />}
          <Totals answer={answer} />
          <FlappingList answer={answer} />
          <Part load={() => import("./alert-timeline")} answer={answer} onSelect={select} />
        </>
      ) : (
        !resource.failure.value && <Skeleton height={300} />
      )}
      <DataTable
        name="findings"
        primary
        look={LOOK}
        action={TO_SNAPSHOT}
        detail={(row) => <Part key={row.id} load={() => import("./finding")} row={row} whole />}
      />
      <DataTable name="changes" />
      {answer && answer.heartbeats.length > 0 && <HeartbeatStrips strips={answer.heartbeats} />}
    </>
  );
}

/** The numbers of the range, whatever the table is filtered by. */
function useAlerts(): Resource<AlertsAnswer> {
  const { from, to } = range.value;
  const query = formatParams({ from: [from], to: [to], today: [String(startOfToday())] });
  const host = hostQuery();
  return useResource<AlertsAnswer>(`alerts?${query}${host ? `&${host}` : ""}`, loadJson<AlertsAnswer>);
}

/** When the reader's day began. */
function startOfToday(): number {
  const { year, hour, minute, second } = parts(serverNow(), utc.value);
  const now = Math.floor(serverNow() / 1000) * 1000;
  if (utc.value) return now - (hour * 3600 + minute * 60 + second) * 1000;
  const day = new Date(now);
  // A day on which clocks change begins at midnight, too.
  return new Date(year, day.getMonth(), day.getDate()).getTime();
}

/** Opens the row of a finding and leads there. */
function select(id: string): void {
  setParams({ sel: id, page: null });
  document.getElementById("table-findings")?.scrollIntoView();
}

function countOf(answer: AlertsAnswer, state: AlertCount["state"], severities: readonly Severity[]): number {
  return answer.counts
    .filter((one) => one.state === state && severities.includes(one.severity))
    .reduce((sum, one) => sum + one.count, 0);
}

function hasActive(answer: AlertsAnswer): boolean {
  return countOf(answer, "firing", PROBLEMS) + countOf(answer, "unknown", PROBLEMS) > 0;
}

function NoneActive({ answer: { last } }: { answer: AlertsAnswer }) {
  return (
    <div class="panel empty none-active">
      <p>
        <strong>{trusted.value ? "No active alerts." : "No alert was active at the newest sample."}</strong>{" "}
        {last ? (
          <>
            The last one ended at <Since ms={last.at_ms} />: <bdi>{last.title}</bdi>, after{" "}
            {formatDuration(last.secs)}.
          </>
        ) : (
          "None has ended yet."
        )}
      </p>
    </div>
  );
}

/** `2 critical, 1 warning`. */
function describe(answer: AlertsAnswer, state: AlertCount["state"]): string {
  return answer.counts
    .filter((one) => one.state === state)
    .map(({ severity, count }) => `${count} ${SEVERITY_WORD[severity].toLowerCase()}`)
    .join(", ");
}

function Totals({ answer }: { answer: AlertsAnswer }) {
  const isKnown = trusted.value;
  const firing = countOf(answer, "firing", PROBLEMS);
  // Whether what was firing lasts is unknown while data is old.
  const unknown = countOf(answer, "unknown", PROBLEMS) + (isKnown ? 0 : firing);
  const isCritical = countOf(answer, "firing", ["critical"]) > 0;
  const { flapping, last } = answer;
  return (
    <section class="cards two-lined" data-count={unknown > 0 ? 6 : 5} aria-label="Alerts">
      <Card
        label="Firing"
        value={isKnown ? firing : null}
        unit="count"
        severity={firing === 0 ? "ok" : isCritical ? "critical" : "warn"}
        note={isKnown ? describe(answer, "firing") : ""}
      />
      {unknown > 0 && (
        <Card
          label="No data"
          value={unknown}
          unit="count"
          severity="unknown"
          note="open, state unknown"
          isCertain
        />
      )}
      <Card
        label="Resolved today"
        value={countOf(answer, "resolved", PROBLEMS)}
        unit="count"
        severity="ok"
        note={describe(answer, "resolved")}
        isCertain
      />
      <Card
        label="Flapping"
        value={flapping.length}
        unit="count"
        severity={flapping.length > 0 ? "warn" : "ok"}
        note="3 times or more in 1 h"
        isCertain
      />
      <Card
        label="Mean time to resolve"
        value={answer.mean_secs ?? "–"}
        unit="secs"
        severity="ok"
        note={`${answer.resolved} resolved in this range`}
        isCertain
      />
      <Card
        label="Last one ended"
        value={last ? `${formatDuration(Math.max(0, (answer.now_ms - last.at_ms) / 1000))} ago` : "–"}
        unit="text"
        severity="ok"
        note={last?.title ?? ""}
        isCertain
      />
    </section>
  );
}

function FlappingList({ answer: { flapping } }: { answer: AlertsAnswer }) {
  if (flapping.length === 0) return null;
  return (
    <section class="filters" aria-label="Flapping">
      <fieldset>
        <legend>Flapping</legend>
        {flapping.map(({ id, title, times }) => (
          <button key={id} type="button" onClick={() => select(id)}>
            <bdi class="clip">{title.slice(0, 80)}</bdi>
            <b>{times}×</b>
          </button>
        ))}
      </fieldset>
    </section>
  );
}
