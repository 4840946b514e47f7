/**
 * How a table differs from a plain one, as data.
 *
 * Nothing here judges: shades and bars only compare the rows that are shown with each other.
 */
import type { ComponentType } from "preact";
import type { ColumnMeta, TableRow } from "../api/types.gen";

/** Loads what draws a text. */
export type TextPart = () => Promise<{ default: ComponentType<{ text: string }> }>;

export interface CellLink {
  view: string;
  params: Readonly<Record<string, string>>;
}

export interface Look {
  /** Columns of shares, drawn as bars of 100 %. */
  bars?: readonly string[];
  /** Columns shaded by their value among all shaded cells shown. */
  heat?: RegExp;
  /** Columns that are left out as long as no row shown has a value above 0. */
  fold?: RegExp;
  /** The column whose number indents the first one, for trees. */
  depth?: string;
  /** Columns that stand further left than the server puts them, with their new places. */
  move?: Readonly<Record<string, number>>;
  /** Columns of text that a separate component draws. */
  parts?: Readonly<Record<string, TextPart>>;
  /** Columns of sentences, which wrap instead of being cut. */
  whole?: readonly string[];
  /** Where a cell leads. */
  link?(column: string, row: TableRow): CellLink | null;
  /** Columns for the order or the shape of the table alone. */
  hide?: readonly string[];
  /** The heading over a column and its neighbours; "" for none. */
  group?(column: string): string;
}

export function shownColumns(
  columns: readonly ColumnMeta[],
  all: readonly ColumnMeta[],
  rows: readonly TableRow[],
  look: Look,
): readonly ColumnMeta[] {
  const shown = columns.filter((column) => {
    if (column.id === look.depth || look.hide?.includes(column.id)) return false;
    if (!look.fold?.test(column.id)) return true;
    const at = all.indexOf(column);
    return rows.some((row) => Number(row.cells[at] ?? 0) > 0);
  });
  for (const [id, place] of Object.entries(look.move ?? {})) {
    const from = shown.findIndex((column) => column.id === id);
    if (from > place) shown.splice(place, 0, ...shown.splice(from, 1));
  }
  return shown;
}

/** Neighbouring columns under one heading: its text and how many they are. */
export function groupColumns(
  columns: readonly ColumnMeta[],
  group: (column: string) => string,
): { title: string; span: number }[] {
  return columns.reduce<{ title: string; span: number }[]>((groups, column) => {
    const title = group(column.id);
    const last = groups[groups.length - 1];
    if (last?.title === title) last.span += 1;
    else groups.push({ title, span: 1 });
    return groups;
  }, []);
}

/** The greatest shaded value shown, which is the darkest. */
export function hottest(rows: readonly TableRow[], all: readonly ColumnMeta[], heat: RegExp): number {
  let most = 0;
  for (const row of rows) {
    all.forEach((column, at) => {
      const cell = row.cells[at];
      if (typeof cell === "number" && cell > most && heat.test(column.id)) most = cell;
    });
  }
  return most;
}
