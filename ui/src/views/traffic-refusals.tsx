/** Events of the last hour that were not counted: how many, why, and what to do about it. */
import type { TrafficRefusal } from "../api/types.gen";
import { formatDateTime } from "../format/time";
import { formatExact } from "../format/value";
import { utc } from "../state/location";
import { SimpleTable } from "./simple-table";

export function TrafficRefusals({ refusals }: { refusals: readonly TrafficRefusal[] }) {
  if (refusals.length === 0) return null;
  return (
    <SimpleTable
      title="Not counted, last hour"
      heads={["Events", "Why", "About", "Last", "What to do"]}
      rows={refusals.map((one) => ({
        key: `${one.reason} ${one.detail}`,
        cells: [
          formatExact(one.count, "count"),
          <bdi key="reason">{one.reason}</bdi>,
          <bdi key="detail">{one.detail.slice(0, 120) || "–"}</bdi>,
          <time key="last">{formatDateTime(one.last_ms, utc.value)}</time>,
          <span key="remedy" class="whole">
            {one.remedy || "–"}
          </span>,
        ],
      }))}
    />
  );
}
