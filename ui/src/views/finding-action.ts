/** What each row of findings leads to in one click: the snapshot of when it began. */
import { tablesByName } from "../api/store";
import { atInstant } from "../state/instant";
import { goToView } from "../state/location";
import type { RowAction } from "../tables/body";

export const TO_SNAPSHOT: RowAction = {
  label: "Snapshot",
  run(row) {
    const since =
      tablesByName
        .peek()
        .get("findings")
        ?.columns.findIndex(({ id }) => id === "since_ms") ?? -1;
    if (since >= 0) goToView("snapshot", atInstant(Number(row.cells[since]), { finding: row.id }));
  },
};
