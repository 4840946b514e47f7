/** The site, what it is compared with, and the filters: each a chip that can be turned into its opposite or removed. */
import type { TrafficSites } from "../api/types.gen";
import { Choice } from "../app/choice";
import { place, setParams } from "../state/location";
import { COMPARISONS, chipsOf, comparisonOf } from "./traffic-filters";
import { clearChips, invertChip, toggleChip } from "./traffic-question";

interface TrafficChipsProps {
  known: TrafficSites;
  site: string;
}

export function TrafficChips({ known, site }: TrafficChipsProps) {
  const chips = chipsOf(place.value);
  const labelOf = (dimension: string): string =>
    known.dimensions.find((one) => one.id === dimension)?.label ?? dimension;
  return (
    <div class="filters traffic-filters">
      {known.sites.length > 1 && (
        <select
          aria-label="Site"
          value={site}
          onChange={(event) => setParams({ site: event.currentTarget.value })}
        >
          {known.sites.map(({ domain }) => (
            <option key={domain} value={domain}>
              {domain.slice(0, 80)}
            </option>
          ))}
        </select>
      )}
      <Choice
        legend="Compare with"
        value={comparisonOf(place.value)}
        options={COMPARISONS.map(([id, label]) => [id, label])}
        onChoose={(compare) => setParams({ compare: compare === "previous" ? null : compare })}
      />
      {chips.length > 0 && (
        <ul class="traffic-chips" aria-label="Filters">
          {chips.map((chip) => {
            const isNot = chip.value.startsWith("!");
            const value = isNot ? chip.value.slice(1) : chip.value;
            const words = `${labelOf(chip.dimension)} ${isNot ? "is not" : "is"} ${value}`;
            return (
              <li key={`${chip.dimension}=${chip.value}`}>
                <button
                  type="button"
                  class="button small"
                  title="Press for the opposite"
                  onClick={() => invertChip(chip)}
                >
                  {labelOf(chip.dimension)} {isNot ? "≠" : "="} <bdi>{value.slice(0, 60)}</bdi>
                </button>
                <button
                  type="button"
                  class="button small"
                  aria-label={`Remove: ${words}`}
                  onClick={() => toggleChip(chip)}
                >
                  ×
                </button>
              </li>
            );
          })}
          <li>
            <button type="button" class="button small" onClick={clearChips}>
              Clear filters
            </button>
          </li>
        </ul>
      )}
    </div>
  );
}
