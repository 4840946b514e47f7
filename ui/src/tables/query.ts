/**
 * What is asked of a table, and where the address keeps it.
 *
 * The first table of a view uses `q`, `sort`, `page`, `sel`, `f.<filter>`; any other one puts its name in
 * front (`mounts.q`). Pure, except for reading and writing the address.
 */
import { hostQuery } from "../api/store";
import type { TableMeta } from "../api/types.gen";
import { place, range, setParams } from "../state/location";
import { param } from "../state/url";

export const PAGE_SIZES = [25, 50, 100] as const;
export const LONGEST_SEARCH = 256;

export interface TableQuestion {
  sort: string;
  q: string;
  filters: Readonly<Record<string, readonly string[]>>;
  page: number;
  limit: number;
}

/** Filters that a view sets, each to one value or to several. */
export type Fixed = Readonly<Record<string, string | readonly string[]>>;

export interface TableAddress {
  read(meta: TableMeta, defaultLimit: number): TableQuestion;
  write(changes: { sort?: string | null; q?: string; page?: number }): void;
  toggleFilter(filter: string, value: string): void;
  clear(meta: TableMeta): void;
}

export function tableAddress(prefix: string): TableAddress {
  const filterName = (filter: string): string => `${prefix}f.${filter}`;
  return {
    read(meta, defaultLimit) {
      const held = place.value;
      const page = Number(param(held, `${prefix}page`) ?? 0);
      return {
        sort: param(held, `${prefix}sort`) ?? meta.default_sort,
        q: (param(held, `${prefix}q`) ?? "").slice(0, LONGEST_SEARCH),
        filters: Object.fromEntries(
          meta.filters.map((filter) => [filter.id, held.params[filterName(filter.id)] ?? []]),
        ),
        page: Number.isInteger(page) && page > 0 ? page : 0,
        limit: defaultLimit,
      };
    },
    write({ sort, q, page }) {
      const changes: Record<string, string | null> = { [`${prefix}page`]: page ? String(page) : null };
      if (sort !== undefined) changes[`${prefix}sort`] = sort;
      if (q !== undefined) changes[`${prefix}q`] = q || null;
      setParams(changes);
    },
    toggleFilter(filter, value) {
      const name = filterName(filter);
      const held = place.value.params[name] ?? [];
      const next = held.includes(value) ? held.filter((one) => one !== value) : [...held, value];
      setParams({ [name]: next, [`${prefix}page`]: null });
    },
    clear(meta) {
      setParams({
        [`${prefix}q`]: null,
        [`${prefix}page`]: null,
        ...Object.fromEntries(meta.filters.map((filter) => [filterName(filter.id), null])),
      });
    },
  };
}

export function isFiltered(question: TableQuestion): boolean {
  return question.q !== "" || Object.values(question.filters).some((values) => values.length > 0);
}

/** Ascending, descending, the table's own order again. */
export function nextSort(current: string, column: string, isNumeric: boolean): string | null {
  const first = isNumeric ? `-${column}` : column;
  const second = isNumeric ? column : `-${column}`;
  if (current === first) return second;
  return current === second ? null : first;
}

/**
 * The path of the API; `ask` are parameters of the question beside those of the table. A table that sums up asks for the range on the screen; any other one for the
 * newest rows, or for those at the end of a range that ends in the past.
 */
export function tablePath(
  meta: Pick<TableMeta, "name" | "ranged">,
  question: TableQuestion,
  only: Fixed = {},
  format?: "csv",
  ask: Fixed = {},
): string {
  const query = [`sort=${encodeURIComponent(question.sort)}`];
  if (question.q) query.push(`q=${encodeURIComponent(question.q)}`);
  for (const [filter, values] of [...Object.entries(only), ...Object.entries(question.filters)]) {
    for (const value of [values].flat())
      query.push(`f.${encodeURIComponent(filter)}=${encodeURIComponent(value)}`);
  }
  for (const [name, value] of Object.entries(ask)) {
    for (const one of [value].flat()) query.push(`${encodeURIComponent(name)}=${encodeURIComponent(one)}`);
  }
  if (format) query.push(`format=${format}`);
  else query.push(`limit=${question.limit}`, `page=${question.page}`);
  const { from, to } = range.value;
  if (meta.ranged) query.push(`from=${encodeURIComponent(from)}`, `to=${encodeURIComponent(to)}`);
  else if (to !== "now") query.push(`at=${encodeURIComponent(to)}`);
  const host = hostQuery();
  if (host) query.push(host);
  return `table/${encodeURIComponent(meta.name)}?${query.join("&")}`;
}
