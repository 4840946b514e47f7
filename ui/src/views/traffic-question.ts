/** The path of a question about a site, and the filters that are set by clicking. */
import { place, range, setParams } from "../state/location";
import { type askedOf, type Chip, PREFIX } from "./traffic-filters";

/** The path of a question about the range on the screen. */
export function trafficPath(question: string, asked: ReturnType<typeof askedOf>, host: string): string {
  const { from, to } = range.value;
  const query = Object.entries({ ...asked, from, to }).flatMap(([name, values]) =>
    [values].flat().map((value) => `${name}=${encodeURIComponent(value)}`),
  );
  if (host) query.push(host);
  return `traffic/${question}?${query.join("&")}`;
}

/** Filters by a value, or no longer. */
export function toggleChip({ dimension, value }: Chip): void {
  const held = place.value.params[PREFIX + dimension] ?? [];
  const next = held.includes(value) ? held.filter((one) => one !== value) : [...held, value];
  setParams({ [PREFIX + dimension]: next });
}

/** Turns a filter into its opposite. */
export function invertChip({ dimension, value }: Chip): void {
  const held = place.value.params[PREFIX + dimension] ?? [];
  const inverse = value.startsWith("!") ? value.slice(1) : `!${value}`;
  setParams({ [PREFIX + dimension]: held.map((one) => (one === value ? inverse : one)) });
}

export function clearChips(): void {
  const names = Object.keys(place.value.params).filter((name) => name.startsWith(PREFIX));
  setParams(Object.fromEntries(names.map((name) => [name, null])));
}
