/**
 * All views, in the order of the rail.
 *
 * A view is a module that exports a component, and one line here. `prefixes` are the metric families
 * it charts, so that a search for a metric knows where to go.
 */
import type { ComponentType } from "preact";

export interface View {
  id: string;
  title: string;
  group: string;
  /** The letter after `g`. */
  key: string;
  prefixes: readonly string[];
  tables: readonly string[];
  load(): Promise<{ default: ComponentType }>;
}

// biome-ignore format: one view is one line
export const VIEWS: readonly View[] = [
  { id: "now", title: "Now", group: "", key: "n", prefixes: [], tables: [], load: () => import("./now") },
  { id: "system", title: "System", group: "Host", key: "s", prefixes: ["system", "network", "mount", "disk"], tables: ["mounts", "disks", "interfaces"], load: () => import("./system") },
  { id: "processes", title: "Processes", group: "Host", key: "p", prefixes: ["process", "process_one"], tables: ["processes"], load: () => import("./processes") },
  { id: "collector", title: "Collector", group: "", key: "c", prefixes: ["collector"], tables: ["collectors", "buffers", "gaps", "runs", "dead_letters", "settings"], load: () => import("./collector") },
];

export function viewById(id: string): View | null {
  return VIEWS.find((view) => view.id === id) ?? null;
}
