import { expect, test } from "vitest";
import type { TableRow } from "../api/types.gen";
import { arrangeRows } from "./order";

const row = (id: string, cell: number): TableRow => ({
  id,
  cells: [cell],
  severities: [null],
  severity: "ok",
});
const ids = (rows: readonly TableRow[]): string => rows.map((one) => one.id).join("");

test("under the pointer rows keep their place and take new cells", () => {
  const held = arrangeRows([row("a", 1), row("b", 2)], [row("b", 9), row("a", 8)], true);
  expect(ids(held.rows)).toBe("ab");
  expect(held.rows.map((one) => one.cells[0])).toEqual([8, 9]);
  expect(held.isWaiting).toBe(true);
});

test("a row that left stays until the order is applied", () => {
  const held = arrangeRows([row("a", 1), row("b", 2)], [row("b", 3), row("c", 4)], true);
  expect(ids(held.rows)).toBe("ab");
  expect(arrangeRows(held.rows, [row("b", 3), row("c", 4)], false)).toMatchObject({ isWaiting: false });
});

test("an unchanged order never waits", () => {
  expect(arrangeRows([row("a", 1)], [row("a", 2)], true).isWaiting).toBe(false);
  expect(arrangeRows([], [row("a", 2)], true).isWaiting).toBe(false);
});
