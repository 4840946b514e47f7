/**
 * What is wrong, each with since when, by whom, and what to do.
 *
 * Nothing in it moves by itself. On a wide screen the list is the last thing in its column; on a narrow one
 * it has as much room as it needed when it was opened. Rows keep their places (`places.ts`), and the texts
 * of a row the lines they took first, until the reader asks for the current list, leaves the page, or
 * changes its width. What ended recently stands behind the problems of when it was first shown, and stays as it was;
 * problems that come later stand behind it.
 */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { metricWithKey } from "../api/series";
import { metricsById, now, problemCount, serverNow, trusted, verdict } from "../api/store";
import type { Ended, Now, Problem, RecentChange } from "../api/types.gen";
import { Coded } from "../app/coded";
import { ViewLink } from "../app/link";
import { Since } from "../app/panel";
import { Part } from "../app/part";
import { SeverityMark } from "../app/shape";
import { formatClock } from "../format/time";
import { formatLatest, formatValue, keepUnits } from "../format/value";
import { atInstant } from "../state/instant";
import { utc } from "../state/location";
import { Effects } from "./effects";
import { ChangeList, EndedList } from "./ended";
import { isRearranged, keepPlaces, type Placed } from "./places";
import { pickOf, viewById } from "./registry";

interface Held {
  rows: readonly Placed<Problem>[];
  ended: readonly Ended[];
  changes: readonly RecentChange[];
  /** How many rows stand before the ended ones; null while none are shown. */
  endedAt: number | null;
  answer: Now | null;
  /** The page was hidden: the next answer is shown as it is. */
  isUnseen: boolean;
  /** Of the list as a whole: rows of another one are other rows. */
  version: number;
}

const NOTHING = { rows: [], ended: [], changes: [], endedAt: null, answer: null, isUnseen: false };

export function Problems() {
  const root = useRef<HTMLElement>(null);
  const held = useRef<Held>({ ...NOTHING, version: 0 });
  const [, redraw] = useState(0);
  const apply = (): void => {
    held.current = { ...NOTHING, version: held.current.version + 1 };
    redraw(held.current.version);
  };
  useEffect(() => {
    let width = innerWidth;
    const onResize = (): void => {
      if (innerWidth === width) return;
      width = innerWidth;
      apply();
    };
    const onHidden = (): void => {
      held.current.isUnseen ||= document.hidden;
    };
    addEventListener("resize", onResize);
    document.addEventListener("visibilitychange", onHidden);
    return () => {
      removeEventListener("resize", onResize);
      document.removeEventListener("visibilitychange", onHidden);
    };
  }, []);
  const problems = now.value?.problems ?? [];
  if (held.current.answer !== now.value) {
    const { isUnseen, version } = held.current;
    const last = isUnseen ? NOTHING : held.current;
    const rows = keepPlaces(last.rows, problems, serverNow(), last.endedAt ?? 0);
    const isFirst = last.endedAt === null;
    const ended = isFirst ? (now.value?.ended ?? []) : last.ended;
    held.current = {
      rows,
      ended,
      changes: isFirst ? (now.value?.changes ?? []) : last.changes,
      endedAt: isFirst && ended.length > 0 ? rows.length : last.endedAt,
      answer: now.value,
      isUnseen: false,
      version: version + Number(isUnseen),
    };
  }
  const { rows, ended, changes, endedAt, version } = held.current;
  useLayoutEffect(() => holdLines(root.current));
  useLayoutEffect(() => holdRoom(root.current), [version]);
  const hidden = problemCount.value - problems.length;
  const later = rows.slice(endedAt ?? rows.length);
  const isOther = later.length > 0 || isRearranged(rows, problems) || rows.some(hasMore);
  const draw = ({ item, first, goneMs }: Placed<Problem>) => (
    <ProblemRow key={`${version} ${item.id}`} problem={item} first={first} isGone={goneMs !== null} />
  );
  return (
    <section ref={root} class="problem-room" aria-label="Problems">
      <header>
        <h2>Problems</h2>
        {hidden > 0 && <span class="muted clip">{`${hidden} less urgent in their views`}</span>}
        {isOther && (
          <button type="button" class="button small" onClick={apply}>
            List changed · apply
          </button>
        )}
      </header>
      {rows.length === 0 && verdict.value.severity === "ok" && <p class="muted">Nothing needs attention.</p>}
      <ul class="problems">{rows.slice(0, endedAt ?? rows.length).map(draw)}</ul>
      {changes.length > 0 && <ChangeList changes={changes} />}
      {ended.length > 0 && <EndedList key={version} ended={ended} />}
      {later.length > 0 && <ul class="problems">{later.map(draw)}</ul>}
    </section>
  );
}

/** Gives texts that have just come the number of lines they take, for as long as they are shown. */
function holdLines(root: HTMLElement | null): void {
  const fresh = [...(root?.querySelectorAll<HTMLElement>(".held:not([style])") ?? [])];
  const lines = fresh.map((text) =>
    Math.round(text.offsetHeight / Number.parseFloat(getComputedStyle(text).lineHeight)),
  );
  for (const [at, text] of fresh.entries()) text.style.setProperty("--lines", `${lines[at]}`);
}

/** Gives the list the height it takes. */
function holdRoom(root: HTMLElement | null): void {
  if (!root) return;
  root.style.height = "";
  root.style.height = `${root.offsetHeight}px`;
}

/** Problems of the data themselves are known however old the data are. */
function isCertain(problem: Problem): boolean {
  return problem.id === (now.value?.database.state === "ok" ? "agent" : "database");
}

/** Whether more is known of a problem than its row has room for: who is to blame, a command, what follows from it. */
function hasMore({ item, first }: Placed<Problem>): boolean {
  const { cause, command, effects } = first;
  return (
    (!cause && item.cause !== "") ||
    (!command && item.command !== "") ||
    (effects.length === 0 && item.effects.length > 0)
  );
}

/** Figures of this age are shown with their time, as in the command's list. */
const OLD_MS = 30_000;

/** Of when the figures of a problem are, if newer samples are known. */
function datedMs({ as_of_ms }: Problem): number | null {
  const newest = now.value?.freshness.newest_ms ?? null;
  return as_of_ms !== null && newest !== null && newest - as_of_ms >= OLD_MS ? as_of_ms : null;
}

/** The snapshot of when a problem began; what the server judges itself is not a stored finding. */
function aboutProblem({ finding }: Problem, sinceMs: number): Record<string, string> {
  return atInstant(sinceMs, finding === null ? {} : { finding });
}

interface RowProps {
  problem: Problem;
  /** What the row consists of is settled when it is first shown. */
  first: Problem;
  isGone: boolean;
}

function ProblemRow({ problem, first, isGone }: RowProps) {
  const isUnknown = problem.unknown_since_ms !== null;
  const isOld = isGone || isUnknown || (!trusted.value && !isCertain(problem));
  const unit = metricsById.value.get(problem.metric)?.unit ?? "count";
  // Its title states all there is.
  const isState = unit === "bool";
  const view = viewById(problem.view);
  const { current, value, unknown_since_ms: unknownMs } = problem;
  const asOf = isUnknown ? null : datedMs(problem);
  const facts = [
    value === null
      ? ""
      : `${isUnknown || asOf !== null ? "last" : "now"} ${formatLatest(current ?? value, unit)}`,
    current === null || value === null ? "" : `mean ${formatLatest(value, unit)}`,
    problem.level === null ? "" : `threshold ${formatValue(problem.level, unit)}`,
  ];
  return (
    <li class={`problem panel ${problem.severity}${isOld ? " grey" : ""}`}>
      <div class="what">
        <p class="state">
          {isGone && trusted.value ? (
            <SeverityMark severity="unknown" text="Resolved" />
          ) : (
            <SeverityMark severity={problem.severity} />
          )}
          <span class="muted clip">
            {unknownMs === null ? (
              <Since
                ms={problem.since_ms}
                words="since "
                then={asOf === null ? "" : `, figures of ${formatClock(asOf, utc.value)}`}
              />
            ) : (
              <Since ms={unknownMs} words="no data since " />
            )}
          </span>
        </p>
        <strong class="held">{keepUnits(problem.title)}</strong>
        {!isState && (first.value ?? first.level) !== null && (
          <span class="muted clip">{facts.filter(Boolean).join(", ")}</span>
        )}
        {first.cause && <bdi class="cause held">{problem.cause}</bdi>}
        {first.fix && (
          <span class="fix held">
            {/* A step that introduces a command needs it. */}
            Do next: <Coded text={problem.command && !first.command ? first.fix : problem.fix} />
          </span>
        )}
        {first.command && (
          <div class="command-room">
            {problem.command && (
              <Part
                key={problem.command}
                load={() => import("../tables/command")}
                text={problem.command}
                name="command"
              />
            )}
          </div>
        )}
        {first.effects.length > 0 && <Effects effects={problem.effects} rows={first.effects.length} />}
      </div>
      <div class="ways">
        {first.value !== null && !isState && (
          <div class="spark">
            <Part
              load={() => import("../charts/spark")}
              metric={metricWithKey(problem.metric, problem.key)}
              level={problem.level}
            />
          </div>
        )}
        {problem.since_ms !== null && (
          <ViewLink view="snapshot" params={aboutProblem(problem, problem.since_ms)} class="button">
            Snapshot
          </ViewLink>
        )}
        {view && (
          <ViewLink view={view.id} params={pickOf(problem)} class="button">
            Go to {view.title}
          </ViewLink>
        )}
      </div>
    </li>
  );
}
