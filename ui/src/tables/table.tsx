/**
 * Every table of the pages.
 *
 * The server sorts, searches, filters and pages; the table shows one page of it, keyed by row id so
 * that focus and selection outlive a refresh. Its state is in the address, its columns and page size
 * are preferences.
 */
import type { ComponentChildren } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { apiUrl, loadJson } from "../api/client";
import { useResource } from "../api/resource";
import { freshness, tablesByName, trusted } from "../api/store";
import type { ColumnMeta, TableAnswer, TableMeta, TableRow } from "../api/types.gen";
import { FailureNote, Skeleton, whyEmpty } from "../app/panel";
import { Part } from "../app/part";
import { useNear } from "../charts/near";
import { place, setParams } from "../state/location";
import { preferences } from "../state/preferences";
import { param } from "../state/url";
import { Body, type RowAction } from "./body";
import { Head } from "./head";
import { type Look, shownColumns } from "./look";
import { arrangeRows } from "./order";
import {
  type Fixed,
  isFiltered,
  PAGE_SIZES,
  type TableAddress,
  type TableQuestion,
  tableAddress,
  tablePath,
} from "./query";
import { ColumnPicker, Filters, SearchField } from "./tools";

interface DataTableProps {
  name: string;
  /** The view's first table owns the plain parameters of the address. */
  primary?: boolean;
  selected?: string | null;
  onSelect?(row: TableRow): void;
  /** What opens below the selected row; the address then keeps which one that is. */
  detail?(row: TableRow): ComponentChildren;
  action?: RowAction;
  look?: Look;
  /** One line as long as it is empty. */
  quiet?: boolean;
  /** Filters that the view sets, so the table offers none for them. */
  only?: Fixed | undefined;
  /** Further parameters of the question. */
  ask?: Fixed | undefined;
  /** Called with every answer. */
  children?(answer: TableAnswer): ComponentChildren;
}

export function DataTable(props: DataTableProps) {
  const known = tablesByName.value.get(props.name);
  const only = Object.keys(props.only ?? {}).join();
  const meta = useMemo(
    () =>
      known && { ...known, filters: known.filters.filter((filter) => !only.split(",").includes(filter.id)) },
    [known, only],
  );
  if (!meta) return null;
  if (!props.detail) return <KnownTable {...props} meta={meta} />;
  const prefix = props.primary ? "" : `${props.name}.`;
  const selected = param(place.value, `${prefix}sel`);
  return (
    <KnownTable
      {...props}
      meta={meta}
      selected={selected}
      onSelect={(row) => setParams({ [`${prefix}sel`]: row.id === selected ? null : row.id })}
    />
  );
}

function KnownTable(props: DataTableProps & { meta: TableMeta }) {
  const { name, meta } = props;
  const root = useRef<HTMLElement>(null);
  const near = useNear(root);
  const wasNear = useRef(false);
  wasNear.current ||= near;
  const address = useMemo(() => tableAddress(props.primary ? "" : `${name}.`), [name, props.primary]);
  const question = address.read(meta, preferences.value.pageSize);
  const path = tablePath(meta, question, props.only, undefined, props.ask);
  const resource = useResource<TableAnswer>(
    near || (props.primary && wasNear.current) ? path : null,
    loadJson<TableAnswer>,
  );
  const answer = resource.data.value;
  const hidden = preferences.value.hiddenColumns[name] ?? [];
  const isQuiet =
    props.quiet && !resource.failure.value && !(answer && (answer.matched > 0 || isFiltered(question)));
  // What a view fixes is the same in every row.
  const visible = meta.columns.filter(
    (column) => !hidden.includes(column.id) && props.only?.[column.id] === undefined,
  );
  return (
    <section
      ref={root}
      id={`table-${name}`}
      class={`panel table-panel${isQuiet ? " quiet" : ""}${trusted.value || freshness.value === "loading" ? "" : " grey"}`}
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
            {isFiltered(question) && !props.only ? `${answer.matched} of ${answer.total}` : answer.matched}
          </span>
        )}
        {answer && answer.source !== "raw" && (
          <span class="chip" title="Where samples are gone, the range is whole hours or days (UTC).">
            {answer.source} sums
          </span>
        )}
        <span class="grow" />
        <ColumnPicker meta={meta} hidden={hidden} hide={props.look?.hide} />
        <a
          class="button"
          href={apiUrl(tablePath(meta, question, props.only, "csv", props.ask))}
          download={`${name}.csv`}
        >
          CSV
        </a>
      </header>
      {meta.filters.length > 0 && (
        <Filters meta={meta} question={question} answer={answer} address={address} />
      )}
      <FailureNote resource={resource} brief={answer !== null} />
      {answer?.note && answer.total > 0 && !props.only && <p class="note">{answer.note}</p>}
      {answer === null && !resource.failure.value && !isQuiet && <Skeleton height={220} still={!near} />}
      {answer && (
        <Rows
          {...props}
          answer={answer}
          path={path}
          visible={visible}
          question={question}
          address={address}
          isOutdated={resource.outdated.value || !resource.isAnswerOf(path)}
        />
      )}
      {answer && (answer.matched > PAGE_SIZES[0] || answer.pages > 1) && (
        <Part
          load={() => import("./pager")}
          answer={answer}
          limit={question.limit}
          onPage={(page: number) => address.write({ page })}
        />
      )}
    </section>
  );
}

/** Returns the note of the server about missing rows; when one server is shown, that about it. */
function noteOf({ note }: TableAnswer, only: DataTableProps["only"]): string {
  if (!only?.instance) return note;
  const begin = `${only.instance}: `;
  const lines = note.split("\n").filter((line) => line.startsWith(begin));
  return lines.map((line) => line.slice(begin.length)).join(" ");
}

interface RowsProps extends DataTableProps {
  meta: TableMeta;
  answer: TableAnswer;
  path: string;
  visible: readonly ColumnMeta[];
  question: TableQuestion;
  address: TableAddress;
  isOutdated: boolean;
}

const PLAIN: Look = {};

function Rows({ meta, answer, path, visible, question, address, isOutdated, ...props }: RowsProps) {
  const look = props.look ?? PLAIN;
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
  const columns = shownColumns(visible, meta.columns, rows, look);
  if (answer.matched === 0 && !isOutdated) {
    return isFiltered(question) ? (
      <div class="empty">
        <p>
          {props.only || answer.total === 1 ? "No rows match." : `None of ${answer.total} rows match.`}{" "}
          <button type="button" class="button" onClick={() => address.clear(meta)}>
            Clear filter
          </button>
        </p>
      </div>
    ) : (
      <div class="empty">
        <p>{noteOf(answer, props.only) || whyEmpty(meta.empty || "No rows.")}</p>
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
          <Head
            table={meta.name}
            columns={columns}
            sort={question.sort}
            look={look}
            action={props.action?.label}
            onSort={(sort) => address.write({ sort })}
          />
          <Body
            rows={rows}
            columns={columns}
            all={meta.columns}
            look={look}
            selected={props.selected ?? null}
            onSelect={props.onSelect}
            detail={props.detail}
            action={props.action}
          />
        </table>
      </section>
    </div>
  );
}
