/** What can be done with a snapshot: its window, the events beside it, Markdown, a file. */
import { useState } from "preact/hooks";
import { apiUrl } from "../api/client";
import type { Beside, Snapshot } from "../api/types.gen";
import { ViewLink } from "../app/link";
import { formatClock } from "../format/time";
import { atInstant } from "../state/instant";
import { setRange, utc } from "../state/location";
import { absoluteRange } from "../state/range";
import type { Sides } from "./snapshot";

const MINUTES = [2, 5, 10, 15, 30];
const MINUTE_MS = 60_000;
const SAID_MS = 4000;
const COPY = "Copy as Markdown";

interface ToolsProps {
  atMs: number;
  sides: Sides;
  /** Of the answer, below the API. */
  path: string;
  snapshot: Snapshot | null;
}

export function Tools({ atMs, sides, path, snapshot }: ToolsProps) {
  const show = ({ before, after }: Sides): void =>
    setRange(absoluteRange(atMs - before * MINUTE_MS, atMs + after * MINUTE_MS));
  return (
    <div class="snapshot-tools">
      <fieldset class="choice">
        <legend>Window</legend>
        {MINUTES.map((minutes) => (
          <button
            key={minutes}
            type="button"
            aria-pressed={sides.before === minutes && sides.after === minutes}
            onClick={() => show({ before: minutes, after: minutes })}
          >
            ±{minutes} min
          </button>
        ))}
        <Minutes label="before" value={sides.before} onChange={(before) => show({ ...sides, before })} />
        <Minutes label="after" value={sides.after} onChange={(after) => show({ ...sides, after })} />
      </fieldset>
      <span class="actions">
        <Step to="previous" event={snapshot?.previous ?? null} />
        <Step to="next" event={snapshot?.next ?? null} />
        <CopyMarkdown path={path} />
        <a class="button small" href={apiUrl(`${path}&format=file`)} download>
          Download JSON
        </a>
      </span>
    </div>
  );
}

interface MinutesProps {
  label: string;
  value: number;
  onChange(minutes: number): void;
}

function Minutes({ label, value, onChange }: MinutesProps) {
  // What is being typed outlives a refresh.
  const [draft, setDraft] = useState<string | null>(null);
  return (
    <label>
      {label}{" "}
      <input
        type="number"
        min={1}
        max={60}
        value={draft ?? value}
        aria-label={`Minutes ${label}`}
        onInput={(event) => setDraft(event.currentTarget.value)}
        onBlur={() => setDraft(null)}
        onChange={(event) => {
          const typed = event.currentTarget.valueAsNumber;
          setDraft(null);
          if (Number.isFinite(typed)) onChange(Math.max(1, Math.min(60, Math.round(typed))));
        }}
      />
    </label>
  );
}

function Step({ to, event }: { to: "previous" | "next"; event: Beside | null }) {
  const word = to === "previous" ? "Previous event" : "Next event";
  const key = to === "previous" ? "[" : "]";
  if (!event) {
    return (
      <button type="button" class="button small" disabled title={`There is no ${to} event`}>
        {word} <kbd>{key}</kbd>
      </button>
    );
  }
  return (
    <span title={`${formatClock(event.at_ms, utc.value)} ${event.title}`}>
      <ViewLink
        view="snapshot"
        params={atInstant(event.at_ms, { finding: event.id })}
        class="button small"
        step={to}
      >
        {word} <kbd>{key}</kbd>
      </ViewLink>
    </span>
  );
}

function CopyMarkdown({ path }: { path: string }) {
  const [label, setLabel] = useState(COPY);
  const [text, setText] = useState("");
  const copy = async (): Promise<void> => {
    let said = "Copied";
    try {
      const answer = await fetch(apiUrl(`${path}&format=markdown`));
      if (!answer.ok) throw new Error(`${answer.status}`);
      const markdown = await answer.text();
      try {
        await navigator.clipboard.writeText(markdown);
      } catch {
        // No clipboard without a secure origin: shown, it can be copied by hand.
        setText(markdown);
        said = "Press Ctrl C";
      }
    } catch {
      said = "Not copied: the server does not answer";
    }
    setLabel(said);
    setTimeout(() => setLabel(COPY), SAID_MS);
  };
  return (
    <>
      <button type="button" class="button small" aria-label={COPY} onClick={() => void copy()}>
        <span role="status">{label}</span>
      </button>
      {text && (
        <textarea readOnly rows={6} aria-label="Markdown" value={text} ref={(field) => field?.select()} />
      )}
    </>
  );
}
