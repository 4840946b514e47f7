/** How many insights began at which hour of the day, by part of the system. Pure. */
import type { AlertLane } from "../api/types.gen";
import { parts } from "../format/time";

export const HOURS = 24;

export interface DomainHours {
  domain: string;
  /** By hour of the day, from 0. */
  counts: number[];
}

/** The domains with insights that began within a span, those with most first. */
export function countByHour(
  lanes: readonly Pick<AlertLane, "domain" | "bars">[],
  fromMs: number,
  toMs: number,
  utc: boolean,
): DomainHours[] {
  const found = new Map<string, number[]>();
  for (const { domain, bars } of lanes) {
    for (const { opened_ms } of bars) {
      if (opened_ms < fromMs || opened_ms >= toMs) continue;
      const counts = found.get(domain) ?? new Array<number>(HOURS).fill(0);
      const { hour } = parts(opened_ms, utc);
      counts[hour] = (counts[hour] ?? 0) + 1;
      found.set(domain, counts);
    }
  }
  const sum = (counts: number[]): number => counts.reduce((a, b) => a + b, 0);
  return [...found]
    .map(([domain, counts]) => ({ domain, counts }))
    .sort((a, b) => sum(b.counts) - sum(a.counts) || (a.domain < b.domain ? -1 : 1));
}
