/** The latest values of everything that belongs to one server: tables, statements, slots. */
import { recent, worstFact } from "../api/facts";
import { judge } from "../api/judge";
import { useSeries } from "../api/series";
import { metricsById } from "../api/store";
import type { Fact } from "../api/types.gen";
import { latest, MANY_KEYS } from "../charts/model";
import { withoutServer } from "./scope";

export interface ServerValues {
  /** The known values of a metric, their keys without the server. */
  all(metric: string): readonly (Fact & { value: number })[];
  worst(metric: string): Fact | null;
  /** Null when none is known. */
  sum(metric: string): number | null;
}

export function useServerValues(metrics: readonly string[], instance: string): ServerValues {
  const known = metrics.filter((id) => metricsById.value.has(id));
  const whole = useSeries(
    known.length > 0
      ? { metrics: known, px: 20, limit: MANY_KEYS, keyPrefix: instance, range: recent(known) }
      : null,
  ).data.value;
  const facts = (whole?.series ?? []).flatMap((one) => {
    const metric = metricsById.value.get(one.metric);
    const value = whole && latest(whole, one, metric);
    if (value === null) return [];
    const key = one.key === null ? null : withoutServer(one.key, instance);
    return [{ metric: one.metric, key, value, severity: judge(value, metric) }];
  });
  const all = (metric: string): typeof facts => facts.filter((fact) => fact.metric === metric);
  return {
    all,
    worst: (metric) => worstFact(all(metric)),
    sum: (metric) => {
      const found = all(metric);
      return found.length > 0 ? found.reduce((sum, fact) => sum + fact.value, 0) : null;
    },
  };
}
