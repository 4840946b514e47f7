/** What surrounds the rows of a table: search, filters, columns, pages. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { FilterMeta, TableAnswer, TableMeta } from "../api/types.gen";
import { Menu } from "../app/menu";
import { Part } from "../app/part";
import { Shape } from "../app/shape";
import { LONGEST_SEARCH, type TableAddress, type TableQuestion } from "./query";

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

interface FiltersProps {
  meta: TableMeta;
  question: TableQuestion;
  answer: TableAnswer | null;
  address: TableAddress;
}

/** The values of a filter: as declared, or for what is only known from the rows those that occur. */
function valuesOf(
  filter: FilterMeta,
  answer: TableAnswer | null,
  pressed: readonly string[],
): FilterMeta["values"] {
  if (filter.values.length > 0) return filter.values;
  const found = new Set([...Object.keys(answer?.facets[filter.id] ?? {}), ...pressed]);
  if (found.size < 2 && pressed.length === 0) return [];
  return [...found]
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .slice(0, MOST_VALUES)
    .map((id) => ({ id, label: id.slice(0, 60) }));
}

const MOST_VALUES = 40;

export function Filters({ meta, question, answer, address }: FiltersProps) {
  const filters = meta.filters
    .map((filter) => ({ ...filter, values: valuesOf(filter, answer, question.filters[filter.id] ?? []) }))
    .filter((filter) => filter.values.length > 0);
  if (filters.length === 0) return null;
  return (
    <div class="filters">
      {filters.map((filter) => (
        <fieldset key={filter.id}>
          <legend>{filter.label}</legend>
          {filter.values.map((value) => {
            const count = answer?.facets[filter.id]?.[value.id] ?? 0;
            const severity = answer?.filter_severities[filter.id]?.[value.id];
            const isPressed = question.filters[filter.id]?.includes(value.id) ?? false;
            return (
              <button
                key={value.id}
                type="button"
                class={count === 0 ? "none" : undefined}
                aria-pressed={isPressed}
                onClick={() => address.toggleFilter(filter.id, value.id)}
              >
                {severity && severity !== "ok" && count > 0 && (
                  <span class={`severity ${severity}`}>
                    <Shape severity={severity} />
                  </span>
                )}
                <bdi>{value.label}</bdi>
                {answer && <b>{count}</b>}
              </button>
            );
          })}
        </fieldset>
      ))}
    </div>
  );
}

interface PickerProps {
  meta: TableMeta;
  hidden: readonly string[];
  /** Columns that are never shown. */
  hide: readonly string[] | undefined;
}

export function ColumnPicker({ meta, hidden, hide }: PickerProps) {
  return (
    <Menu
      label={`Columns${hidden.length > 0 ? ` (${hidden.length} hidden)` : ""}`}
      name={`Columns of ${meta.title}`}
    >
      {() => <Part load={() => import("./columns-form")} meta={meta} hide={hide} />}
    </Menu>
  );
}
