/**
 * Rows that do not move under the pointer.
 *
 * While the pointer is over a table, a refresh may change the texts of rows but not their places:
 * known rows keep their place with fresh cells, rows that left stay as they were, and a changed
 * order waits until it is asked for.
 */
import type { TableRow } from "../api/types.gen";

export interface Arranged {
  rows: TableRow[];
  /** The answer has these rows in another order, or other rows. */
  isWaiting: boolean;
}

export function arrangeRows(
  shown: readonly TableRow[],
  fresh: readonly TableRow[],
  isHeld: boolean,
): Arranged {
  const isSame = shown.length === fresh.length && shown.every((row, at) => row.id === fresh[at]?.id);
  if (isSame || !isHeld || shown.length === 0) return { rows: [...fresh], isWaiting: false };
  const byId = new Map(fresh.map((row) => [row.id, row]));
  return { rows: shown.map((row) => byId.get(row.id) ?? row), isWaiting: true };
}
