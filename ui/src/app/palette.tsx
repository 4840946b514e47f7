/** Ctrl-K: one field over views, metrics, tables, hosts, their rows, ranges and what can be set. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { collectEntries, type Entry, rangeEntry, score, show } from "./palette-entries";

const SHOWN = 12;
/** Of what needs no asking, beside rows: these come first and stay where they are. */
const SHOWN_FIRST = 8;
const TYPING_MS = 200;
/** A single letter is in every row. */
const SHORTEST = 2;

export default function Palette({ close }: { close: () => void }) {
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const entries = useMemo(collectEntries, []);
  const [rows, setRows] = useState<readonly Entry[]>([]);
  const isSearch = text.trim().length >= SHORTEST;
  useEffect(() => {
    if (!isSearch) {
      setRows([]);
      return;
    }
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      // A search that cannot be loaded finds what is known already.
      const search = await import("./palette-rows").catch(() => null);
      const found = search ? await search.searchRows(text, show, stop.signal) : [];
      if (!stop.signal.aborted) setRows(found);
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text, isSearch]);
  const known = useMemo(() => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const best = entries
      .map((entry) => ({ entry, rank: score(entry, words) }))
      .filter((one): one is { entry: Entry; rank: number } => one.rank !== null)
      .sort((a, b) => b.rank - a.rank)
      .slice(0, isSearch ? SHOWN_FIRST : SHOWN)
      .map((one) => one.entry);
    return [...rangeEntry(text), ...best];
  }, [entries, text, isSearch]);
  const found = [...known, ...rows];
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
        aria-label="Search views, metrics, tables, processes, statements, settings"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found[chosen] ? `palette-${chosen}` : undefined}
        placeholder="Views, metrics, processes, statements, tables, logs, settings, “last 6 h”, “dark”"
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
      {found.length === 0 && <p class="muted">No results.</p>}
    </div>
  );
}
