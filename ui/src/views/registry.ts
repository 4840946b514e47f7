/**
 * All views, in the order of the rail.
 *
 * A view is a module that exports a component, and one line here; a line in contents.ts lists what a
 * search finds in it.
 */
import type { ComponentType } from "preact";
import type { Problem } from "../api/types.gen";

export interface View {
  id: string;
  title: string;
  group: string;
  /** The letter after `g`. */
  key: string;
  load(): Promise<{ default: ComponentType }>;
}

// biome-ignore format: one view is one line
export const VIEWS: readonly View[] = [
  { id: "now", title: "Now", group: "", key: "n", load: () => import("./now") },
  { id: "fleet", title: "Fleet", group: "", key: "f", load: () => import("./fleet") },
  { id: "system", title: "System", group: "Host", key: "s", load: () => import("./system") },
  { id: "processes", title: "Processes", group: "Host", key: "p", load: () => import("./processes") },
  { id: "api", title: "API & Proxy", group: "Service", key: "a", load: () => import("./applications") },
  { id: "traffic", title: "Traffic", group: "Service", key: "v", load: () => import("./traffic") },
  { id: "postgres", title: "PostgreSQL", group: "Database", key: "d", load: () => import("./postgres") },
  { id: "tables", title: "Tables & Indexes", group: "Database", key: "t", load: () => import("./relations") },
  { id: "queries", title: "Queries", group: "Database", key: "q", load: () => import("./queries") },
  { id: "replication", title: "Replication", group: "Database", key: "r", load: () => import("./replication") },
  { id: "logs", title: "Logs", group: "Signals", key: "l", load: () => import("./logs") },
  { id: "alerts", title: "Alerts", group: "Signals", key: "w", load: () => import("./alerts") },
  { id: "insights", title: "Insights", group: "Signals", key: "i", load: () => import("./insights") },
  { id: "snapshot", title: "Event Snapshot", group: "Signals", key: "e", load: () => import("./snapshot") },
  { id: "collector", title: "Collector", group: "", key: "c", load: () => import("./collector") },
];

export function viewById(id: string): View | null {
  return VIEWS.find((view) => view.id === id) ?? null;
}

/** Which server or target a view is to show when it is opened for a problem. */
export function pickOf({ key, view }: Pick<Problem, "key" | "view">): Record<string, string> {
  if (key === null) return {};
  if (view === "api") return { "f.target": key };
  return viewById(view)?.group === "Database" ? { "f.instance": key } : {};
}
