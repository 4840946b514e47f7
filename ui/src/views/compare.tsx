/** The range on the screen beside another one of the same length: what differs, while charts show the other one behind their lines. */
import { loadJson } from "../api/client";
import { useResource } from "../api/resource";
import { hostQuery, serverNow } from "../api/store";
import type { CompareAnswer } from "../api/types.gen";
import { FailureNote, Skeleton } from "../app/panel";
import { formatDateTime } from "../format/time";
import { place, range, setParams, utc } from "../state/location";
import { formatAbsolute, parseInstant, resolveRange } from "../state/range";
import { formatParams, param } from "../state/url";
import { ChangedTable } from "./changed";

/** How much earlier the other range may lie; null: just before. */
const EARLIER: readonly [string, number | null][] = [
  ["just before", null],
  ["an hour earlier", 3_600_000],
  ["a day earlier", 86_400_000],
  ["a week earlier", 604_800_000],
];

export default function Compare() {
  const { fromMs, toMs } = resolveRange(range.value, serverNow());
  const start = parseInstant(param(place.value, "compare") ?? "");
  const startMs = start?.kind === "absolute" ? start.atMs : fromMs - (toMs - fromMs);
  const endMs = startMs + (toMs - fromMs);
  const host = hostQuery();
  const query = formatParams({
    from: [formatAbsolute(fromMs)],
    to: [formatAbsolute(toMs)],
    before_from: [formatAbsolute(startMs)],
    before_to: [formatAbsolute(endMs)],
  });
  const resource = useResource<CompareAnswer>(`compare?${query}${host ? `&${host}` : ""}`, loadJson);
  const comparison = resource.data.value?.comparison;
  const startOf = (backMs: number | null): number => fromMs - (backMs ?? toMs - fromMs);
  const time = (ms: number): string => formatDateTime(ms, utc.value, serverNow());
  return (
    <section class="compare panel" aria-label="Comparison">
      <header>
        <h2>
          {time(fromMs)} – {time(toMs)} compared with {time(startMs)} – {time(endMs)}
        </h2>
        <button type="button" class="button small" onClick={() => setParams({ compare: null })}>
          Close
        </button>
      </header>
      <fieldset class="choice">
        <legend>Compare with the same span</legend>
        {EARLIER.map(([label, backMs]) => (
          <button
            key={label}
            type="button"
            aria-pressed={startOf(backMs) === startMs}
            onClick={() => setParams({ compare: formatAbsolute(startOf(backMs)) })}
          >
            {label}
          </button>
        ))}
        <label>
          beginning{" "}
          <input
            type="text"
            value={formatAbsolute(startMs)}
            size={20}
            aria-label="Start of the other range"
            onChange={(event) => {
              const typed = parseInstant(event.currentTarget.value, utc.value);
              if (typed?.kind === "absolute") setParams({ compare: formatAbsolute(typed.atMs) });
            }}
          />
        </label>
      </fieldset>
      <FailureNote resource={resource} brief={comparison !== undefined} />
      {comparison ? (
        <div class={resource.outdated.value ? "outdated" : undefined}>
          {comparison.notes.map((note) => (
            <p key={note}>{note}</p>
          ))}
          <ChangedTable changed={comparison.changed} title="Differences" />
        </div>
      ) : (
        !resource.failure.value && <Skeleton height={200} />
      )}
    </section>
  );
}
