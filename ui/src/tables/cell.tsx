/**
 * One cell, by its unit.
 *
 * Figures carry their exact value, times are relative and absolute, long text can be opened in
 * place. Whatever the server sends is text.
 */
import { useState } from "preact/hooks";
import { clock } from "../api/store";
import type { Cell, ColumnMeta, Severity } from "../api/types.gen";
import { Part } from "../app/part";
import { SEVERITY_WORD, SeverityMark, Shape } from "../app/shape";
import { formatAgo, formatDateTime } from "../format/time";
import { formatExact, formatValue, isNumeric, keepUnits } from "../format/value";
import { utc } from "../state/location";

export const LONG = 40;
/** Longer texts are cut; the CSV has all of it. */
export const LONGEST = 4000;

interface CellProps {
  cell: Cell | undefined;
  column: ColumnMeta;
  severity: Severity | null;
  /** Inside a button: long text is cut and not to be opened. */
  plain?: boolean;
  /** Long text wraps. */
  whole?: boolean | undefined;
}

export function CellText({ cell, column, severity, plain = false, whole = false }: CellProps) {
  const marked = severity !== null && severity !== "ok";
  return (
    <>
      {marked && (
        <span class={`severity ${severity}`}>
          <Shape severity={severity} />
          <span class="unseen">{SEVERITY_WORD[severity]} </span>
        </span>
      )}
      {whole && typeof cell === "string" && cell !== "" ? (
        <bdi class="whole">{keepUnits(cell.slice(0, LONGEST))}</bdi>
      ) : (
        <Content cell={cell} column={column} plain={plain} />
      )}
    </>
  );
}

function Content({ cell, column, plain = false }: Omit<CellProps, "severity">) {
  if (cell === null || cell === undefined || cell === "") return <span class="muted">–</span>;
  if (column.unit === "severity" && typeof cell === "string" && Object.hasOwn(SEVERITY_WORD, cell)) {
    return <SeverityMark severity={cell as Severity} />;
  }
  if (column.unit === "time_ms" && typeof cell === "number") {
    return <Instant ms={cell} />;
  }
  if (typeof cell === "string" && !plain && /^(command|remedy)$/.test(column.id)) {
    return (
      <Part
        load={() => import("./command")}
        text={cell.slice(0, LONGEST)}
        name={column.label.toLowerCase()}
      />
    );
  }
  if (typeof cell === "string") return <Text text={cell} plain={plain} />;
  // A process number is a name, not a quantity.
  if (/(^|_)pid$/.test(column.id)) return <>{String(cell)}</>;
  if (!isNumeric(column.unit)) return <>{formatValue(cell, column.unit)}</>;
  return <span title={formatExact(cell, column.unit)}>{formatValue(cell, column.unit)}</span>;
}

/** Younger instants do not need their day where room is scarce. */
const RECENT_MS = 12 * 3_600_000;

function Instant({ ms }: { ms: number }) {
  const text = formatDateTime(ms, utc.value);
  const clockAt = Math.max(0, text.search(/\d\d:/));
  const isRecent = Math.abs(clock.value - ms) < RECENT_MS;
  return (
    <time dateTime={isoTime(ms)} title={isoTime(ms)} class={isRecent ? "recent" : undefined}>
      <span class="day">{text.slice(0, clockAt)}</span>
      {text.slice(clockAt)} <span class="muted">{formatAgo(ms, clock.value)}</span>
    </time>
  );
}

function isoTime(ms: number): string | undefined {
  return Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : undefined;
}

function Text({ text, plain }: { text: string; plain: boolean }) {
  const [isOpen, setOpen] = useState(false);
  if (text.length <= LONG) return <bdi>{text}</bdi>;
  if (plain) return <bdi title={text.slice(0, LONGEST)}>{`${text.slice(0, LONG)}…`}</bdi>;
  return (
    <button
      type="button"
      class={`long${isOpen ? " open" : ""}`}
      aria-expanded={isOpen}
      onClick={(event) => {
        event.stopPropagation();
        setOpen(!isOpen);
      }}
    >
      <bdi>{isOpen ? text.slice(0, LONGEST) : `${text.slice(0, LONG)}…`}</bdi>
    </button>
  );
}
