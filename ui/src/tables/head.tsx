/** The head of a table: sorting, and headings over neighbouring columns. */
import { texts, wantTexts } from "../api/texts";
import type { ColumnMeta } from "../api/types.gen";
import { isNumeric } from "../format/value";
import { groupColumns, type Look } from "./look";
import { nextSort } from "./query";

interface HeadProps {
  table: string;
  columns: readonly ColumnMeta[];
  sort: string;
  look: Look;
  action: string | undefined;
  onSort(sort: string | null): void;
}

export function Head({ table, columns, sort, look, action, onSort }: HeadProps) {
  const sorted = sort.replace(/^-/, "");
  return (
    <thead onPointerEnter={wantTexts}>
      {look.group && (
        <tr class="groups">
          <td class="opener" />
          {groupColumns(columns, look.group).map(({ title, span }, at) =>
            title ? (
              <th key={`${title} ${at}`} colSpan={span} scope="colgroup">
                {title}
              </th>
            ) : (
              <td key={`${at}`} colSpan={span} />
            ),
          )}
          {action && <td />}
        </tr>
      )}
      <tr>
        <th class="opener" scope="col">
          <span class="unseen">More</span>
        </th>
        {columns.map((column) => {
          const numeric = isNumeric(column.unit);
          const direction =
            sorted === column.id ? (sort.startsWith("-") ? "descending" : "ascending") : undefined;
          return (
            <th
              key={column.id}
              scope="col"
              class={`${numeric ? "number" : ""}${column.primary ? "" : " minor"}`}
              aria-sort={direction}
            >
              <button
                type="button"
                title={texts.value?.columns[table]?.[column.id]}
                onClick={() => onSort(nextSort(sort, column.id, numeric))}
              >
                {column.label}
                <span class="arrow" aria-hidden="true">
                  {direction === "descending" ? "▼" : direction === "ascending" ? "▲" : ""}
                </span>
              </button>
            </th>
          );
        })}
        {action && (
          <th scope="col">
            <span class="unseen">{action}</span>
          </th>
        )}
      </tr>
    </thead>
  );
}
