/** The worst values of the window, each beside that of the hour before. */
import { judge } from "../api/judge";
import { metricsById } from "../api/store";
import type { Peak } from "../api/types.gen";
import { Card } from "../app/card";
import { delta } from "./peak-delta";

export function Peaks({ peaks }: { peaks: readonly Peak[] }) {
  return (
    <section class="cards" data-count={peaks.length} aria-label="Worst values of the window">
      {peaks.map((peak) => {
        const metric = metricsById.value.get(peak.metric);
        return (
          <Card
            key={peak.metric}
            label={`${peak.label}${peak.is_least ? ", least" : ", peak"}`}
            metric={peak.metric}
            value={peak.worst}
            unit={peak.unit}
            severity={metric ? judge(peak.worst, metric) : "ok"}
            note={delta(peak)}
            isCertain
          />
        );
      })}
    </section>
  );
}
