/**
 * Every table of the pages.
 *
 * The server sorts, searches, filters and pages; the table shows one page of it, keyed by row id so
 * that focus and selection outlive a refresh. Its state is in the address, its columns and page size
 * are preferences.
 */
import type { ComponentChildren } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { apiUrl, getJson } from "../api/client";
import { useResource } from "../api/resource";
import { freshness, tablesByName, trusted } from "../api/store";
import type { ColumnMeta, TableAnswer, TableMeta, TableRow } from "../api/types.gen";
import { FailureNote, Skeleton, whyEmpty } from "../app/panel";
import { useNear } from "../charts/near";
import { isNumeric } from "../format/value";
import { preferences } from "../state/preferences";
import { Body, type RowAction } from "./body";
import { arrangeRows } from "./order";
import {
  isFiltered,
  nextSort,
  type TableAddress,
  type TableQuestion,
  tableAddress,
  tablePath,
} from "./query";
import { Chips, ColumnPicker, Pager, SearchField } from "./tools";

interface DataTableProps {
  name: string;
  /** The view's first table owns the plain parameters of the address. */
  primary?: boolean;
  selected?: string | null;
  onSelect?(row: TableRow): void;
  action?: RowAction;
  /** Told of every answer. */
  children?(answer: TableAnswer): ComponentChildren;
}

export function DataTable(props: DataTableProps) {
  const meta = tablesByName.value.get(props.name);
  return meta ? <KnownTable {...props} meta={meta} /> : null;
}

function KnownTable(props: DataTableProps & { meta: TableMeta }) {
  const { name, meta } = props;
  const root = useRef<HTMLElement>(null);
  const near = useNear(root);
  const wasNear = useRef(false);
  wasNear.current ||= near;
  const address = useMemo(() => tableAddress(props.primary ? "" : `${name}.`), [name, props.primary]);
  const question = address.read(meta, preferences.value.pageSize);
  const path = tablePath(name, question);
  const resource = useResource<TableAnswer>(
    near || (props.primary && wasNear.current) ? path : null,
    (url, _, signal) => getJson<TableAnswer>(url, signal),
  );
  const answer = resource.data.value;
  const hidden = preferences.value.hiddenColumns[name] ?? [];
  const columns = meta.columns.filter((column) => !hidden.includes(column.id));
  return (
    <section
      ref={root}
      id={`table-${name}`}
      class={`panel table-panel${trusted.value || freshness.value === "loading" ? "" : " grey"}`}
      aria-label={meta.title}
    >
      {answer && props.children?.(answer)}
      <header>
        <h2>{meta.title}</h2>
        <SearchField
          value={question.q}
          label={`Search ${meta.title}`}
          onSearch={(q) => address.write({ q })}
        />
        {answer && (
          <span class="count muted" role="status">
            {isFiltered(question) ? `${answer.matched} of ${answer.total}` : answer.total}
          </span>
        )}
        <span class="grow" />
        <ColumnPicker meta={meta} hidden={hidden} />
        <a class="button" href={apiUrl(tablePath(name, question, "csv"))} download={`${name}.csv`}>
          CSV
        </a>
      </header>
      {meta.chips.length > 0 && <Chips meta={meta} question={question} answer={answer} address={address} />}
      <FailureNote resource={resource} brief={answer !== null} />
      {answer?.note && <p class="note">{answer.note}</p>}
      {answer === null && !resource.failure.value && <Skeleton height={220} />}
      {answer && (
        <Rows
          {...props}
          answer={answer}
          path={path}
          columns={columns}
          question={question}
          address={address}
          isOutdated={resource.outdated.value}
        />
      )}
      {answer && <Pager answer={answer} limit={question.limit} onPage={(page) => address.write({ page })} />}
    </section>
  );
}

interface RowsProps extends DataTableProps {
  meta: TableMeta;
  answer: TableAnswer;
  path: string;
  columns: readonly ColumnMeta[];
  question: TableQuestion;
  address: TableAddress;
  isOutdated: boolean;
}

function Rows({ meta, answer, path, columns, question, address, isOutdated, ...props }: RowsProps) {
  const [isHeld, setHeld] = useState(false);
  const [applied, setApplied] = useState(0);
  const shown = useRef<{ path: string; applied: number; rows: TableRow[] }>({
    path: "",
    applied: 0,
    rows: [],
  });
  const isSame = shown.current.path === path && shown.current.applied === applied;
  const { rows, isWaiting } = isOutdated
    ? { rows: shown.current.rows, isWaiting: false }
    : arrangeRows(isSame ? shown.current.rows : [], answer.rows, isHeld);
  shown.current = { path: isOutdated ? shown.current.path : path, applied, rows };
  const sorted = question.sort.replace(/^-/, "");
  if (answer.matched === 0 && !isOutdated) {
    return isFiltered(question) ? (
      <div class="empty">
        <p>
          None of {answer.total} rows matches.{" "}
          <button type="button" class="button" onClick={() => address.clear(meta)}>
            Clear filter
          </button>
        </p>
      </div>
    ) : (
      <div class="empty">
        <p>{answer.note || whyEmpty(meta.empty || "Nothing here.")}</p>
      </div>
    );
  }
  return (
    <div
      class="rows"
      onPointerEnter={(event) => event.pointerType === "mouse" && setHeld(true)}
      onPointerLeave={() => setHeld(false)}
    >
      {isWaiting && (
        <button type="button" class="button order" onClick={() => setApplied(applied + 1)}>
          Order changed · apply
        </button>
      )}
      <section
        class={`scroll${isOutdated ? " outdated" : ""}`}
        tabIndex={0}
        aria-label={`${meta.title}, rows`}
      >
        <table class="data">
          <thead>
            <tr>
              <th class="opener" scope="col">
                <span class="unseen">More</span>
              </th>
              {columns.map((column) => {
                const numeric = isNumeric(column.unit);
                const direction =
                  sorted === column.id
                    ? question.sort.startsWith("-")
                      ? "descending"
                      : "ascending"
                    : undefined;
                return (
                  <th
                    key={column.id}
                    scope="col"
                    class={`${numeric ? "number" : ""}${column.primary ? "" : " minor"}`}
                    aria-sort={direction}
                  >
                    <button
                      type="button"
                      title={column.what}
                      onClick={() => address.write({ sort: nextSort(question.sort, column.id, numeric) })}
                    >
                      {column.label}
                      <span class="arrow" aria-hidden="true">
                        {direction === "descending" ? "▼" : direction === "ascending" ? "▲" : ""}
                      </span>
                    </button>
                  </th>
                );
              })}
              {props.action && (
                <th scope="col">
                  <span class="unseen">{props.action.label}</span>
                </th>
              )}
            </tr>
          </thead>
          <Body
            rows={rows}
            columns={columns}
            all={meta.columns}
            selected={props.selected ?? null}
            onSelect={props.onSelect}
            action={props.action}
          />
        </table>
      </section>
    </div>
  );
}
