/**
 * What surrounds the plot of every chart: title, explanation, legend, table, states.
 */
import type { ComponentChildren, RefObject } from "preact";
import { useState } from "preact/hooks";
import type { Resource } from "../api/resource";
import type { SeriesAnswer } from "../api/types.gen";
import { Empty, FailureNote, Skeleton, whyEmpty } from "../app/panel";
import { Info } from "../app/tip";
import { formatDateTime } from "../format/time";
import { formatValue } from "../format/value";
import { utc } from "../state/location";
import { type Model, reduceRows } from "./model";

export const TABLE_ROWS = 60;

interface FigureProps {
  root: RefObject<HTMLElement | null>;
  id: string;
  title: string;
  metrics: readonly string[];
  resource: Resource<SeriesAnswer>;
  model: Model | null;
  sentence: string;
  height: number;
  wide?: boolean | undefined;
  empty?: string | undefined;
  legend: ComponentChildren;
  children: ComponentChildren;
}

export function Figure(props: FigureProps) {
  const { root, id, title, metrics, resource, model, height } = props;
  const [asTable, setAsTable] = useState(false);
  const answer = resource.data.value;
  const failure = resource.failure.value;
  const hasSamples = model?.lines.some((line) => line.avg.some((value) => value !== null)) ?? false;
  const failed = answer?.errors ?? [];
  return (
    <figure
      ref={root}
      id={`chart-${id}`}
      class={`panel chart${props.wide ? " wide" : ""}`}
      data-metrics={metrics.join(" ")}
      aria-label={title}
    >
      <header>
        <h3>{title}</h3>
        <Info metric={(metrics[0] ?? "").split("@")[0] ?? ""} />
        {failed.length > 0 && hasSamples && (
          <span
            class="chip warn"
            title={failed.map((fault) => `${fault.metric}: ${fault.message}`).join("\n")}
          >
            {failed.length === 1 ? `${failed[0]?.metric} failed` : `${failed.length} series failed`}
          </span>
        )}
        {answer && answer.source !== "raw" && <span class="chip">{answer.source} values</span>}
        <span class="grow" />
        {hasSamples && (
          <button
            type="button"
            class="button quiet"
            aria-pressed={asTable}
            aria-label={`Show ${title} as table`}
            onClick={() => setAsTable(!asTable)}
          >
            Table
          </button>
        )}
      </header>
      {failure && <FailureNote resource={resource} brief={answer !== null} />}
      {answer === null && !failure && <Skeleton height={height + 26} />}
      {answer !== null && !hasSamples && (
        <Empty height={height + 26}>
          {failed[0]?.message ?? whyEmpty(props.empty ?? "No samples in this range.")}
        </Empty>
      )}
      {answer !== null && hasSamples && (
        <div class={resource.outdated.value ? "outdated" : undefined}>
          {props.legend}
          {asTable && model ? <ChartTable model={model} title={title} height={height} /> : props.children}
        </div>
      )}
      <figcaption class="unseen">{props.sentence}</figcaption>
    </figure>
  );
}

function ChartTable({ model, title, height }: { model: Model; title: string; height: number }) {
  const rows = reduceRows(model, TABLE_ROWS).reverse();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <section
      class="chart-table"
      style={{ maxHeight: `${height}px` }}
      tabIndex={0}
      aria-label={`${title} as table`}
    >
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {model.lines.map((line) => (
              <th key={line.id} scope="col" class="number">
                {line.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.atMs}>
              <th scope="row">{formatDateTime(row.atMs, utc.value)}</th>
              {row.cells.map((cell, at) => {
                const line = model.lines[at];
                const unit = line?.unit ?? "count";
                const spread =
                  cell.hi !== null && cell.lo !== null && cell.hi !== cell.lo
                    ? ` (${formatValue(cell.lo, unit)} – ${formatValue(cell.hi, unit)})`
                    : "";
                return (
                  <td key={line?.id} class="number">
                    {formatValue(cell.avg, unit)}
                    <span class="muted">{spread}</span>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
