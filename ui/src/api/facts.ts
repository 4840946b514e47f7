/**
 * The values for cards: the latest ones, or those at the end of a range that is fixed.
 *
 * Most of the latest come with `now`; what a card needs and `now` does not carry is asked for once, as the
 * last value of a short series, and judged with the registry's levels.
 */
import { range, rangeEndsNow } from "../state/location";
import { absoluteRange, type Range, resolveRange } from "../state/range";
import { judge, rankSeverity } from "./judge";
import { metricWithKey, useSeries } from "./series";
import { metricsById, now, serverNow } from "./store";
import type { Fact } from "./types.gen";

/** Long enough for three samples, and for five minutes at least. */
export function recent(metrics: readonly string[]): Range {
  const every = metrics.map((id) => metricsById.value.get(id)?.every_secs ?? 0);
  const minutes = Math.max(5, Math.ceil(Math.max(0, ...every) / 20));
  if (rangeEndsNow.value) return { from: `now-${minutes}m`, to: "now" };
  const { toMs } = resolveRange(range.value, serverNow());
  return absoluteRange(toMs - minutes * 60_000, toMs);
}

/** `of`: of this key alone, for the metrics that have keys. */
export function useFacts(
  metrics: readonly string[],
  of: string | null = null,
): (metric: string) => Fact | null {
  const isMeant = (fact: Fact): boolean => of === null || fact.key === null || fact.key === of;
  const known = rangeEndsNow.value ? (now.value?.facts ?? []).filter(isMeant) : [];
  const lacking = now.value
    ? metrics
        .filter((id) => metricsById.value.has(id) && !known.some((fact) => fact.metric === id))
        .slice(0, 24)
    : [];
  const asks = lacking.map((id) => metricWithKey(id, metricsById.value.get(id)?.keyed ? of : null));
  const answer = useSeries(asks.length > 0 ? { metrics: asks, px: 20, range: recent(lacking) } : null).data
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
