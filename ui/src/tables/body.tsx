/** The rows of a table; on a phone, where minor columns are hidden and others cut, a row opens to all it has. */

import type { ComponentChildren, CSSProperties } from "preact";
import { useState } from "preact/hooks";
import type { ColumnMeta, TableRow } from "../api/types.gen";
import { ViewLink } from "../app/link";
import { Part } from "../app/part";
import { isNumeric, keepUnits } from "../format/value";
import { CellText, LONG, LONGEST } from "./cell";
import { hottest, type Look } from "./look";

export interface RowAction {
  label: string;
  run(row: TableRow): void;
}

interface BodyProps {
  rows: readonly TableRow[];
  columns: readonly ColumnMeta[];
  /** All columns, in the order of the cells. */
  all: readonly ColumnMeta[];
  look: Look;
  selected: string | null;
  onSelect: ((row: TableRow) => void) | undefined;
  detail: ((row: TableRow) => ComponentChildren) | undefined;
  action: RowAction | undefined;
}

/** How a cell is drawn beyond its text: a class and what its style sheet computes with. */
function decorate(
  row: TableRow,
  column: ColumnMeta,
  at: number,
  look: Look,
  most: number,
): [string, CSSProperties | undefined] {
  const cell = row.cells[at];
  if (typeof cell !== "number") return ["", undefined];
  if (look.bars?.includes(column.id))
    return [" gauge", { "--share": `${Math.max(0, Math.min(100, cell))}%` }];
  if (most > 0 && cell > 0 && look.heat?.test(column.id)) {
    return [" shade", { "--heat": String(Math.sqrt(cell / most)) }];
  }
  return ["", undefined];
}

export function Body({ rows, columns, all, look, selected, onSelect, detail, action }: BodyProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string): void => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  const index = new Map(all.map((column, at) => [column.id, at]));
  const most = look.heat ? hottest(rows, all, look.heat) : 0;
  const depthAt = all.findIndex((column) => column.id === look.depth);
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
              const depth = place === 0 ? Number(row.cells[depthAt] ?? 0) : 0;
              const [extra, style] = decorate(row, column, at, look, most);
              const cell = row.cells[at];
              const load = look.parts?.[column.id];
              const words = typeof cell === "string" ? cell : "";
              const link = words === "" ? null : look.link?.(column.id, row);
              const text = link ? (
                <ViewLink {...link}>
                  {look.whole?.includes(column.id) ? (
                    <bdi class="whole">{keepUnits(words.slice(0, LONGEST))}</bdi>
                  ) : (
                    <bdi>{words.slice(0, LONG)}</bdi>
                  )}
                </ViewLink>
              ) : load && cell !== null && cell !== "" ? (
                <Part load={load} text={`${cell}`} />
              ) : (
                <CellText
                  cell={cell}
                  column={column}
                  severity={row.severities[at] ?? null}
                  plain={isOpener}
                  whole={look.whole?.includes(column.id)}
                />
              );
              return (
                <td
                  key={column.id}
                  class={`${isNumeric(column.unit) ? "number" : ""}${column.primary ? "" : " minor"}${extra}${depth > 0 ? " branch" : ""}`}
                  style={depth > 0 ? { "--depth": String(Math.min(8, depth)) } : style}
                >
                  {depth > 0 && <span class="unseen">level {depth}: </span>}
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
                <button
                  type="button"
                  class="button small"
                  onClick={(event) => {
                    // It would open the row as well.
                    event.stopPropagation();
                    action.run(row);
                  }}
                >
                  {action.label}
                </button>
              </td>
            )}
          </tr>
        );
        const below =
          detail && row.id === selected ? (
            <tr key={`${row.id} detail`} class="more detail">
              <td colSpan={columns.length + 2}>{detail(row)}</td>
            </tr>
          ) : null;
        if (!isOpen) return [line, below];
        return [
          line,
          below,
          <tr key={`${row.id} more`} class="more">
            <td colSpan={columns.length + 2}>
              <Details row={row} columns={all} all={all} />
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
