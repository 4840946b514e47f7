/** Recommendations: what to do, why, with the statement to copy, and what became of it. */
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";

const command = () => import("../tables/command");

const LOOK: Look = { parts: { action: command, ack: command, dismiss: command }, fold: /^resolved_ms$/ };

/** Fetches its own data. */
export function Recommendations() {
  return <DataTable name="recommendations" look={LOOK} />;
}

export default Recommendations;
