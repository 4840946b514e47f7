import { expect, test } from "vitest";
import type { Cell, ColumnMeta, TableRow } from "../api/types.gen";
import { groupColumns, hottest, shownColumns } from "./look";

const column = (id: string): ColumnMeta => ({
  id,
  label: id,
  unit: "count",
  metric: null,
  primary: false,
});
const ALL = ["path", "failed", "s404", "s429", "s503", "depth"].map(column);
const row = (...cells: Cell[]): TableRow => ({ id: String(cells[0]), cells, severities: [], severity: "ok" });
const ROWS = [row("/a", 99, 7, 0, null, 1), row("/b", 3, 1, 0, 2, 2)];
const ids = (columns: readonly ColumnMeta[]): string[] => columns.map((one) => one.id);

test("codes that nobody answered are left out, and what only indents", () => {
  const look = { fold: /^s\d{3}$/, depth: "depth", hide: ["failed"] };
  expect(ids(shownColumns(ALL, ALL, ROWS, look))).toEqual(["path", "s404", "s503"]);
  expect(ids(shownColumns(ALL, ALL, [], look))).toEqual(["path"]);
  expect(ids(shownColumns(ALL, ALL, ROWS, {}))).toEqual(ids(ALL));
  expect(ids(shownColumns(ALL.slice(0, 3), ALL, ROWS, { move: { s404: 1, depth: 0 } }))).toEqual([
    "path",
    "s404",
    "failed",
  ]);
});

test("neighbours share a heading", () => {
  const group = (id: string): string => (/^s4/.test(id) ? "4xx" : /^s5/.test(id) ? "5xx" : "");
  expect(groupColumns(ALL, group)).toEqual([
    { title: "", span: 2 },
    { title: "4xx", span: 2 },
    { title: "5xx", span: 1 },
    { title: "", span: 1 },
  ]);
});

test("the darkest cell is the greatest of the shaded ones only", () => {
  expect(hottest(ROWS, ALL, /^s\d{3}$/)).toBe(7);
  expect(hottest([], ALL, /^s/)).toBe(0);
});
