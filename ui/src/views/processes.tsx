/** Processes: what is wrong with them, who uses most, and each one's own history. */

import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { metricWithKey } from "../api/series";
import { tablesByName } from "../api/store";
import type { TableRow } from "../api/types.gen";
import { Chart, type ChartSpec } from "../charts/chart";
import { formatDateTime } from "../format/time";
import { place, setParams, utc } from "../state/location";
import { param } from "../state/url";
import { Details } from "../tables/body";
import { CountCards } from "../tables/count-cards";
import type { TableQuestion } from "../tables/query";
import { DataTable } from "../tables/table";
import { explainState } from "./process-state";

const TOP: readonly ChartSpec[] = [
  {
    id: "top-cpu",
    title: "CPU, top 8 programs",
    metrics: ["process.cpu_pct"],
    stacked: true,
    limit: 8,
    levelsOf: null,
  },
  {
    id: "top-rss",
    title: "Memory (RSS), top 8 programs",
    metrics: ["process.rss_bytes"],
    stacked: true,
    limit: 8,
    levelsOf: null,
  },
];

/** The rows last shown, for the panel of the selected one. */
const lastRows = signal<readonly TableRow[]>([]);

export default function ProcessesView() {
  const selected = param(place.value, "sel");
  const meta = tablesByName.value.get("processes");
  return (
    <>
      {meta && <CountCards meta={meta} filter="issue" label="Processes by issue" of={NO_FILTER} />}
      <div class="charts">
        {TOP.map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
      </div>
      <DataTable
        name="processes"
        primary
        selected={selected}
        onSelect={(row) => setParams({ sel: row.id === selected ? null : row.id })}
      >
        {(answer) => <RowKeeper rows={answer.rows} />}
      </DataTable>
      {selected !== null && <ProcessPanel id={selected} />}
    </>
  );
}

/** Of the whole host. */
const NO_FILTER: TableQuestion = { sort: "-cpu_pct", q: "", filters: {}, page: 0, limit: 25 };

function RowKeeper({ rows }: { rows: readonly TableRow[] }) {
  useEffect(() => {
    lastRows.value = rows;
  }, [rows]);
  return null;
}

const HISTORY: readonly [string, string, readonly string[]][] = [
  ["one-cpu", "CPU", ["process_one.cpu_pct"]],
  ["one-rss", "Memory (RSS)", ["process_one.rss_bytes"]],
  ["one-io", "Disk reads and writes", ["process_one.read_bytes_per_sec", "process_one.write_bytes_per_sec"]],
  ["one-fds", "Open descriptors", ["process_one.fd_count"]],
  ["one-threads", "Threads", ["process_one.thread_count"]],
];

const NAMES: Readonly<Record<string, string>> = {
  "process_one.cpu_pct": "CPU",
  "process_one.rss_bytes": "Memory (RSS)",
  "process_one.read_bytes_per_sec": "Reads",
  "process_one.write_bytes_per_sec": "Writes",
  "process_one.fd_count": "Descriptors",
  "process_one.thread_count": "Threads",
};

function ProcessPanel({ id }: { id: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const opener = useRef<Element | null>(null);
  const meta = tablesByName.value.get("processes");
  const row = lastRows.value.find((one) => one.id === id);
  const [pid = id] = id.split(".");
  const cellOf = (column: string): string | null => {
    const at = meta?.columns.findIndex((one) => one.id === column) ?? -1;
    const cell = row?.cells[at];
    return cell === null || cell === undefined ? null : String(cell);
  };
  useLayoutEffect(() => {
    opener.current = document.activeElement;
    heading.current?.focus({ preventScroll: true });
  }, [id]);
  const close = (): void => {
    setParams({ sel: null });
    if (opener.current instanceof HTMLElement) opener.current.focus({ preventScroll: true });
  };
  const state = cellOf("state");
  const name = cellOf("process_name") ?? cellOf("name") ?? "Process";
  const started = cellOf("started_ms");
  return (
    <aside
      class="drawer"
      aria-label="Process"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.defaultPrevented) return;
        event.stopPropagation();
        close();
      }}
    >
      <header>
        <h2 ref={heading} tabIndex={-1} class="clip">
          <bdi>{name.slice(0, 120)}</bdi>
        </h2>
        <span class="grow" />
        <button type="button" class="button" onClick={close}>
          Close
        </button>
      </header>
      <p class="muted">
        Process {pid}
        {started !== null && `, started ${formatDateTime(Number(started), utc.value)}`}
      </p>
      {state !== null && <p>{explainState(state)}</p>}
      {row && meta ? (
        <Details row={row} columns={meta.columns} all={meta.columns} />
      ) : (
        <p class="muted">It is not on the current page of the table; its history is below.</p>
      )}
      {HISTORY.map(([chart, title, metrics]) => (
        <HistoryChart key={`${chart} ${id}`} id={chart} title={title} metrics={metrics} rowId={id} />
      ))}
    </aside>
  );
}

interface HistoryProps {
  id: string;
  title: string;
  metrics: readonly string[];
  rowId: string;
}

function HistoryChart({ id, title, metrics, rowId }: HistoryProps) {
  const spec = useRef<ChartSpec>({
    id,
    title,
    metrics: metrics.map((metric) => metricWithKey(metric, rowId)),
    labels: NAMES,
    height: 130,
    empty: "No history of this process in this range.",
  });
  return <Chart spec={spec.current} />;
}
