/**
 * The latest values for cards.
 *
 * Most come with `now`; what a card needs and `now` does not carry is asked for once, as the last
 * value of a short series, and judged with the registry's levels.
 */
import type { Range } from "../state/range";
import { judge, rankSeverity } from "./judge";
import { useSeries } from "./series";
import { metricsById, now } from "./store";
import type { Fact } from "./types.gen";

const RECENT: Range = { from: "now-5m", to: "now" };

export function useFacts(metrics: readonly string[]): (metric: string) => Fact | null {
  const known = now.value?.facts ?? [];
  const lacking = now.value
    ? metrics
        .filter((id) => metricsById.value.has(id) && !known.some((fact) => fact.metric === id))
        .slice(0, 24)
    : [];
  const answer = useSeries(lacking.length > 0 ? { metrics: lacking, px: 20, range: RECENT } : null).data
    .value;
  const asked = (answer?.series ?? []).map(
    (series): Fact => ({
      metric: series.metric,
      key: series.key,
      value: series.last,
      severity: judge(series.last, metricsById.value.get(series.metric)),
    }),
  );
  return (metric) => worstFact([...known, ...asked].filter((fact) => fact.metric === metric));
}

/** Of several keys the one that matters: by severity, then by value. */
export function worstFact(facts: readonly Fact[]): Fact | null {
  return facts.reduce<Fact | null>((worst, fact) => {
    if (!worst) return fact;
    const by = rankSeverity(fact.severity) - rankSeverity(worst.severity);
    return by > 0 || (by === 0 && (fact.value ?? -Infinity) > (worst.value ?? -Infinity)) ? fact : worst;
  }, null);
}
