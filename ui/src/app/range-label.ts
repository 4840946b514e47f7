/** A range in the words of the top bar. */
import { formatDateTime } from "../format/time";
import { utc } from "../state/location";
import { parseInstant, type Range } from "../state/range";

const SPOKEN: Record<string, string> = { s: "s", m: "min", h: "h", d: "d", w: "w" };

export function rangeLabel(held: Range): string {
  const preset = /^now-(\d+)([smhdw])$/.exec(held.from);
  if (preset && held.to === "now") return `Last ${preset[1]} ${SPOKEN[preset[2] ?? ""]}`;
  const end = (text: string): string => {
    const instant = parseInstant(text);
    return instant?.kind === "absolute" ? formatDateTime(instant.atMs, utc.value) : text;
  };
  return `${end(held.from)} – ${end(held.to)}`;
}
