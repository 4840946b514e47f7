/** Fleet: every host, the worst first, with what is wrong and how old its data are. */
import { useEffect } from "preact/hooks";
import { now, nowFailure, tablesByName } from "../api/store";
import type { TableRow } from "../api/types.gen";
import { SeverityMark } from "../app/shape";
import { pauseReason, pulse } from "../state/live";
import type { CellLink, Look } from "../tables/look";
import { DataTable } from "../tables/table";
import { pickOf } from "./registry";

/** The server looks at all hosts every 5 s; samples of the host that is shown elsewhere are not the clock of the others. */
const EVERY_MS = 10_000;

function textOf(row: TableRow, column: string): string {
  const at = tablesByName.value.get("fleet")?.columns.findIndex(({ id }) => id === column) ?? -1;
  return String(row.cells[at] ?? "");
}

/** A host leads to its first page, its problem to the view that shows it. */
function linkOf(column: string, row: TableRow): CellLink | null {
  const params = { host: row.id };
  if (column === "host") return { view: "now", params };
  if (column !== "problem") return null;
  const view = textOf(row, "view") || "now";
  return { view, params: { ...params, ...pickOf({ view, key: textOf(row, "subject") || null }) } };
}

const LOOK: Look = { link: linkOf, whole: ["problem"], hide: ["view", "subject", "newest_ms", "position"] };

export default function FleetView() {
  useEffect(() => {
    const timer = setInterval(() => {
      if (pauseReason.peek() === "") pulse.value += 1;
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const fleet = now.value?.fleet;
  return (
    <>
      {fleet && (
        <p class="fleet">
          <SeverityMark severity={nowFailure.value ? "unknown" : fleet.severity} short />
          <bdi>{fleet.text}</bdi>
        </p>
      )}
      <DataTable name="fleet" primary look={LOOK} />
    </>
  );
}
