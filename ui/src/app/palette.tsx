/** Ctrl-K: one field over views, metrics, tables and hosts. */
import { useMemo, useRef, useState } from "preact/hooks";
import { meta } from "../api/store";
import { goToView, setParams } from "../state/location";
import { CONTENTS } from "../views/contents";
import { VIEWS } from "../views/registry";

interface Entry {
  id: string;
  kind: string;
  label: string;
  detail: string;
  run(): void;
}

const SHOWN = 12;

function collect(): Entry[] {
  const known = meta.value;
  const entries: Entry[] = VIEWS.map((view) => ({
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
      run: () => {
        goToView(view.id);
        reveal(`[data-metrics~="${CSS.escape(metric.id)}"]`);
      },
    });
  }
  for (const table of known?.tables ?? []) {
    const view = VIEWS.find((one) => CONTENTS[one.id]?.tables.includes(table.name));
    if (!view) continue;
    entries.push({
      id: `table ${table.name}`,
      kind: "table",
      label: table.title,
      detail: view.title,
      run: () => {
        goToView(view.id);
        reveal(`#table-${CSS.escape(table.name)}`);
      },
    });
  }
  for (const host of known?.hosts ?? []) {
    entries.push({
      id: `host ${host.id}`,
      kind: "host",
      label: host.name,
      detail: "",
      run: () => setParams({ host: String(host.id) }),
    });
  }
  return entries;
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

/** How well an entry answers; null when it does not. */
function score(entry: Entry, words: readonly string[]): number | null {
  const label = entry.label.toLowerCase();
  const all = `${label} ${entry.detail.toLowerCase()} ${entry.kind}`;
  let total = entry.kind === "view" ? 2 : 0;
  for (const word of words) {
    if (!all.includes(word)) return null;
    total += label.startsWith(word) ? 4 : label.includes(word) ? 2 : 1;
  }
  return total;
}

export default function Palette({ close }: { close: () => void }) {
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const entries = useMemo(collect, []);
  const found = useMemo(() => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return entries
      .map((entry) => ({ entry, rank: score(entry, words) }))
      .filter((one): one is { entry: Entry; rank: number } => one.rank !== null)
      .sort((a, b) => b.rank - a.rank)
      .slice(0, SHOWN)
      .map((one) => one.entry);
  }, [entries, text]);
  const run = (entry: Entry | undefined): void => {
    if (!entry) return;
    close();
    entry.run();
  };
  const move = (by: number): void => {
    const next = (chosen + by + found.length) % Math.max(1, found.length);
    setChosen(next);
    list.current?.children[next]?.scrollIntoView({ block: "nearest" });
  };
  return (
    <div class="palette">
      <input
        role="combobox"
        aria-label="Search views, metrics, tables, hosts"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found[chosen] ? `palette-${chosen}` : undefined}
        placeholder="Views, metrics, tables, hosts"
        value={text}
        ref={(field) => field?.focus()}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") move(1);
          else if (event.key === "ArrowUp") move(-1);
          else if (event.key === "Enter") run(found[chosen]);
          else return;
          event.preventDefault();
        }}
      />
      <ul ref={list} id="palette-list" role="listbox" aria-label="Results">
        {found.map((entry, at) => (
          // biome-ignore lint/a11y/useFocusableInteractive lint/a11y/useKeyWithClickEvents: as above
          <li
            key={entry.id}
            id={`palette-${at}`}
            role="option"
            aria-selected={at === chosen}
            onPointerMove={() => setChosen(at)}
            onClick={() => run(entry)}
          >
            <span class="kind">{entry.kind}</span>
            <span class="clip">{entry.label}</span>
            <span class="muted clip">{entry.detail}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="muted">Nothing is called that.</p>}
    </div>
  );
}
