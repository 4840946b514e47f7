/**
 * How bad a value is.
 *
 * The only place of the pages that compares a value with a level, and it owns no level: all come
 * from the registry. A level is reached when the value equals it.
 */
import type { Levels, MetricMeta, Severity } from "./types.gen";

type Judged = Pick<MetricMeta, "better" | "levels">;

export function judge(value: number | null | undefined, metric: Judged | null | undefined): Severity {
  if (value === null || value === undefined || !Number.isFinite(value)) return "unknown";
  const levels = metric?.levels;
  if (!metric || !levels || metric.better === "neither") return "ok";
  for (const severity of ["critical", "warn", "info"] as const) {
    const level = levels[severity];
    if (level === null) continue;
    if (metric.better === "lower" ? value >= level : value <= level) return severity;
  }
  return "ok";
}

const RANK: Record<Severity, number> = { ok: 0, unknown: 1, info: 2, warn: 3, critical: 4 };

export function rankSeverity(severity: Severity): number {
  return RANK[severity];
}

export function worstOf(severities: Iterable<Severity>): Severity {
  let worst: Severity = "ok";
  for (const severity of severities) if (RANK[severity] > RANK[worst]) worst = severity;
  return worst;
}

/** The levels that exist, mildest first. */
export function listLevels(
  levels: Levels | null | undefined,
): [Exclude<Severity, "ok" | "unknown">, number][] {
  if (!levels) return [];
  return (["info", "warn", "critical"] as const).flatMap((severity) => {
    const level = levels[severity];
    return level === null ? [] : [[severity, level] as [typeof severity, number]];
  });
}
