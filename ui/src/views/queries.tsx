/** Queries: which statements cost most within the range on the screen, and what is read and written. */
import { useMemo } from "preact/hooks";
import { judge } from "../api/judge";
import { metricsById } from "../api/store";
import type { TableMeta, TableRow } from "../api/types.gen";
import { Card, FactCards } from "../app/card";
import { Part } from "../app/part";
import { Chart, type ChartSpec } from "../charts/chart";
import { DataTable } from "../tables/table";
import { cellOf, useRows } from "./pick";
import { withinServer, withoutServer } from "./scope";
import { OneServer } from "./server";

const NO_STATEMENT = "No statements in this range. Rates need two samples; one is taken every five minutes.";

const STATEMENTS: readonly ChartSpec[] = [
  {
    id: "statement-time",
    title: "Time/s, top 8 statements",
    metrics: ["statement.exec_ms_per_sec"],
    stacked: true,
    levelsOf: null,
    wide: true,
    empty: NO_STATEMENT,
  },
  {
    id: "statement-calls",
    title: "Calls, top 8 statements",
    metrics: ["statement.calls_per_sec"],
    empty: NO_STATEMENT,
  },
  {
    id: "statement-mean",
    title: "Mean time, top 8 statements",
    metrics: ["statement.mean_ms"],
    empty: NO_STATEMENT,
  },
];

const FAMILIES = /statement|io|server|connect|timing/;
const LONGEST_NAME = 46;

export default function QueriesView() {
  return (
    <OneServer families={FAMILIES}>{(instance) => <Queries key={instance} instance={instance} />}</OneServer>
  );
}

function Queries({ instance }: { instance: string }) {
  const only = useMemo(() => ({ instance }), [instance]);
  const { meta, answer } = useRows("statements", only);
  // The text of a statement identifies it; its number does not.
  const texts = useMemo(
    () =>
      new Map(
        (meta && answer ? answer.rows : []).map((row) => [
          row.id,
          meta ? oneLine(cellOf(meta, row.cells, "query")) : "",
        ]),
      ),
    [meta, answer],
  );
  const nameOf = useMemo(
    () =>
      (key: string): string =>
        texts.get(key)?.slice(0, LONGEST_NAME) || withoutServer(key, instance),
    [texts, instance],
  );
  const statements = useMemo(
    () => withinServer(STATEMENTS, instance).map((spec) => ({ ...spec, nameOf })),
    [instance, nameOf],
  );
  return (
    <>
      <StatementCards instance={instance} meta={meta} rows={answer?.rows ?? null} />
      <div class="charts">
        {statements.map((spec) => (
          <Chart key={spec.id} spec={spec} />
        ))}
      </div>
      <DataTable
        name="statements"
        primary
        only={only}
        look={{ bars: ["share_pct"] }}
        detail={(row) =>
          meta && <Part key={row.id} load={() => import("./statement")} row={row} meta={meta} />
        }
      />
      <Part load={() => import("./io")} instance={instance} />
    </>
  );
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

const TOP = 5;

/** Of the statements of the range: how much of the time the first few take, calls, the worst mean. */
function StatementCards({
  instance,
  meta,
  rows,
}: {
  instance: string;
  meta: TableMeta | undefined;
  rows: readonly TableRow[] | null;
}) {
  const numbers = (column: string): number[] => {
    const at = meta?.columns.findIndex((one) => one.id === column) ?? -1;
    return (rows ?? [])
      .map((row) => row.cells[at])
      .filter((cell): cell is number => typeof cell === "number");
  };
  const most = (column: string): number | null => {
    const found = numbers(column);
    return found.length > 0 ? Math.max(...found) : null;
  };
  const shares = numbers("share_pct").sort((a, b) => b - a);
  const calls = numbers("calls");
  const mean = most("mean_ms");
  const temp = most("temp_blks");
  return (
    <>
      <section class="cards" data-count="4" aria-label="Statements of the range">
        <Card
          label={`Share of the top ${TOP}`}
          value={shares.length > 0 ? shares.slice(0, TOP).reduce((sum, share) => sum + share, 0) : null}
          unit="percent"
          severity="ok"
          note="of total statement time"
        />
        <Card
          label="Calls in the range"
          value={calls.length > 0 ? calls.reduce((sum, count) => sum + count, 0) : null}
          unit="count"
          severity="ok"
        />
        <Card
          label="Highest mean time"
          metric="statement.mean_ms"
          value={mean}
          unit="ms"
          severity={judge(mean, metricsById.value.get("statement.mean_ms"))}
        />
        <Card
          label="Most temporary blocks"
          metric="statement.temp_blks"
          value={temp}
          unit="count"
          severity={judge(temp, metricsById.value.get("statement.temp_blks"))}
        />
      </section>
      <FactCards
        metrics={[
          "statement.store_used_pct",
          "statement.evictions_per_hour",
          "db.longest_query_secs",
          "db.slow_queries",
        ]}
        of={instance}
        label="Latest values"
      />
    </>
  );
}
