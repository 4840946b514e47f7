/**
 * Horizontal bars: one row per thing, one part per metric, at the end of the range.
 *
 * They are text with a drawn length beside it, so screen readers have the same content.
 */
import { useRef } from "preact/hooks";
import { useSeries } from "../api/series";
import { metricsById } from "../api/store";
import type { Unit } from "../api/types.gen";
import { formatExact, formatValue } from "../format/value";
import { Figure } from "./figure";
import { latest, MANY_KEYS } from "./model";
import { useNear } from "./near";

export interface BarsSpec {
  id: string;
  title: string;
  metrics: readonly string[];
  /** Shorter names than the registry's. */
  labels?: Readonly<Record<string, string>>;
  /** Rows are the keys and parts the metrics; otherwise rows are the metrics. */
  byKey?: boolean;
  /** What of a key is shown. */
  nameOf?(key: string): string;
  keyPrefix?: string;
  empty: string;
}

interface Row {
  name: string;
  parts: { slot: number; label: string; value: number }[];
  total: number;
}

const BUCKETS = 20;
const HEIGHT = 180;

export default function Bars({ spec }: { spec: BarsSpec }) {
  const root = useRef<HTMLElement>(null);
  const near = useNear(root);
  const resource = useSeries(
    near
      ? {
          metrics: spec.metrics,
          px: BUCKETS,
          limit: spec.byKey ? MANY_KEYS : undefined,
          keyPrefix: spec.keyPrefix,
        }
      : null,
  );
  const answer = resource.data.value;
  const unit: Unit = metricsById.value.get(spec.metrics[0]?.split("@", 1)[0] ?? "")?.unit ?? "count";
  const order = spec.metrics.map((id) => id.split("@", 1)[0] ?? "");
  const rows = new Map<string, Row>();
  for (const series of answer?.series ?? []) {
    const slot = order.indexOf(series.metric);
    const label = nameOf(spec, series.metric);
    const key = series.key ?? "";
    const name = spec.byKey ? (spec.nameOf?.(key) ?? key) : label;
    const row = rows.get(name) ?? { name, parts: [], total: 0 };
    const value = answer && latest(answer, series, metricsById.value.get(series.metric));
    rows.set(name, row);
    if (value === null) continue;
    const part = row.parts.find((one) => one.slot === slot);
    if (part) part.value += value;
    else row.parts.push({ slot, label, value });
    row.total += value;
  }
  const shown = [...rows.values()].filter((row) => row.parts.length > 0);
  if (spec.byKey) shown.sort((a, b) => b.total - a.total);
  else shown.sort((a, b) => (a.parts[0]?.slot ?? 0) - (b.parts[0]?.slot ?? 0));
  const most = Math.max(...shown.map((row) => row.total), 0);
  const read = shown.map((row) => `${row.name} ${formatValue(row.total, unit)}`).join(", ");
  return (
    <Figure
      root={root}
      near={near}
      id={spec.id}
      title={spec.title}
      metrics={spec.metrics}
      resource={resource}
      model={null}
      hasSamples={shown.length > 0}
      sentence={`${spec.title}: ${read}`}
      height={HEIGHT}
      empty={spec.empty}
      legend={spec.byKey && spec.metrics.length > 1 && <Parts spec={spec} order={order} />}
    >
      <ul class="bars">
        {shown.map((row) => (
          <li key={row.name}>
            <span class="name clip" title={row.name}>
              <bdi>{row.name}</bdi>
            </span>
            <span class="track" aria-hidden="true">
              {row.parts.map((part) => (
                <i
                  key={part.slot}
                  class={`p${(spec.byKey ? part.slot : 0) + 1}`}
                  title={`${part.label} ${formatValue(part.value, unit)}`}
                  style={{ width: most > 0 ? `${(part.value / most) * 100}%` : "0" }}
                />
              ))}
            </span>
            <b class="number" title={formatExact(row.total, unit)}>
              {formatValue(row.total, unit)}
            </b>
          </li>
        ))}
      </ul>
    </Figure>
  );
}

function nameOf(spec: BarsSpec, metric: string): string {
  return spec.labels?.[metric] ?? metricsById.value.get(metric)?.label ?? metric;
}

function Parts({ spec, order }: { spec: BarsSpec; order: readonly string[] }) {
  return (
    <div class="bar-parts muted">
      {order.map((id, slot) => (
        <span key={id}>
          <i class={`p${slot + 1}`} aria-hidden="true" /> {nameOf(spec, id)}
        </span>
      ))}
    </div>
  );
}
