/** A peak beside that of the hour before, in words. Pure. */
import type { Peak } from "../api/types.gen";
import { formatValue } from "../format/value";

/** `+12 % (before 40 %)`, with the key that it is of. */
export function delta({ worst, before, unit, key }: Peak): string {
  const of = key === null ? "" : `${key.slice(0, 60)} · `;
  if (before === null) return `${of}nothing before`;
  const value = (one: number): string => formatValue(one, unit);
  // What reads the same is the same.
  const by = value(worst) === value(before) ? 0 : worst - before;
  const sign = by > 0 ? "+" : by < 0 ? "−" : "±";
  return `${of}${sign}${value(Math.abs(by))} (before ${value(before)})`;
}
