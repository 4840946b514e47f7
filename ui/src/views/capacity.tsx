/** Capacity: what will be full, and when. */
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";

const LOOK: Look = {
  parts: { cone: () => import("../charts/cone") },
  move: { cone: 5 },
};

/** Fetches its own data. */
export function Capacity({ quiet = false }: { quiet?: boolean }) {
  return <DataTable name="capacity" look={LOOK} quiet={quiet} />;
}

export default Capacity;
