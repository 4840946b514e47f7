/**
 * A latency histogram as rows of a heat map, the slowest answers on top.
 *
 * The server reports shares of answers within each bound; what lies between two bounds is the
 * difference of their shares, exact because both were divided by the same number of answers.
 */
import type { Line, Values } from "../charts/model";
import { formatValue } from "../format/value";

function boundOf(line: Line): number {
  const bound = (line.key ?? "").split(".").slice(1).join(".");
  return bound === "+Inf" ? Number.POSITIVE_INFINITY : Number(bound);
}

/** One row per stretch between neighbouring bounds; `top` is the share within its upper bound. */
export function spread(lines: readonly Line[]): Line[] {
  const sorted = [...lines].sort((a, b) => boundOf(a) - boundOf(b));
  const rows = sorted.map((line, at): Line => {
    const below = sorted[at - 1];
    const base: Values = line.avg.map((_, bucket) => (below ? (below.avg[bucket] ?? null) : 0));
    const share: Values = line.avg.map((value, bucket) => {
      const under = base[bucket] ?? null;
      return value === null || under === null ? null : Math.max(0, value - under);
    });
    const bound = boundOf(line);
    const label = Number.isFinite(bound)
      ? `≤ ${formatValue(bound, "ms")}`
      : below
        ? `> ${formatValue(boundOf(below), "ms")}`
        : "all";
    const last = line.last === null ? null : line.last - (below?.last ?? 0);
    return { ...line, label, lo: share, hi: share, avg: share, last, base, top: line.avg };
  });
  return rows.reverse();
}
