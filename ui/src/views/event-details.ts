/** The details of a security event that have no column, as one line of text. Pure. */
export function wordsOf(details: string): string {
  let held: unknown;
  try {
    held = JSON.parse(details);
  } catch {
    // Cut, or of another version: shown as it stands.
    return details;
  }
  if (held === null || typeof held !== "object" || Array.isArray(held)) return details;
  return Object.entries(held)
    .map(([name, value]) => `${name.replaceAll("_", " ")}: ${describe(value)}`)
    .join(" · ");
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return value.map(describe).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
