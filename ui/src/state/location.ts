/**
 * The address bar as a signal.
 *
 * Components read `place` and what is derived from it and change it through the functions here.
 * A change of view or range is a step of the browser's history; search, sort and the like replace
 * the current step.
 */
import { computed, signal } from "@preact/signals";
import { preferences, setPreferences } from "./preferences";
import { DEFAULT_RANGE, fitRange, isLive, parseInstant, type Range } from "./range";
import { formatPlace, type Place, param, parsePlace, withParams, withView } from "./url";

const base = new URL(document.baseURI);
export const basePath = base.pathname;

const read = (): Place => parsePlace(basePath, location.pathname + location.search);

export const place = signal<Place>(read());
addEventListener("popstate", () => {
  place.value = read();
});

/** The default range, as wide as there are data; chosen once, as nothing moves by itself. */
const fitted = signal(DEFAULT_RANGE);

export function fitDefaultRange(ageMs: number): void {
  fitted.value = fitRange(ageMs);
}

export const range = computed<Range>(() => {
  const { from, to } = place.value.params;
  const preferred = preferences.value.range;
  const held = preferred.from === DEFAULT_RANGE.from && preferred.to === "now" ? fitted.value : preferred;
  const asked = { from: from?.[0] ?? held.from, to: to?.[0] ?? (from ? "now" : held.to) };
  return parseInstant(asked.from) && parseInstant(asked.to) ? asked : held;
});
export const rangeIsLive = computed(() => isLive(range.value));
/** Whether it ends now: one that ends two days ago may move with the clock, too. */
export const rangeEndsNow = computed(() => range.value.to === "now");
export const hostId = computed(() => {
  const asked = param(place.value, "host");
  return asked !== null && /^\d{1,9}$/.test(asked) ? Number(asked) : null;
});

const chosen = <T extends string>(name: string, allowed: readonly T[], fallback: () => T) =>
  computed<T>(() => {
    const asked = param(place.value, name);
    return allowed.find((value) => value === asked) ?? fallback();
  });
export const zone = chosen("zone", ["browser", "utc"], () => preferences.value.zone);
export const theme = chosen("theme", ["system", "light", "dark"], () => preferences.value.theme);
export const density = chosen("density", ["normal", "compact"], () => preferences.value.density);
export const bands = chosen("bands", ["on", "off"], () => preferences.value.bands);
export const utc = computed(() => zone.value === "utc");

export function go(next: Place, step: "push" | "replace"): void {
  const address = formatPlace(basePath, next);
  if (address === location.pathname + location.search) return;
  if (step === "push") history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  place.value = next;
}

export function goToView(view: string, changes: Record<string, string | null> = {}): void {
  go(withParams(withView(place.value, view), changes), "push");
}

export function linkToView(view: string, changes: Record<string, string | null> = {}): string {
  return formatPlace(basePath, withParams(withView(place.value, view), changes));
}

export function setParams(changes: Record<string, string | readonly string[] | null>): void {
  go(withParams(place.value, changes), "replace");
}

/** Ranges left behind by zooming, for `z` and double click. */
const zooms: Range[] = [];

export function setRange(next: Range, step: "push" | "replace" = "push"): void {
  const { from, to } = range.value;
  if (step === "push") {
    zooms.push({ from, to });
    if (zooms.length > 50) zooms.shift();
  }
  // Only a relative range is a sensible default for the next visit.
  if (isLive(next)) setPreferences({ range: next });
  go(withParams(place.value, { from: next.from, to: next.to }), step);
}

/** The range before the last change of range; null when there was none. */
export function takePreviousRange(): Range | null {
  for (let held = zooms.pop(); held; held = zooms.pop()) {
    if (held.from !== range.value.from || held.to !== range.value.to) return held;
  }
  return null;
}

export function setChoice(
  changes: Partial<{
    zone: "browser" | "utc";
    theme: "system" | "light" | "dark";
    density: "normal" | "compact";
    bands: "on" | "off";
  }>,
): void {
  setPreferences(changes);
  const inAddress = Object.entries(changes).filter(([name]) => param(place.value, name) !== null);
  if (inAddress.length > 0) setParams(Object.fromEntries(inAddress));
}
