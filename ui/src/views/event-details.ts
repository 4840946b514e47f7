/** What is told of a security event beside its columns, as one line of words. Pure. */
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
    .map(([name, value]) => `${name.replaceAll("_", " ")}: ${said(value)}`)
    .join(" · ");
}

function said(value: unknown): string {
  if (Array.isArray(value)) return value.map(said).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
