/**
 * What the search finds by asking: processes, units, statements, tables, indexes, servers, targets, logs
 * and settings. Each is a row of a table whose own search looks for the text.
 */
import { getJson } from "../api/client";
import { tablesByName } from "../api/store";
import type { TableAnswer } from "../api/types.gen";
import { goToView } from "../state/location";
import { tablePath } from "../tables/query";
import type { Entry, show as Show } from "./palette-entries";

type Cells = (column: string) => string;
type Shows = typeof Show;

interface Searched {
  table: string;
  entries(cell: Cells, show: Shows, id: string, text: string): Omit<Entry, "id">[];
}

const OF_EACH = 4;
/** A statement is as long as its line. */
const LONGEST = 100;

/** Leads to a row by the search of its table, whose parameters begin with `prefix`. */
function find(
  show: Shows,
  view: string,
  table: string,
  prefix: string,
  text: string,
  more: Record<string, string> = {},
): () => void {
  return () => show(view, table, `#table-${table}`, { [`${prefix}q`]: text, ...more });
}

const SEARCHED: readonly Searched[] = [
  {
    table: "processes",
    entries: (cell, show, id, text) => {
      const unit = cell("unit");
      const process = {
        kind: "process",
        label: cell("process_name"),
        detail: `PID ${cell("pid")}${unit ? ` · ${unit}` : ""}`,
        run: () => goToView("processes", { sel: id }),
      };
      const isUnit = unit.toLowerCase().includes(text);
      const ofUnit = {
        kind: "unit",
        label: unit,
        detail: "",
        run: find(show, "processes", "processes", "", unit),
      };
      return isUnit ? [ofUnit, process] : [process];
    },
  },
  {
    table: "statements",
    entries: (cell, _, id) => [
      {
        kind: "statement",
        label: cell("query").replace(/\s+/g, " ").trim(),
        detail: `${cell("database")} · ${cell("instance")}`,
        run: () => goToView("queries", { "f.instance": cell("instance"), sel: id }),
      },
    ],
  },
  {
    table: "tables",
    entries: (cell, show) => [
      {
        kind: "relation",
        label: `${cell("schema_name")}.${cell("table_name")}`,
        detail: `table in ${cell("database")} · ${cell("instance")}`,
        run: find(show, "tables", "tables", "", cell("table_name"), { "f.instance": cell("instance") }),
      },
    ],
  },
  {
    table: "indexes",
    entries: (cell, show) => [
      {
        kind: "relation",
        label: `${cell("schema_name")}.${cell("index_name")}`,
        detail: `index in ${cell("database")} · ${cell("instance")}`,
        run: find(show, "tables", "indexes", "indexes.", cell("index_name"), {
          "f.instance": cell("instance"),
        }),
      },
    ],
  },
  {
    table: "db_servers",
    entries: (cell) => [
      {
        kind: "server",
        label: cell("instance"),
        detail: "PostgreSQL",
        run: () => goToView("postgres", { "f.instance": cell("instance") }),
      },
    ],
  },
  {
    table: "targets",
    entries: (cell) => [
      {
        kind: "target",
        label: cell("target"),
        detail: cell("kind"),
        run: () => goToView("api", { "f.target": cell("target") }),
      },
    ],
  },
  {
    table: "log_sources",
    entries: (cell) => [
      {
        kind: "log",
        label: cell("source"),
        detail: cell("place"),
        run: () => goToView("logs", { "f.source": cell("source") }),
      },
    ],
  },
  {
    table: "settings_db",
    entries: (cell, show) => [
      {
        kind: "setting",
        label: cell("name"),
        detail: `${cell("setting")} · ${cell("instance")}`,
        run: find(show, "postgres", "settings_db", "settings_db.", cell("name"), {
          "f.instance": cell("instance"),
        }),
      },
    ],
  },
  {
    table: "settings",
    entries: (cell, show) => [
      {
        kind: "setting",
        label: cell("key"),
        detail: `${cell("value")} · collector`,
        run: find(show, "collector", "settings", "settings.", cell("key")),
      },
    ],
  },
];

/** The rows that hold the text, a few of each table; a table that does not answer has none. */
export async function searchRows(typed: string, show: Shows, signal: AbortSignal): Promise<Entry[]> {
  const text = typed.trim().toLowerCase();
  const found = await Promise.all(SEARCHED.map((one) => searchTable(one, text, show, signal)));
  return found.flat();
}

async function searchTable(
  { table, entries }: Searched,
  text: string,
  show: Shows,
  signal: AbortSignal,
): Promise<Entry[]> {
  const meta = tablesByName.peek().get(table);
  if (!meta) return [];
  const question = { sort: meta.default_sort, q: text, filters: {}, page: 0, limit: 25 };
  try {
    const { rows } = await getJson<TableAnswer>(tablePath(meta, question), signal);
    const all = new Map<string, Entry>();
    for (const row of rows) {
      const cell: Cells = (column) => {
        const at = meta.columns.findIndex((one) => one.id === column);
        return String(row.cells[at] ?? "");
      };
      for (const entry of entries(cell, show, row.id, text)) {
        const id = `${entry.kind} ${entry.kind === "unit" ? entry.label : `${table} ${row.id}`}`;
        all.set(id, { ...entry, id, label: entry.label.slice(0, LONGEST) });
      }
    }
    return pick([...all.values()]);
  } catch {
    return [];
  }
}

/** A few of each kind. */
function pick(entries: readonly Entry[]): Entry[] {
  const counts = new Map<string, number>();
  return entries.filter(({ kind }) => {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return count <= OF_EACH;
  });
}
