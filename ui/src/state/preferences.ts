/**
 * What the reader prefers, kept in this browser only.
 *
 * Preferences are defaults: an address that carries a range, zone, theme or density wins over them.
 * Storage may be refused (private windows, policy); then preferences last as long as the page.
 */
import { signal } from "@preact/signals";
import { DEFAULT_RANGE, type Range } from "./range";

export interface Preferences {
  range: Range;
  zone: "browser" | "utc";
  theme: "system" | "light" | "dark";
  density: "normal" | "compact";
  /** Whether charts show what is usual. */
  bands: "on" | "off";
  /** Single-letter shortcuts; a speech-input user may need them off. */
  shortcuts: boolean;
  /** Columns left out, by table. */
  hiddenColumns: Record<string, string[]>;
  pageSize: number;
}

const KEY = "pqcrypta.dashboard";
const DEFAULTS: Preferences = {
  range: DEFAULT_RANGE,
  zone: "browser",
  theme: "system",
  density: "normal",
  bands: "on",
  shortcuts: true,
  hiddenColumns: {},
  pageSize: 25,
};

export const preferences = signal<Preferences>(read());

export function setPreferences(changes: Partial<Preferences>): void {
  preferences.value = { ...preferences.value, ...changes };
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences.value));
  } catch {
    // Refused or full: the choice still holds for this page.
  }
}

function read(): Preferences {
  try {
    const held: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return held !== null && typeof held === "object" ? { ...DEFAULTS, ...held } : DEFAULTS;
  } catch {
    return DEFAULTS;
  }
}
