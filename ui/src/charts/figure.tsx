/**
 * What surrounds the plot of every chart: title, explanation, legend, table, states.
 */
import type { ComponentChildren, ComponentType, RefObject } from "preact";
import { useState } from "preact/hooks";
import type { Resource } from "../api/resource";
import { metricsById } from "../api/store";
import type { SeriesAnswer } from "../api/types.gen";
import { Empty, FailureNote, isYoung, Skeleton, whyEmpty } from "../app/panel";
import { Info } from "../app/tip";
import type { Model } from "./model";

interface FigureProps {
  root: RefObject<HTMLElement | null>;
  /** Whether it is on the screen or close to it. */
  near: boolean;
  id: string;
  title: string;
  metrics: readonly string[];
  resource: Resource<SeriesAnswer>;
  model: Model | null;
  /** Replaces the sentence of the model, for a figure without one. */
  hasSamples?: boolean;
  sentence: string;
  height: number;
  legendLines?: number | undefined;
  wide?: boolean | undefined;
  empty?: string | undefined;
  legend: ComponentChildren;
  children: ComponentChildren;
}

/** A line of a legend, as high as `.legend` in the styles. */
const LEGEND_LINE = 26;

/** What a chart says of buckets that are wider than a sample. */
const WHOLE: Record<Exclude<SeriesAnswer["source"], "raw">, string> = {
  hourly: "Means of whole hours; the band shows their least and greatest sample.",
  daily: "Means of whole days (UTC); the band shows their least and greatest sample.",
};

function withoutKey(metric: string): string {
  return metric.split("@", 1)[0] ?? "";
}

function nameOf(metric: string): string {
  return metricsById.value.get(withoutKey(metric))?.label ?? metric;
}

export function Figure(props: FigureProps) {
  const { root, near, id, title, metrics, resource, model, height } = props;
  const [asTable, setAsTable] = useState(false);
  const [ChartTable, setChartTable] = useState<ComponentType<{
    model: Model;
    title: string;
    height: number;
  }> | null>(null);
  const toggleTable = (): void => {
    setAsTable(!asTable);
    if (!ChartTable) void import("./chart-table").then((module) => setChartTable(() => module.default));
  };
  const legendHeight = LEGEND_LINE * (props.legendLines ?? 1);
  const answer = resource.data.value;
  const failure = resource.failure.value;
  const hasSamples =
    props.hasSamples ?? model?.lines.some((line) => line.avg.some((value) => value !== null)) ?? false;
  const failed = answer?.errors ?? [];
  return (
    <figure
      ref={root}
      id={`chart-${id}`}
      class={`panel chart${props.wide ? " wide" : ""}`}
      data-metrics={metrics.map(withoutKey).join(" ")}
      aria-label={title}
    >
      <header>
        <h2>{title}</h2>
        <Info metric={withoutKey(metrics[0] ?? "")} />
        {failed.length > 0 && hasSamples && (
          <span
            class="chip warn"
            title={failed.map((fault) => `${fault.metric}: ${fault.message}`).join("\n")}
          >
            {failed.length === 1
              ? `${nameOf(failed[0]?.metric ?? "")} failed`
              : `${failed.length} series failed`}
          </span>
        )}
        {hasSamples && answer && answer.source !== "raw" && (
          <span class="chip" title={WHOLE[answer.source]}>
            {answer.source} values
          </span>
        )}
        <span class="grow" />
        {hasSamples && model && (
          <button
            type="button"
            class="button quiet"
            aria-pressed={asTable}
            aria-label={`Show ${title} as table`}
            onClick={toggleTable}
          >
            Table
          </button>
        )}
      </header>
      {failure && (
        <div style={answer === null ? { minHeight: `${height + legendHeight}px` } : undefined}>
          <FailureNote resource={resource} brief={answer !== null} />
        </div>
      )}
      {answer === null && !failure && <Skeleton height={height + legendHeight} still={!near} />}
      {answer !== null && !hasSamples && (
        <Empty height={height + legendHeight}>
          {failed[0]?.message ??
            whyEmpty(isYoung() ? "No samples yet." : (props.empty ?? "No samples in this range."))}
        </Empty>
      )}
      {answer !== null && hasSamples && (
        <div class={resource.outdated.value ? "outdated" : undefined}>
          <div style={{ minHeight: `${legendHeight}px` }}>{props.legend}</div>
          {asTable && model && ChartTable ? (
            <ChartTable model={model} title={title} height={height} />
          ) : (
            props.children
          )}
        </div>
      )}
      <figcaption class="unseen">{props.sentence}</figcaption>
    </figure>
  );
}
