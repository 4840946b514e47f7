/** The figures of a site, each with that of the compared period beside it. */
import { loadJson } from "../api/client";
import { useResource } from "../api/resource";
import type { TrafficFigure, TrafficSummary } from "../api/types.gen";
import { FailureNote, Skeleton } from "../app/panel";
import { formatExact, formatNumber, formatValue, NBSP } from "../format/value";
import { type askedOf, changePct } from "./traffic-filters";
import { trafficPath } from "./traffic-question";

export function TrafficCards({ asked }: { asked: ReturnType<typeof askedOf> }) {
  const resource = useResource<TrafficSummary>(trafficPath("summary", asked, ""), loadJson<TrafficSummary>);
  const answer = resource.data.value;
  return (
    <>
      <FailureNote resource={resource} brief={answer !== null} />
      {answer === null && !resource.failure.value && <Skeleton height={92} />}
      {answer && (
        <section
          class={`cards traffic-cards${resource.outdated.value ? " outdated" : ""}`}
          data-count={answer.figures.length}
          aria-label="Figures"
        >
          {answer.figures.map((figure) => (
            <FigureCard key={figure.id} figure={figure} isCompared={answer.is_compared} />
          ))}
        </section>
      )}
      {answer?.note && <p class="muted traffic-note">{answer.note}</p>}
    </>
  );
}

function FigureCard({ figure, isCompared }: { figure: TrafficFigure; isCompared: boolean }) {
  const { label, unit, what, value, before } = figure;
  const change = changePct(value, before);
  return (
    <div class="card panel" title={what}>
      <div class="card-head">
        <span class="label">{label}</span>
      </div>
      <div class="card-value" title={formatExact(value, unit)}>
        {formatValue(value, unit)}
      </div>
      <div class="card-foot muted">
        {isCompared && (
          <span class="clip" title={`Before: ${formatExact(before, unit)}`}>
            {changeWords(change)} {before === null ? "nothing before" : `from ${formatValue(before, unit)}`}
          </span>
        )}
      </div>
    </div>
  );
}

function changeWords(change: number | null): string {
  if (change === null) return "";
  const size = formatNumber(Math.abs(change));
  return size === "0" ? "unchanged" : `${change > 0 ? "▲" : "▼"}${NBSP}${size}${NBSP}%`;
}
