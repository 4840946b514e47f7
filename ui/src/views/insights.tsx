/** Insights: what is unusual, what is usual, and where it leads. */
import { tablesByName } from "../api/store";
import { Part } from "../app/part";
import { CountCards } from "../tables/count-cards";
import type { Look } from "../tables/look";
import type { TableQuestion } from "../tables/query";
import { DataTable } from "../tables/table";
import { TO_SNAPSHOT } from "./finding-action";
import { FINDING_DETAILS } from "./finding-columns";
import { InsightDensity } from "./insight-density";

const INSIGHTS = { kind: "insight" };

/** Those that are firing. */
const FIRING: TableQuestion = { sort: "position", q: "", filters: { state: ["firing"] }, page: 0, limit: 25 };

/** The opened row has the rest. */
const FOUND: Look = {
  hide: [
    ...FINDING_DETAILS,
    "value",
    "expected",
    "direction",
    "duration_secs",
    "seen_ms",
    "source",
    "target",
    "severity",
    "occurrences",
  ],
  fold: /^resolved_ms$/,
  whole: ["title"],
};

const BASELINES: Look = { bars: ["within_pct"] };

export default function InsightsView() {
  const meta = tablesByName.value.get("findings");
  return (
    <>
      {meta && (
        <CountCards meta={meta} filter="severity" label="Insights by severity" of={FIRING} only={INSIGHTS} />
      )}
      <InsightDensity />
      <DataTable
        name="findings"
        primary
        only={INSIGHTS}
        look={FOUND}
        action={TO_SNAPSHOT}
        detail={(row) => <Part key={row.id} load={() => import("./finding")} row={row} whole />}
      />
      <Part load={() => import("./recommendations")} />
      <Part load={() => import("./health")} quiet />
      <Part load={() => import("./slos")} quiet />
      <Part load={() => import("./capacity")} />
      <DataTable name="baselines" look={BASELINES} />
      <DataTable name="forecasts" />
    </>
  );
}
