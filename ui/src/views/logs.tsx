/** Logs: volume and severity, findings, lines, patterns, security events. */
import { getJson } from "../api/client";
import { useResource } from "../api/resource";
import { hostQuery, now } from "../api/store";
import { LINE_DOMAINS, type LogsAnswer, type TableAnswer } from "../api/types.gen";
import { Card } from "../app/card";
import { Empty, isYoung } from "../app/panel";
import { Part } from "../app/part";
import { formatDay } from "../format/time";
import { range, setParams, utc } from "../state/location";
import { formatParams } from "../state/url";
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";
import { DEVIATION, FINDING_DETAILS } from "./finding-columns";
import { useRows } from "./pick";

const LEVELS: readonly (readonly [string, string])[] = [
  ["error", "Errors"],
  ["warn", "Warnings"],
  ["info", "Info"],
  ["debug", "Debug"],
];

/** Findings about lines; all of them are in the view of alerts. */
const OF_LINES = { domain: LINE_DOMAINS };
/** Columns shown in the opened row instead, and columns that are left out while empty. */
const FINDINGS: Look = {
  hide: [...FINDING_DETAILS, ...DEVIATION, "figures", "worst", "duration_secs"],
  fold: /^(value|expected|resolved_ms)$/,
};

export default function LogsView() {
  const { answer } = useRows("log_sources");
  const totals = useTotals();
  const counts = totals && (totals.facets.level ?? {});
  // A range may end before the first line, and findings remain when their log is not read any more.
  const hasLogs = now.value?.areas.find(({ id }) => id === "logs")?.present;
  if (answer?.total === 0 && !hasLogs) {
    return (
      <Empty height={200}>
        {isYoung()
          ? "No log has been read yet."
          : "No log is read on this host. Add a [[logs.source]] to the configuration of the collector."}
      </Empty>
    );
  }
  return (
    <>
      <Health answer={answer} counts={answer?.total ? counts : null} />
      <DataTable
        name="findings"
        only={OF_LINES}
        look={FINDINGS}
        detail={(row) => <Part key={row.id} load={() => import("./finding")} row={row} show={showLines} />}
      />
      {totals?.kept_from_ms != null && (
        <p class="note">
          Lines are kept since {formatDay(totals.kept_from_ms, utc.value)}. Earlier ones are only counted, by
          hour and pattern.
        </p>
      )}
      <Part load={() => import("./log-lines")} sources={answer?.rows.map((row) => row.id) ?? []} />
      <Part load={() => import("./log-charts")} counts={counts} levels={LEVELS} />
      <Part load={() => import("./log-tables")} show={showLines} />
    </>
  );
}

/** The lines with these filters, and no others. */
function showLines(filters: Readonly<Record<string, string>>): void {
  setParams({
    pattern: null,
    q: null,
    "f.level": null,
    "f.source": null,
    before: null,
    after: null,
    around: null,
    ...filters,
  });
  document.getElementById("log-lines")?.scrollIntoView();
}

/** Numbers of all lines of the range, whatever the lines below are filtered by; null while not known. */
function useTotals(): LogsAnswer | null {
  const { from, to } = range.value;
  const host = hostQuery();
  const path = `logs?${formatParams({ from: [from], to: [to] })}&limit=1${host ? `&${host}` : ""}`;
  return useResource<LogsAnswer>(path, (url, _, signal) => getJson<LogsAnswer>(url, signal)).data.value;
}

interface HealthProps {
  answer: TableAnswer | null;
  /** By level; without a source nothing is known, which is not zero. */
  counts: Readonly<Record<string, number>> | null;
}

/** Of the range, all sources together. */
function Health({ answer, counts }: HealthProps) {
  const lines = counts && Object.values(counts).reduce((sum, count) => sum + count, 0);
  const severe = (counts?.error ?? 0) + (counts?.warn ?? 0);
  const states = answer?.facets.state ?? {};
  const unreadable = states.unreadable ?? 0;
  return (
    <section class="cards" data-count="6" aria-label="Lines of the range">
      <Card
        label="Health"
        metric="log.error_warn_pct"
        value={lines ? 100 - (100 * severe) / lines : null}
        unit="percent"
        severity="ok"
        note={lines ? "no error or warning" : ""}
      />
      <Card label="Lines" value={lines} unit="count" severity="ok" note="in this range" />
      {LEVELS.slice(0, 3).map(([level, label]) => (
        <Card
          key={level}
          label={label}
          value={counts && (counts[level] ?? 0)}
          unit="count"
          severity="ok"
          note="in this range"
        />
      ))}
      <Card
        label="Silent sources"
        metric="log.readable"
        value={answer?.total ? (states.silent ?? 0) : null}
        unit="count"
        severity={unreadable > 0 ? "warn" : "ok"}
        note={answer?.total ? `${unreadable > 0 ? `${unreadable} unreadable, ` : ""}of ${answer.total}` : ""}
      />
    </section>
  );
}
