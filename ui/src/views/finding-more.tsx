/** More of a finding: how it developed, and its metric over the range on the screen. */
import { metricsById } from "../api/store";
import type { Severity } from "../api/types.gen";
import { FailureNote, Since } from "../app/panel";
import { SEVERITY_WORD, SeverityMark } from "../app/shape";
import { Chart } from "../charts/chart";
import { keepUnits } from "../format/value";
import { cellOf, useRows } from "./pick";

const WORDS: Readonly<Record<string, string>> = {
  opened: "Opened",
  confirmed: "Confirmed",
  worse: "Grew worse",
  better: "Grew better",
  refreshed: "Went on",
  unknown: "No data",
  resolved: "Resolved",
  verified: "Verified",
};

function isSeverity(word: string): word is Severity {
  return Object.hasOwn(SEVERITY_WORD, word);
}

interface MoreProps {
  /** Its row. */
  id: string;
  metric: string;
  /** The metric with its key, for a chart. */
  series: string;
}

export default function FindingMore({ id, metric, series }: MoreProps) {
  const known = metricsById.value.get(metric);
  return (
    <>
      <History id={id} />
      {known && (
        <div class="charts">
          <Chart key={series} spec={{ id: "finding", title: known.label, metrics: [series] }} />
        </div>
      )}
    </>
  );
}

/** Its transitions, the newest first. */
function History({ id }: { id: string }) {
  const { meta, answer, resource } = useRows("finding_history", {}, id);
  if (!meta || !answer) return <FailureNote resource={resource} />;
  return (
    <section aria-label="History">
      <h3>History</h3>
      <ol class="history">
        {answer.rows.map((row) => {
          const cell = (column: string): string => cellOf(meta, row.cells, column);
          const severity = cell("severity");
          return (
            <li key={row.id}>
              <span class="muted">
                <Since ms={Number(cell("at_ms"))} />
              </span>
              <b>{WORDS[cell("transition")] ?? cell("transition")}</b>
              {!/^(resolved|verified)$/.test(cell("transition")) && isSeverity(severity) && (
                <SeverityMark severity={severity} />
              )}
              <span>
                <bdi>{keepUnits(cell("message"))}</bdi>
              </span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
