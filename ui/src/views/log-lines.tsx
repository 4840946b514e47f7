/**
 * The lines of logs: searched and filtered by the server, in pages that continue after a line.
 *
 * Everything is in the address: `q`, `f.level`, `f.source`, `pattern`, which page (`before`, `after`,
 * `around`), the open line (`sel`), `wrap` and `follow`. The content of a line is always shown as text.
 */
import { batch } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { apiUrl, getJson, loadJson } from "../api/client";
import { useResource } from "../api/resource";
import { hostQuery, trusted } from "../api/store";
import type { LogRow, LogsAnswer, TableAnswer, TableMeta } from "../api/types.gen";
import { Empty, FailureNote, Skeleton, whyEmpty } from "../app/panel";
import { useNear } from "../charts/near";
import { formatClock } from "../format/time";
import { formatExact } from "../format/value";
import { pauseReason, visible } from "../state/live";
import { place, range, rangeIsLive, setParams, setRange, utc } from "../state/location";
import { absoluteRange } from "../state/range";
import { param } from "../state/url";
import { tableAddress } from "../tables/query";
import { Filters, SearchField } from "../tables/tools";
import { Line } from "./log-line";
import { FIRST_PAGE, follow, joinLines, linesPath, PAGES } from "./log-query";

const META = {
  filters: [
    {
      id: "level",
      label: "Level",
      values: ["error", "warn", "info", "debug"].map((id) => ({ id, label: id })),
    },
    { id: "source", label: "Source", values: [] },
  ],
} as unknown as TableMeta;
const ADDRESS = tableAddress("");
/** Another question begins on its first page. */
const CHANGED = {
  ...ADDRESS,
  write: (changes: Parameters<typeof ADDRESS.write>[0]) =>
    batch(() => {
      setParams(FIRST_PAGE);
      ADDRESS.write(changes);
    }),
  toggleFilter: (filter: string, value: string) =>
    batch(() => {
      setParams(FIRST_PAGE);
      ADDRESS.toggleFilter(filter, value);
    }),
};
const ALL_LINES = { ...FIRST_PAGE, q: null, pattern: null, "f.level": null, "f.source": null };
/** A source that is read for the first time may bring lines of years. */
const NO_LINE =
  "No log lines in this range. Lines are listed at their own time; the charts count them when they are read.";
const FOLLOW_MS = 2000;
/** A search reads every line; asked again by itself no more often than this. */
const SEARCH_REST_MS = 60_000;

export default function LogLines({ sources }: { sources: readonly string[] }) {
  const root = useRef<HTMLElement>(null);
  const box = useRef<HTMLElement>(null);
  const near = useNear(root);
  const [isHeld, setHeld] = useState(false);
  const [isScrolled, setScrolled] = useState(false);
  const held = place.value;
  const { q, filters } = ADDRESS.read(META, 0);
  const pattern = param(held, "pattern");
  const selected = param(held, "sel");
  const isFirst = PAGES.every((name) => param(held, name) === null);
  const path = linesPath(held, range.value, hostQuery());
  const searched = useRef(q);
  searched.current = q;
  const resource = useResource<{ path: string; answer: LogsAnswer }>(
    near ? path : null,
    async (url, held, signal) => ({
      path: url,
      answer: await loadJson<LogsAnswer>(url, held?.answer ?? null, signal),
    }),
    () => (searched.current ? SEARCH_REST_MS : 0),
  );
  const answer = resource.data.value?.answer ?? null;
  // Taken from the answer: the question of this rendering has not been sent yet.
  const isOutdated = answer !== null && resource.data.value?.path !== path;

  const wantsFollow = param(held, "follow") !== null && isFirst;
  const isFollowing =
    wantsFollow && rangeIsLive.value && !isScrolled && pauseReason.value === "" && visible.value;
  const [fresh, setFresh] = useState<{ path: string; rows: LogRow[] }>({ path, rows: [] });
  useEffect(() => {
    if (!isFollowing || !near) return;
    const stop = new AbortController();
    const timer = setInterval(() => {
      getJson<LogsAnswer>(follow(path), stop.signal).then(
        ({ rows }) =>
          setFresh((last) => ({ path, rows: last.path === path ? joinLines(rows, last.rows) : rows })),
        // The panel shows the failure; the next turn tries again.
        () => undefined,
      );
    }, FOLLOW_MS);
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, [isFollowing, near, path]);

  const newest = useMemo(
    () => (answer ? joinLines(isFirst && fresh.path === path ? fresh.rows : [], answer.rows) : []),
    [answer, fresh, isFirst, path],
  );
  // While a line is open or pointed at, or the list is scrolled down, lines stay where they are.
  const shown = useRef<{ path: string; rows: LogRow[] }>({ path: "", rows: [] });
  const mayMove =
    shown.current.path !== path || !(isScrolled || selected !== null || (isHeld && !wantsFollow));
  if (answer && !isOutdated && mayMove) shown.current = { path, rows: newest };
  const rows = shown.current.rows;
  const known = new Set(rows.map((row) => row.id));
  const waiting = isOutdated ? 0 : newest.filter((row) => !known.has(row.id)).length;

  // A page with nothing newer in front is the first one; a search that found nothing yet goes on.
  useEffect(() => {
    if (!answer || isOutdated) return;
    if (param(held, "after") !== null && answer.newer === null) setParams(FIRST_PAGE);
    else if (answer.rows.length === 0 && answer.searched_ms !== null) goTo("before", answer.older);
  }, [answer, isOutdated]);
  useEffect(() => {
    if (answer && param(held, "around"))
      root.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "center" });
    else box.current?.scrollTo(0, 0);
  }, [path, answer === null || isOutdated]);

  const shownMeta = useMemo(() => {
    const values = [...new Set([...sources, ...Object.keys(answer?.facets.source ?? {})])];
    const [level, source] = META.filters;
    return {
      ...META,
      filters: [
        level,
        { ...source, values: values.length > 1 ? values.map((id) => ({ id, label: id })) : [] },
      ],
    } as TableMeta;
  }, [sources.join("\n"), answer]);
  const isCounted = answer !== null && answer.matched !== null;
  const isFiltered =
    q !== "" || pattern !== null || Object.values(filters).some((values) => values.length > 0);
  const clear = (): void => setParams(ALL_LINES);
  const toggle = (name: string) => (
    <button
      type="button"
      class="button"
      aria-pressed={param(held, name) !== null}
      onClick={() => setParams({ [name]: param(held, name) === null ? "1" : null })}
    >
      {name === "wrap" ? "Wrap" : "Follow"}
    </button>
  );
  return (
    <section
      ref={root}
      id="log-lines"
      class={`panel table-panel${trusted.value ? "" : " grey"}`}
      aria-label="Lines"
    >
      <header>
        <h2>Lines</h2>
        <SearchField value={q} label="Search lines" onSearch={(text) => CHANGED.write({ q: text })} />
        {answer && (
          <span class="count muted" role="status">
            {isCounted ? formatExact(answer.matched, "count") : isOutdated ? "Searching …" : ""}
          </span>
        )}
        <span class="grow" />
        {isFirst && rangeIsLive.value && toggle("follow")}
        {toggle("wrap")}
        <a class="button" href={apiUrl(linesPath(held, range.value, hostQuery(), "csv"))} download="logs.csv">
          CSV
        </a>
      </header>
      <Filters
        meta={shownMeta}
        question={{ sort: "", q, filters, page: 0, limit: 0 }}
        answer={
          isCounted ? ({ facets: answer.facets, filter_severities: {} } as unknown as TableAnswer) : null
        }
        address={CHANGED}
      />
      {pattern !== null && (
        <p class="note">
          Only lines of one pattern.{" "}
          <button
            type="button"
            class="button small"
            onClick={() => setParams({ ...FIRST_PAGE, pattern: null })}
          >
            All lines
          </button>
        </p>
      )}
      <FailureNote resource={resource} brief={answer !== null} />
      {answer === null && !resource.failure.value && <Skeleton height={320} />}
      {answer && waiting > 0 && (
        <button
          type="button"
          class="button order"
          onClick={() => {
            shown.current = { path, rows: newest };
            box.current?.scrollTo(0, 0);
            setScrolled(false);
            setHeld(false);
          }}
        >
          {waiting} new · show
        </button>
      )}
      {answer && rows.length === 0 && !isOutdated && (
        <Empty height={120}>
          {isFiltered ? "No lines match. " : whyEmpty(NO_LINE)}
          {isFiltered && (
            <button type="button" class="button" onClick={clear}>
              Clear filter
            </button>
          )}
        </Empty>
      )}
      {rows.length > 0 && (
        <section
          ref={box}
          class={`scroll lines${isOutdated ? " outdated" : ""}${param(held, "wrap") === null ? "" : " wrap"}`}
          tabIndex={0}
          aria-label="Lines, newest first"
          onPointerEnter={(event) => event.pointerType === "mouse" && setHeld(true)}
          onPointerLeave={() => setHeld(false)}
          onScroll={(event) => setScrolled(event.currentTarget.scrollTop > 4)}
        >
          <ol>
            {rows.map((row) => (
              <Line
                key={row.id}
                row={row}
                isOpen={row.id === selected}
                isMarked={row.id === param(held, "around")}
                onToggle={() => setParams({ sel: row.id === selected ? null : row.id })}
                onAround={() => showAround(row)}
                onPattern={() => {
                  clear();
                  setParams({ pattern: row.fingerprint, sel: null });
                }}
              />
            ))}
          </ol>
        </section>
      )}
      {answer && (!isFirst || answer.older !== null) && (
        <footer class="pager">
          <button type="button" class="button small" disabled={isFirst} onClick={() => setParams(FIRST_PAGE)}>
            Newest
          </button>
          <button
            type="button"
            class="button small"
            disabled={answer.newer === null}
            onClick={() => goTo("after", answer.newer)}
          >
            Newer
          </button>
          <button
            type="button"
            class="button small"
            disabled={answer.older === null}
            onClick={() => goTo("before", answer.older)}
          >
            {answer.searched_ms === null ? "Older" : "Search further back"}
          </button>
          {answer.searched_ms !== null && (
            <span class="muted" role="status">
              searched back to {formatClock(answer.searched_ms, utc.value)}
            </span>
          )}
        </footer>
      )}
    </section>
  );
}

function goTo(name: (typeof PAGES)[number], at: string | null): void {
  if (at !== null) setParams({ ...FIRST_PAGE, [name]: at });
}

/** The minute before and after a line, with nothing filtered away. */
function showAround(row: LogRow): void {
  batch(() => {
    setRange(absoluteRange(row.ts_ms - 60_000, row.ts_ms + 60_000));
    setParams({ ...ALL_LINES, follow: null, around: row.id, sel: row.id });
  });
}
