/** Charts of everything, narrowed to one server or target. */
import { metricWithKey } from "../api/series";
import type { ChartSpec } from "../charts/chart";

/** For metrics that have a server for a key; the legend leaves its name out. */
export function ofServer(specs: readonly ChartSpec[], name: string): ChartSpec[] {
  return specs.map((spec) => ({
    ...spec,
    labels: spec.labels ?? {},
    metrics: spec.metrics.map((id) => metricWithKey(id, name)),
  }));
}

/** For metrics of what belongs to a server: keys that begin with its name. */
export function withinServer(specs: readonly ChartSpec[], name: string): ChartSpec[] {
  const nameOf = (key: string): string => withoutServer(key, name);
  return specs.map((spec) => ({ ...spec, keyPrefix: name, nameOf: spec.nameOf ?? nameOf }));
}

export function withoutServer(key: string, name: string): string {
  return key.startsWith(`${name}.`) ? key.slice(name.length + 1) : key;
}
