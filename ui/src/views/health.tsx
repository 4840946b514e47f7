/** Health of the parts of the system. */
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";

const LOOK: Look = {
  bars: ["score"],
  hide: ["mean_score"],
  parts: { day: () => import("./health-strip") },
};

/** Fetches its own data; `quiet` leaves it out while there is no score. */
export function Health({ quiet = false }: { quiet?: boolean }) {
  return <DataTable name="health" look={LOOK} quiet={quiet} />;
}

export default Health;
