/** Objectives: whether they are met, what is left of their budgets, how fast these are spent. */
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";

const LOOK: Look = {
  bars: ["budget_consumed"],
  hide: ["description", "metric", "counted"],
  fold: /^burn_/,
};

/** Fetches its own data; `quiet` leaves it out while no objective is defined. */
export function Slos({ quiet = false }: { quiet?: boolean }) {
  return <DataTable name="slos" look={LOOK} quiet={quiet} />;
}

export default Slos;
