/** What the search finds without asking: views, metrics, tables, hosts, and things to be done. */
import { meta } from "../api/store";
import { goToView, place, setChoice, setParams, setRange } from "../state/location";
import { CONTENTS } from "../views/contents";
import { foldOf } from "../views/folds";
import { VIEWS } from "../views/registry";
import { rangeLabel } from "./range-label";
import { readSpan } from "./span";

export interface Entry {
  id: string;
  kind: string;
  label: string;
  detail: string;
  run(): void;
}

/** Scrolls to what a view is about to draw. */
function reveal(selector: string, tries = 40): void {
  const element = document.querySelector<HTMLElement>(selector);
  if (element) {
    element.scrollIntoView({ block: "center" });
    element.classList.add("found");
    setTimeout(() => element.classList.remove("found"), 2500);
  } else if (tries > 0) setTimeout(() => reveal(selector, tries - 1), 50);
}

/** Opens a view, with the topic unfolded that something is in, and scrolls there. */
export function show(view: string, id: string, selector: string, changes: Record<string, string> = {}): void {
  goToView(view, { ...changes, open: foldOf(id) });
  reveal(selector);
}

type Choice = Parameters<typeof setChoice>[0];

const CHOICES: readonly [string, string, Choice][] = [
  ["Dark theme", "display", { theme: "dark" }],
  ["Light theme", "display", { theme: "light" }],
  ["System theme", "display", { theme: "system" }],
  ["Compact rows", "display density", { density: "compact" }],
  ["Normal rows", "display density", { density: "normal" }],
  ["Time zone: UTC", "display", { zone: "utc" }],
  ["Time zone: browser", "display", { zone: "browser" }],
];

export function collectEntries(): Entry[] {
  const known = meta.value;
  const listed = VIEWS.filter(({ id }) => id !== "fleet" || (known?.hosts.length ?? 0) > 1);
  const entries: Entry[] = listed.map((view) => ({
    id: `view ${view.id}`,
    kind: "view",
    label: view.title,
    detail: view.group,
    run: () => goToView(view.id),
  }));
  for (const metric of known?.metrics ?? []) {
    const family = metric.id.split(".")[0] ?? "";
    const view = VIEWS.find((one) => CONTENTS[one.id]?.families.includes(family));
    if (!view) continue;
    entries.push({
      id: `metric ${metric.id}`,
      kind: "metric",
      label: metric.label,
      detail: `${metric.id} · ${view.title}`,
      run: () => show(view.id, metric.id, `[data-metrics~="${CSS.escape(metric.id)}"]`),
    });
  }
  for (const table of known?.tables ?? []) {
    const view = listed.find(
      ({ id }) => CONTENTS[id]?.tables.includes(table.name) || table.name.startsWith(`${id}_`),
    );
    if (!view) continue;
    entries.push({
      id: `table ${table.name}`,
      kind: "table",
      label: table.title,
      detail: view.title,
      run: () => show(view.id, table.name, `#table-${CSS.escape(table.name)}`),
    });
  }
  // The view of all hosts has nothing to show of one.
  const isFleet = place.value.view === "fleet";
  for (const { id, name } of known?.hosts ?? []) {
    const host = String(id);
    entries.push({
      id: `host ${host}`,
      kind: "host",
      label: name,
      detail: "",
      run: () => (isFleet ? goToView("now", { host }) : setParams({ host })),
    });
  }
  for (const [label, detail, choice] of CHOICES) {
    entries.push({ id: `do ${label}`, kind: "do", label, detail, run: () => setChoice(choice) });
  }
  return entries;
}

/** The entry for a typed range; none when it is not one. */
export function rangeEntry(text: string): Entry[] {
  const from = readSpan(text);
  if (from === null) return [];
  const range = { from, to: "now" };
  return [
    { id: `range ${from}`, kind: "range", label: rangeLabel(range), detail: "", run: () => setRange(range) },
  ];
}

/** How well an entry answers; null when it does not. */
export function score(entry: Entry, words: readonly string[]): number | null {
  const label = entry.label.toLowerCase();
  const all = `${label} ${entry.detail.toLowerCase()} ${entry.kind}`;
  let total = entry.kind === "view" ? 2 : entry.kind === "do" ? 1 : 0;
  for (const word of words) {
    if (!all.includes(word)) return null;
    total += label.startsWith(word) ? 4 : label.includes(word) ? 2 : 1;
  }
  return total;
}
