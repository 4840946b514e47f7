/** What is asked of the lines of logs, and how answers are joined. Pure. */
import type { LogRow } from "../api/types.gen";
import type { Range } from "../state/range";
import { formatParams, type Place } from "../state/url";

/** Parameters of the address that select the page. */
export const PAGES = ["before", "after", "around"] as const;
export const FIRST_PAGE: Readonly<Record<string, string | null>> = {
  before: null,
  after: null,
  around: null,
};
const FILTERS = ["q", "f.level", "f.source", "pattern"];
const LIMIT = 50;
/** Lines kept while following. */
const MOST = 500;
/** How far back is asked while following: lines that were stored late come, too. */
const LATE = "now-30s";

/** The path of the API; as CSV all pages. */
export function linesPath(place: Place, { from, to }: Range, host: string, format?: "csv"): string {
  const params: Record<string, readonly string[]> = { from: [from], to: [to] };
  for (const name of format ? FILTERS : [...FILTERS, ...PAGES]) {
    const values = place.params[name];
    if (values) params[name] = values;
  }
  const end = format ? `format=${format}` : `limit=${LIMIT}`;
  return `logs?${formatParams(params)}&${end}${host ? `&${host}` : ""}`;
}

/** The newest lines, for the same question. */
export function follow(path: string): string {
  return `${path.replace(/from=[^&]*/, `from=${LATE}`).replace(`limit=${LIMIT}`, "limit=200")}&counts=0`;
}

const micros = (row: LogRow): number => Number.parseInt(row.id, 10);

/** Lines of two answers, each once, the newest first; in the order of the server where instants are equal. */
export function joinLines(fresh: readonly LogRow[], older: readonly LogRow[]): LogRow[] {
  const all = new Map([...fresh, ...older].map((row) => [row.id, row]));
  return [...all.values()].sort((a, b) => micros(b) - micros(a)).slice(0, MOST);
}
