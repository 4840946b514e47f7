/** The rows of a table; on a phone the minor columns of a row open below it. */
import { useState } from "preact/hooks";
import type { ColumnMeta, TableRow } from "../api/types.gen";
import { isNumeric } from "../format/value";
import { CellText } from "./cell";

export interface RowAction {
  label: string;
  run(row: TableRow): void;
}

interface BodyProps {
  rows: readonly TableRow[];
  columns: readonly ColumnMeta[];
  /** All columns, in the order of the cells. */
  all: readonly ColumnMeta[];
  selected: string | null;
  onSelect: ((row: TableRow) => void) | undefined;
  action: RowAction | undefined;
}

export function Body({ rows, columns, all, selected, onSelect, action }: BodyProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string): void => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  const index = new Map(all.map((column, at) => [column.id, at]));
  return (
    <tbody>
      {rows.flatMap((row) => {
        const isOpen = open.has(row.id);
        const line = (
          <tr
            key={row.id}
            class={`${row.severity} ${onSelect ? "pick" : ""}`}
            aria-selected={onSelect ? row.id === selected : undefined}
            onClick={onSelect && !document.getSelection()?.toString() ? () => onSelect(row) : undefined}
          >
            <td class="opener">
              <button
                type="button"
                aria-expanded={isOpen}
                aria-label="More of this row"
                onClick={(event) => {
                  event.stopPropagation();
                  toggle(row.id);
                }}
              >
                {isOpen ? "▾" : "▸"}
              </button>
            </td>
            {columns.map((column, place) => {
              const at = index.get(column.id) ?? 0;
              const isOpener = place === 0 && onSelect !== undefined;
              const text = (
                <CellText
                  cell={row.cells[at]}
                  column={column}
                  severity={row.severities[at] ?? null}
                  plain={isOpener}
                />
              );
              return (
                <td
                  key={column.id}
                  class={`${isNumeric(column.unit) ? "number" : ""}${column.primary ? "" : " minor"}`}
                >
                  {isOpener ? (
                    <button type="button" class="row-button" aria-expanded={row.id === selected}>
                      {text}
                    </button>
                  ) : (
                    text
                  )}
                </td>
              );
            })}
            {action && (
              <td>
                <button type="button" class="button small" onClick={() => action.run(row)}>
                  {action.label}
                </button>
              </td>
            )}
          </tr>
        );
        if (!isOpen) return [line];
        return [
          line,
          <tr key={`${row.id} more`} class="more">
            <td colSpan={columns.length + 2}>
              <Details row={row} columns={all.filter((column) => !column.primary)} all={all} />
            </td>
          </tr>,
        ];
      })}
    </tbody>
  );
}

export function Details({
  row,
  columns,
  all,
}: {
  row: TableRow;
  columns: readonly ColumnMeta[];
  all: readonly ColumnMeta[];
}) {
  return (
    <dl class="details">
      {columns.map((column) => {
        const at = all.indexOf(column);
        return (
          <div key={column.id}>
            <dt>{column.label}</dt>
            <dd>
              <CellText cell={row.cells[at]} column={column} severity={row.severities[at] ?? null} />
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
