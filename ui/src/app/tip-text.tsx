/** The text of an explanation. */
import { useEffect, useLayoutEffect } from "preact/hooks";
import { listLevels } from "../api/judge";
import { now } from "../api/store";
import { texts, wantTexts } from "../api/texts";
import type { MetricMeta } from "../api/types.gen";
import { formatValue } from "../format/value";

interface TipTextProps {
  metric: MetricMeta;
  /** Called when the text has grown. */
  onGrown(): void;
}

export default function TipText({ metric, onGrown }: TipTextProps) {
  const side = metric.better === "higher" ? "at or below" : "at or above";
  const levels = listLevels(metric.levels).map(
    ([severity, level]) => `${severity} ${side} ${formatValue(level, metric.unit)}`,
  );
  const fact = now.value?.facts.find((held) => held.metric === metric.id);
  useEffect(wantTexts, []);
  useLayoutEffect(onGrown, [texts.value]);
  const text = texts.value?.metrics[metric.id];
  return (
    <>
      <strong>{metric.label}</strong>
      {text && <p>{text.what}</p>}
      {text?.how && <p class="muted">{text.how}</p>}
      <p>
        {fact ? `Now ${formatValue(fact.value, metric.unit)}. ` : ""}
        {levels.length > 0 ? `Levels: ${levels.join(", ")}.` : "No thresholds."}
      </p>
      {text?.fix && <p>First: {text.fix}</p>}
    </>
  );
}
