/** The possible causes of problems that began together, as the table of findings has them. Pure. */

export interface Hypothesis {
  /** What it is. */
  says: string;
  /** Why it may be the cause, and what to do. */
  more: readonly string[];
}

/** Reads a line for each cause, and the indented lines below it. */
export function readHypotheses(text: string): Hypothesis[] {
  const found: { says: string; more: string[] }[] = [];
  for (const line of text.split("\n")) {
    const last = found[found.length - 1];
    if (line.startsWith("\t") && last) last.more.push(line.slice(1));
    else if (line.trim() !== "") found.push({ says: line.trim(), more: [] });
  }
  return found;
}
