/**
 * The colour tokens as a canvas can use them.
 *
 * Tokens are CSS (`light-dark()` and all); a probe element resolves them once per theme.
 */
import { computed, signal } from "@preact/signals";
import { theme } from "../state/location";

export interface Palette {
  series: string[];
  text: string;
  muted: string;
  line: string;
  grid: string;
  panel: string;
  accent: string;
  info: string;
  warn: string;
  critical: string;
  ok: string;
  unknown: string;
}

/** Raised when the system's own theme or contrast mode changes, or the page is printed. */
export const system = signal(0);
for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
  matchMedia(query).addEventListener("change", () => {
    system.value += 1;
  });
}

export const palette = computed<Palette>(() => {
  void theme.value;
  void system.value;
  const probe = document.createElement("i");
  // In forced colours every text has one colour, but series must still differ.
  probe.style.forcedColorAdjust = "none";
  document.body.append(probe);
  const read = (token: string): string => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  const colours: Palette = {
    series: [1, 2, 3, 4, 5, 6, 7, 8].map((slot) => read(`s${slot}`)),
    text: read("text"),
    muted: read("muted"),
    line: read("line"),
    grid: read("grid"),
    panel: read("panel"),
    accent: read("info"),
    info: read("info"),
    warn: read("warn"),
    critical: read("critical"),
    ok: read("ok"),
    unknown: read("muted"),
  };
  probe.remove();
  return colours;
});

/** Series differ by dash as well as by colour. */
export const DASHES: readonly (readonly number[])[] = [
  [],
  [8, 3],
  [3, 3],
  [10, 3, 2, 3],
  [2, 2],
  [14, 4],
  [6, 2, 2, 2],
  [1, 3],
];

/** A colour from the palette with another opacity. */
export function fade(colour: string, alpha: number): string {
  return colour.startsWith("rgb(") ? colour.replace("rgb(", "rgba(").replace(")", `, ${alpha})`) : colour;
}
