/**
 * What is asked about a site, as the address keeps it: `site`, `compare`, `f.<dimension>`. Pure.
 *
 * Values of one dimension are alternatives, dimensions add up; `!` in front of a value excludes it.
 */
import { type Place, param } from "../state/url";

export const COMPARISONS = [
  ["previous", "Period before"],
  ["year", "Year before"],
  ["none", "Nothing"],
] as const;
export type Comparison = (typeof COMPARISONS)[number][0];

export interface Chip {
  dimension: string;
  value: string;
}

export const PREFIX = "f.";

export function comparisonOf(held: Place): Comparison {
  const asked = param(held, "compare");
  return COMPARISONS.find(([id]) => id === asked)?.[0] ?? "previous";
}

/** The filters of an address, in its order. */
export function chipsOf(held: Place): Chip[] {
  return Object.entries(held.params).flatMap(([name, values]) =>
    name.startsWith(PREFIX) ? values.map((value) => ({ dimension: name.slice(PREFIX.length), value })) : [],
  );
}

/** The parameters that every question about a site has in common. */
export function askedOf(held: Place, site: string): Record<string, string | readonly string[]> {
  const asked: Record<string, string | readonly string[]> = { site, compare: comparisonOf(held) };
  for (const [name, values] of Object.entries(held.params)) if (name.startsWith(PREFIX)) asked[name] = values;
  return asked;
}

/** How a figure changed, in per cent; null where there is nothing to compare with. */
export function changePct(value: number | null, before: number | null): number | null {
  return value === null || before === null || before === 0 ? null : ((value - before) / before) * 100;
}
