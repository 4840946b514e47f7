/** The text of an explanation. */
import { listLevels } from "../api/judge";
import { now } from "../api/store";
import type { MetricMeta } from "../api/types.gen";
import { formatValue } from "../format/value";

export default function TipText({ metric }: { metric: MetricMeta }) {
  const side = metric.better === "higher" ? "at or below" : "at or above";
  const levels = listLevels(metric.levels).map(
    ([severity, level]) => `${severity} ${side} ${formatValue(level, metric.unit)}`,
  );
  const fact = now.value?.facts.find((held) => held.metric === metric.id);
  return (
    <>
      <strong>{metric.label}</strong>
      <p>{metric.what}</p>
      {metric.how && <p class="muted">{metric.how}</p>}
      <p>
        {fact ? `Now ${formatValue(fact.value, metric.unit)}. ` : ""}
        {levels.length > 0 ? `Levels: ${levels.join(", ")}.` : "No thresholds."}
      </p>
      {metric.fix && <p>First: {metric.fix}</p>}
    </>
  );
}
