/** The text of a strip of health: when it begins, then the lowest score of each half hour, empty where there is none. Pure. */
import type { Severity } from "../api/types.gen";

export const STEP_MS = 30 * 60_000;

export interface HealthCell {
  atMs: number;
  score: number | null;
  severity: Severity;
}

/** The bounds of the column Health. */
function severityOf(score: number | null): Severity {
  if (score === null) return "unknown";
  return score < 40 ? "critical" : score < 70 ? "warn" : "ok";
}

export function readStrip(text: string): HealthCell[] {
  const [begin = "", scores = ""] = text.split(" ");
  return scores.split(",").map((word, at) => {
    const score = word === "" ? null : Number(word);
    return { atMs: Number(begin) + at * STEP_MS, score, severity: severityOf(score) };
  });
}

/** The first cell with the lowest score. */
export function worstOf(cells: readonly HealthCell[]): HealthCell | undefined {
  const known = cells.filter(({ score }) => score !== null);
  return known.toSorted((a, b) => (a.score ?? 0) - (b.score ?? 0))[0];
}
