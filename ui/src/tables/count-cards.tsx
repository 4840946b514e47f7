/** How many rows of a table a filter has for each of its values, as cards; a card is also that filter. */
import { loadJson } from "../api/client";
import { useResource } from "../api/resource";
import { trusted } from "../api/store";
import type { Severity, TableAnswer, TableMeta } from "../api/types.gen";
import { SEVERITY_WORD, SeverityMark } from "../app/shape";
import { place } from "../state/location";
import { type Fixed, type TableQuestion, tableAddress, tablePath } from "./query";

interface CountCardsProps {
  meta: TableMeta;
  filter: string;
  label: string;
  /** What is counted, whatever the table is filtered by. */
  of: TableQuestion;
  only?: Fixed;
}

const address = tableAddress("");

/** A filter by severity has these for values. */
function isSeverity(value: string): value is Severity {
  return value in SEVERITY_WORD;
}

export function CountCards({ meta, filter: id, label, of, only }: CountCardsProps) {
  const resource = useResource<TableAnswer>(tablePath(meta, of, only), loadJson);
  const answer = resource.data.value;
  const filter = meta.filters.find((one) => one.id === id);
  if (!filter) return null;
  const pressed = place.value.params[`f.${id}`] ?? [];
  const isKnown = trusted.value && answer !== null;
  return (
    <section class={`issues${isKnown ? "" : " grey"}`} aria-label={label}>
      {filter.values.map((value) => {
        const count = answer?.facets[id]?.[value.id] ?? 0;
        const worst = answer?.filter_severities[id]?.[value.id] ?? "ok";
        const severity = count === 0 ? "ok" : isSeverity(value.id) ? value.id : worst;
        return (
          <button
            key={value.id}
            type="button"
            class={`issue panel ${isKnown ? severity : "unknown"}`}
            aria-pressed={pressed.includes(value.id)}
            onClick={() => address.toggleFilter(id, value.id)}
          >
            <span class="label">{value.label}</span>
            <b>{answer ? count : "–"}</b>
            <SeverityMark
              severity={isKnown ? severity : "unknown"}
              text={!isKnown ? "Unknown" : count === 0 ? "None" : SEVERITY_WORD[severity]}
            />
          </button>
        );
      })}
    </section>
  );
}
