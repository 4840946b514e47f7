/** At which hours insights begin, by part of the system: seven days as a heat map. */
import { loadJson } from "../api/client";
import { useResource } from "../api/resource";
import { hostQuery, serverNow } from "../api/store";
import type { AlertsAnswer } from "../api/types.gen";
import { range, setParams, utc } from "../state/location";
import { resolveRange } from "../state/range";
import { countByHour, HOURS } from "./insight-hours";

const SPAN_MS = 7 * 86_400_000;
/** The question stays the same for a minute. */
const MINUTE_MS = 60_000;

export function InsightDensity() {
  const toMs = Math.ceil(resolveRange(range.value, serverNow()).toMs / MINUTE_MS) * MINUTE_MS;
  const fromMs = toMs - SPAN_MS;
  const host = hostQuery();
  const answer = useResource<AlertsAnswer>(
    `alerts?kind=insight&from=${fromMs}&to=${toMs}${host ? `&${host}` : ""}`,
    loadJson<AlertsAnswer>,
    () => MINUTE_MS,
  ).data.value;
  const found = answer ? countByHour(answer.lanes, fromMs, toMs, utc.value) : [];
  if (!answer || found.length === 0) return null;
  const most = Math.max(...found.flatMap(({ counts }) => counts));
  return (
    <section class="panel simple" aria-label="Insights by hour">
      <h2>Insights by hour of the day, 7 days</h2>
      {answer.more_lanes > 0 && <p class="muted">{`${answer.more_lanes} rules and targets are left out.`}</p>}
      <div class="scroll" tabIndex={0} role="region" aria-label="Insights by hour, rows">
        <table class="density">
          <thead>
            <tr>
              <th scope="col">Domain</th>
              {Array.from({ length: HOURS }, (_, hour) => (
                <th key={`${hour}`} scope="col">
                  {hour}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {found.map(({ domain, counts }) => (
              <tr key={domain}>
                <th scope="row">
                  <button
                    type="button"
                    class="button small"
                    onClick={() => setParams({ "f.domain": domain, page: null })}
                  >
                    <bdi>{domain}</bdi>
                  </button>
                </th>
                {counts.map((count, hour) => (
                  <td key={`${hour}`} class="number" style={{ "--heat": String(count / most) }}>
                    {count || ""}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
