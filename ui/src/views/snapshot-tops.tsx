/** Programs and statements that cost most in the window. */
import type { Snapshot } from "../api/types.gen";
import { ViewLink } from "../app/link";
import { formatCount, formatValue } from "../format/value";
import { SimpleTable } from "./simple-table";

export function Tops({ snapshot: { processes, statements } }: { snapshot: Snapshot }) {
  return (
    <div class="pair">
      <SimpleTable
        title="Top processes"
        said={
          processes.length === 0 ? "No process was sampled." : "By name, within three minutes of the instant."
        }
        heads={["Process", "Peak CPU", "Before", "Peak memory"]}
        rows={processes.map((one) => ({
          key: one.name,
          cells: [
            <bdi key="name">{one.name}</bdi>,
            formatValue(one.cpu_pct, "percent"),
            formatValue(one.cpu_pct_before, "percent"),
            formatValue(one.rss_bytes, "bytes"),
          ],
        }))}
      />
      <SimpleTable
        title="Top statements"
        said={statements.length === 0 && "No statement was seen; statistics are read every five minutes."}
        heads={["Statement", "Time", "Share", "Calls", "Database"]}
        rows={statements.map((one) => ({
          key: one.id,
          cells: [
            <ViewLink key="text" view="queries" params={{ "f.instance": one.instance, sel: one.id }}>
              <bdi>{one.query?.slice(0, 160) ?? "Text unknown"}</bdi>
            </ViewLink>,
            formatValue(one.exec_ms, "ms"),
            formatValue(one.share_pct, "percent"),
            formatCount(one.calls),
            <bdi key="database">{`${one.instance}.${one.database}`}</bdi>,
          ],
        }))}
      />
    </div>
  );
}
