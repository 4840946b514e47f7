/** What surrounds the rows of a table: search, chips, columns, pages. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { TableAnswer, TableMeta } from "../api/types.gen";
import { Menu } from "../app/menu";
import { Shape } from "../app/shape";
import { preferences, setPreferences } from "../state/preferences";
import { LONGEST_SEARCH, PAGE_SIZES, type TableAddress, type TableQuestion } from "./query";

const TYPING_MS = 250;

interface SearchProps {
  value: string;
  label: string;
  onSearch(text: string): void;
}

/** Asks when typing pauses; what is typed is never overwritten by an older answer. */
export function SearchField({ value, label, onSearch }: SearchProps) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    if (timer.current === undefined) setText(value);
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <input
      type="search"
      aria-label={label}
      placeholder="Search"
      maxLength={LONGEST_SEARCH}
      value={text}
      onInput={(event) => {
        const next = event.currentTarget.value;
        setText(next);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => {
          timer.current = undefined;
          onSearch(next);
        }, TYPING_MS);
      }}
    />
  );
}

interface ChipsProps {
  meta: TableMeta;
  question: TableQuestion;
  answer: TableAnswer | null;
  address: TableAddress;
}

export function Chips({ meta, question, answer, address }: ChipsProps) {
  return (
    <div class="chips">
      {meta.chips.map((chip) => (
        <fieldset key={chip.id}>
          <legend>{chip.label}</legend>
          {chip.values.map((value) => {
            const count = answer?.facets[chip.id]?.[value.id] ?? 0;
            const severity = answer?.chip_severities[chip.id]?.[value.id];
            const isPressed = question.filters[chip.id]?.includes(value.id) ?? false;
            return (
              <button
                key={value.id}
                type="button"
                class={count === 0 ? "none" : undefined}
                aria-pressed={isPressed}
                onClick={() => address.toggleFilter(chip.id, value.id)}
              >
                {severity && severity !== "ok" && count > 0 && (
                  <span class={`severity ${severity}`}>
                    <Shape severity={severity} />
                  </span>
                )}
                {value.label}
                {answer && <b>{count}</b>}
              </button>
            );
          })}
        </fieldset>
      ))}
    </div>
  );
}

export function ColumnPicker({ meta, hidden }: { meta: TableMeta; hidden: readonly string[] }) {
  const set = (column: string, isShown: boolean): void => {
    const next = isShown ? hidden.filter((id) => id !== column) : [...hidden, column];
    if (next.length >= meta.columns.length) return;
    setPreferences({ hiddenColumns: { ...preferences.peek().hiddenColumns, [meta.name]: next } });
  };
  return (
    <Menu
      label={`Columns${hidden.length > 0 ? ` (${hidden.length} hidden)` : ""}`}
      name={`Columns of ${meta.title}`}
    >
      {() => (
        <div class="form columns-form">
          {meta.columns.map((column) => (
            <label key={column.id} class="check">
              <input
                type="checkbox"
                checked={!hidden.includes(column.id)}
                onChange={(event) => set(column.id, event.currentTarget.checked)}
              />
              <span>
                {column.label}
                <span class="muted"> {column.what}</span>
              </span>
            </label>
          ))}
        </div>
      )}
    </Menu>
  );
}

interface PagerProps {
  answer: TableAnswer;
  limit: number;
  onPage(page: number): void;
}

export function Pager({ answer, limit, onPage }: PagerProps) {
  if (answer.matched <= PAGE_SIZES[0] && answer.pages <= 1) return null;
  const { page, pages } = answer;
  return (
    <footer class="pager">
      <button type="button" class="button small" disabled={page <= 0} onClick={() => onPage(page - 1)}>
        Previous
      </button>
      <span>
        Page {page + 1} of {Math.max(1, pages)}
      </span>
      <button
        type="button"
        class="button small"
        disabled={page + 1 >= pages}
        onClick={() => onPage(page + 1)}
      >
        Next
      </button>
      <span class="grow" />
      <label>
        Rows{" "}
        <select
          value={String(limit)}
          onChange={(event) => {
            setPreferences({ pageSize: Number(event.currentTarget.value) });
            onPage(0);
          }}
        >
          {PAGE_SIZES.map((size) => (
            <option key={size} value={String(size)}>
              {size}
            </option>
          ))}
        </select>
      </label>
    </footer>
  );
}
