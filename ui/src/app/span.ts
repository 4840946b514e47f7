/** A range as it is usually written: `last 6 h`, `6h`, `last 30 minutes`. */
import { parseInstant } from "../state/range";
import { formatInstant } from "../state/typed-range";

const SPOKEN = /^(?:last\s+)?(\d{1,6})\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?)$/i;

/** Where it begins, as `now-6h`; null when it is not a range. */
export function readSpan(text: string): string | null {
  const [, number = "", word = ""] = SPOKEN.exec(text.trim()) ?? [];
  if (!(Number(number) > 0)) return null;
  const instant = parseInstant(`now-${number}${word.charAt(0)}`);
  return instant && formatInstant(instant);
}
