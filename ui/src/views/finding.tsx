/** One finding: what was seen, what to do, its history, and the ways to what it is about. */
import { batch } from "@preact/signals";
import { metricWithKey } from "../api/series";
import { serverNow, tablesByName } from "../api/store";
import type { TableRow } from "../api/types.gen";
import { Coded } from "../app/coded";
import { ViewLink } from "../app/link";
import { Part } from "../app/part";
import { keepUnits } from "../format/value";
import { atInstant } from "../state/instant";
import { goToView, range, setRange } from "../state/location";
import type { Range } from "../state/range";
import { Details } from "../tables/body";
import { FINDING_DETAILS } from "./finding-columns";
import { aroundFinding, rangeOfPattern } from "./finding-lines";
import { placeOf } from "./finding-place";
import { readHypotheses } from "./hypotheses";
import { cellOf } from "./pick";
import { viewById } from "./registry";

type Filters = Readonly<Record<string, string>>;

interface FindingProps {
  row: TableRow;
  /** Leads to the lines with these filters and no others; without it to those in the view of logs. */
  show?: ((filters: Filters) => void) | undefined;
  /** With the view, the chart and the history, where it does not stand beside them. */
  whole?: boolean;
}

/** Shown in the row itself. */
const SHOWN = /^(title|severity|state)$/;

export default function Finding({ row, show, whole = false }: FindingProps) {
  const meta = tablesByName.value.get("findings");
  if (!meta) return null;
  const cell = (column: string): string => cellOf(meta, row.cells, column);
  const steps = cell("steps").split("\n").filter(Boolean);
  const metric = cell("metric");
  const key = cell("metric_key");
  return (
    <div class="statement finding">
      {(cell("message") !== cell("title") || !whole) && (
        <p>
          <bdi>{cell("message")}</bdi>
        </p>
      )}
      {cell("culprit") && (
        <p>
          Cause: <bdi>{cell("culprit")}</bdi>
        </p>
      )}
      {cell("hypotheses") && <Hypotheses text={cell("hypotheses")} />}
      {cell("because") && (
        <p>
          Follows from: <bdi>{cell("because")}</bdi>
        </p>
      )}
      {steps.length > 0 && (
        <section aria-label="What to do">
          <h3>What to do</h3>
          <ol>
            {steps.map((step, at) => (
              <li key={`${at}`}>
                <Coded text={step} />
              </li>
            ))}
          </ol>
        </section>
      )}
      {["command", "action_sql"].map(
        (name) =>
          cell(name) && (
            <Part
              key={`${name} ${cell(name)}`}
              load={() => import("../tables/command")}
              text={cell(name)}
              name={name === "command" ? name : "statement"}
            />
          ),
      )}
      <Ways row={row} cell={cell} show={show} whole={whole} />
      {whole && (
        <Part
          load={() => import("./finding-more")}
          id={row.id}
          metric={metric}
          series={metricWithKey(metric, key === "" || key === "*" ? null : key)}
        />
      )}
      <Details
        row={row}
        columns={meta.columns.filter(
          (column, at) =>
            !SHOWN.test(column.id) && !FINDING_DETAILS.includes(column.id) && (row.cells[at] ?? "") !== "",
        )}
        all={meta.columns}
      />
    </div>
  );
}

/** Possible causes, the likeliest first, each with its evidence. */
function Hypotheses({ text }: { text: string }) {
  return (
    <section aria-label="Possible causes">
      <h3>Possible causes</h3>
      <ol class="hypotheses">
        {readHypotheses(text).map(({ says, more }, at) => (
          <li key={`${at}`}>
            <bdi>{keepUnits(says)}</bdi>
            <ul>
              {more.map((line, nth) => (
                <li key={`${nth}`}>
                  <Coded text={keepUnits(line)} />
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </section>
  );
}

interface WaysProps extends FindingProps {
  cell(column: string): string;
}

/** Leads to the lines that it is about, and to its view. */
function Ways({ row, cell, show, whole }: WaysProps) {
  const source = cell("source");
  const pattern = cell("pattern");
  const sinceMs = Number(cell("since_ms"));
  const place = whole ? placeOf(cell("metric"), cell("metric_key"), cell("domain")) : null;
  const view = place && viewById(place.view);
  const lead = (span: Range, filters: Filters): void =>
    batch(() => {
      if (span !== range.peek()) setRange(span);
      if (show) show(filters);
      else goToView("logs", filters);
    });
  return (
    <p class="actions">
      <ViewLink view="snapshot" params={atInstant(sinceMs, { finding: row.id })} class="button small">
        Snapshot
      </ViewLink>
      {view && (
        <ViewLink view={view.id} params={place.params} class="button small">
          Go to {view.title}
        </ViewLink>
      )}
      {pattern && (
        <button
          type="button"
          class="button small"
          onClick={() => lead(rangeOfPattern(sinceMs, range.peek(), serverNow()), { pattern })}
        >
          Lines of this pattern
        </button>
      )}
      {source && (
        <button
          type="button"
          class="button small"
          onClick={() => lead(aroundFinding(sinceMs), { "f.source": source })}
        >
          Lines of <bdi>{source.slice(0, 60)}</bdi> ± 15 minutes
        </button>
      )}
    </p>
  );
}
