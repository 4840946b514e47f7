/** Health of a day as a strip of half hours, each by the lowest score in it; it leads to the snapshot of the worst one. */
import type { Severity } from "../api/types.gen";
import { ViewLink } from "../app/link";
import { formatClock } from "../format/time";
import { atInstant } from "../state/instant";
import { utc } from "../state/location";
import { readStrip, STEP_MS, worstOf } from "./health-cells";

const CLASS: Partial<Record<Severity, string>> = { warn: "warn", critical: "critical", unknown: "none" };

export default function HealthStrip({ text }: { text: string }) {
  const cells = readStrip(text);
  const worst = worstOf(cells);
  const words = worst
    ? `lowest in 24 h: ${worst.score}, at ${formatClock(worst.atMs, utc.value)}`
    : "no score in 24 h";
  const strip = (
    <span class="strip" role="img" aria-label={words}>
      {cells.map(({ atMs, score, severity }) => (
        <i
          key={atMs}
          class={CLASS[severity]}
          title={`${formatClock(atMs, utc.value)}: ${score ?? "no score"}`}
        />
      ))}
    </span>
  );
  if (!worst || worst.severity === "ok") return strip;
  return (
    <ViewLink view="snapshot" params={atInstant(worst.atMs + STEP_MS / 2, {}, STEP_MS / 2)}>
      {strip}
    </ViewLink>
  );
}
