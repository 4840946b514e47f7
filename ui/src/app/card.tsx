/**
 * Cards: one figure each, with its severity in shape, colour and word.
 *
 * A share is also drawn as a bar with marks at its levels. When the data cannot be trusted the
 * figure is grey and its severity unknown.
 */
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { useFacts } from "../api/facts";
import { judge, listLevels } from "../api/judge";
import { metricsById, now, serverNow, trusted } from "../api/store";
import type { Severity, Unit } from "../api/types.gen";
import { formatDateTime } from "../format/time";
import { formatExact, formatLatest, formatValue } from "../format/value";
import { range, rangeEndsNow, utc } from "../state/location";
import { resolveRange } from "../state/range";
import { SEVERITY_WORD, SeverityMark } from "./shape";
import { Info } from "./tip";

interface FactCardsProps {
  metrics: readonly string[];
  label: string;
  /** Of this key alone. */
  of?: string | null;
  /** Left out where there is no value: not every host has these. */
  optional?: readonly string[];
}

/** At which instant cards are, where it is not now. */
export function When() {
  if (rangeEndsNow.value) return null;
  const { toMs } = resolveRange(range.value, serverNow());
  return <p class="when muted">At {formatDateTime(toMs, utc.value)}</p>;
}

export function FactCards({ metrics, label, of = null, optional = [] }: FactCardsProps) {
  const fact = useFacts(metrics, of);
  // What was there once keeps its place.
  const had = useRef(new Set<string>());
  for (const id of optional) if ((fact(id)?.value ?? null) !== null) had.current.add(id);
  const shown = metrics.filter((id) => !now.value || !optional.includes(id) || had.current.has(id));
  return (
    <section class="cards" data-count={shown.length} aria-label={label}>
      <When />
      {shown.map((id) => {
        const metric = metricsById.value.get(id);
        if (!metric) return null;
        const held = fact(id);
        return (
          <Card
            key={id}
            label={metric.label}
            metric={id}
            value={held?.value ?? null}
            unit={metric.unit}
            note={of === null ? (held?.key ?? "") : ""}
            isCertain={!rangeEndsNow.value}
            severity={
              held ? (held.severity === "unknown" ? judge(held.value, metric) : held.severity) : "unknown"
            }
          />
        );
      })}
    </section>
  );
}

interface CardProps {
  label: string;
  metric?: string;
  value: number | string | null;
  unit: Unit;
  note?: string;
  severity: Severity;
  /** Known although the data is old, for a card about the age of data. */
  isCertain?: boolean;
  children?: ComponentChildren;
}

export function Card({
  label,
  metric,
  value,
  unit,
  note = "",
  severity,
  isCertain = false,
  children,
}: CardProps) {
  const isTrusted = trusted.value || isCertain;
  const shown: Severity = isTrusted && value !== null ? severity : "unknown";
  const text = formatLatest(value, unit, utc.value);
  return (
    <div class={`card panel ${shown}${isTrusted ? "" : " grey"}`}>
      <div class="card-head">
        <span class="label">{label}</span>
        {metric && <Info metric={metric} />}
      </div>
      <div class="card-value" title={formatExact(value, unit, utc.value)}>
        {text}
      </div>
      {unit === "percent" && typeof value === "number" && (
        <Meter label={label} metric={metric} value={value} />
      )}
      <div class="card-foot">
        {shown !== "ok" && <SeverityMark severity={shown} {...(value === null ? { text: "No data" } : {})} />}
        {note && <span class="clip muted">{note}</span>}
        {children}
      </div>
    </div>
  );
}

function Meter({ label, metric, value }: { label: string; metric?: string | undefined; value: number }) {
  const levels = listLevels(metricsById.value.get(metric ?? "")?.levels);
  const share = Math.max(0, Math.min(100, value));
  const thresholds = levels.map(
    ([severity, level]) => `${SEVERITY_WORD[severity]} at ${formatValue(level, "percent")}`,
  );
  return (
    <div
      class="meter"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 10) / 10}
      aria-valuetext={[formatValue(value, "percent"), ...thresholds].join(", ")}
      title={thresholds.join(", ")}
    >
      <i style={{ width: `${share}%` }} />
      {levels
        .filter(([, level]) => level > 0 && level < 100)
        .map(([severity, level]) => (
          <b key={severity} class={severity} style={{ left: `${level}%` }} />
        ))}
    </div>
  );
}
