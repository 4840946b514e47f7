/** Objectives: whether they are met, what is left of their budgets, how fast these are spent. */
import { metricWithKey } from "../api/series";
import { now, serverNow, tablesByName } from "../api/store";
import type { TableRow } from "../api/types.gen";
import { atInstant } from "../state/instant";
import { goToView } from "../state/location";
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";
import { cellOf } from "./pick";

const LOOK: Look = {
  bars: ["budget_consumed"],
  hide: ["description", "metric", "counted"],
  fold: /^burn_/,
};

/** Fetches its own data; `quiet` leaves it out while no objective is defined. */
export function Slos({ quiet = false }: { quiet?: boolean }) {
  return <DataTable name="slos" look={LOOK} action={{ label: "Snapshot", run: showNow }} quiet={quiet} />;
}

/** Its metric as of now, with what changed: a budget is spent by what happens now. */
function showNow(row: TableRow): void {
  const meta = tablesByName.peek().get("slos");
  if (!meta) return;
  const metric = metricWithKey(
    cellOf(meta, row.cells, "metric"),
    cellOf(meta, row.cells, "metric_key") || null,
  );
  goToView("snapshot", atInstant(now.peek()?.freshness.newest_ms ?? serverNow(), { metric }));
}

export default Slos;
