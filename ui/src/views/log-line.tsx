/** One line of a log; opened, all that is known of it. */
import type { LogRow, Severity } from "../api/types.gen";
import { ViewLink } from "../app/link";
import { Part } from "../app/part";
import { Shape } from "../app/shape";
import { formatDateTime } from "../format/time";
import { formatExact } from "../format/value";
import { atInstant } from "../state/instant";
import { utc } from "../state/location";

const SEVERITY: Readonly<Record<string, Severity>> = { error: "critical", warn: "warn" };
const LONGEST = 300;

interface LineProps {
  row: LogRow;
  isOpen: boolean;
  /** The one the page was opened for. */
  isMarked: boolean;
  onToggle(): void;
  onAround(): void;
  onPattern(): void;
}

export function Line({ row, isOpen, isMarked, onToggle, onAround, onPattern }: LineProps) {
  const severity = SEVERITY[row.level];
  const iso = new Date(row.ts_ms).toISOString();
  return (
    <li class={row.level} aria-current={isMarked ? "true" : undefined}>
      <button type="button" aria-expanded={isOpen} onClick={onToggle}>
        <time dateTime={iso} title={iso}>
          {formatDateTime(row.ts_ms, utc.value)}.{iso.slice(20, 23)}
        </time>
        <span class={`level ${severity ? `severity ${severity}` : "muted"}`}>
          {severity && <Shape severity={severity} />}
          {row.level}
        </span>
        <span class="source muted">
          <bdi>
            {row.source}
            {row.component && ` ${row.component}`}
          </bdi>
        </span>
        <code>
          <bdi>{row.message.slice(0, LONGEST)}</bdi>
        </code>
      </button>
      {isOpen && (
        <div class="statement">
          <section class="text" tabIndex={0} aria-label="Message">
            <pre>
              <bdi>{row.message}</bdi>
            </pre>
          </section>
          {row.message_chars !== null && (
            <p class="muted">Cut: the line has {formatExact(row.message_chars, "count")} characters.</p>
          )}
          <p class="actions">
            <button type="button" class="button small" onClick={onAround}>
              ± 1 minute
            </button>
            <button type="button" class="button small" onClick={onPattern}>
              All lines of this pattern
            </button>
            <ViewLink view="snapshot" params={atInstant(row.ts_ms)} class="button small">
              Snapshot
            </ViewLink>
            <Part load={() => import("../tables/command")} text={row.message} name="line" brief />
          </p>
          <Context text={row.context} row={row} />
        </div>
      )}
    </li>
  );
}

function Context({ text, row }: { text: string | null; row: LogRow }) {
  const facts: [string, unknown][] = [
    ["source", row.source],
    ["component", row.component],
    ["time", new Date(row.ts_ms).toISOString()],
    ["pattern", row.fingerprint],
    ...Object.entries(parsed(text)),
  ];
  return (
    <dl class="details">
      {facts
        .filter(([, value]) => value !== "" && value !== null)
        .map(([name, value]) => (
          <div key={name} class={String(value).includes("\n") ? "wide" : undefined}>
            <dt>
              <bdi>{name}</bdi>
            </dt>
            <dd>
              <bdi>{typeof value === "string" ? value : JSON.stringify(value)}</bdi>
            </dd>
          </div>
        ))}
    </dl>
  );
}

/** What stands in a context, whatever it is. */
function parsed(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return value !== null && typeof value === "object" ? { ...value } : { context: value };
  } catch {
    return { context: text };
  }
}
