/** What of a key is its own: without the parts, up to a dot, that all have in common. */
export function ownPart(key: string, all: readonly string[]): string {
  let common = key.lastIndexOf(".") + 1;
  while (common > 0 && !all.every((other) => other.startsWith(key.slice(0, common)))) {
    common = key.lastIndexOf(".", common - 2) + 1;
  }
  return key.slice(common);
}
