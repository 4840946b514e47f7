/**
 * Where the rows of a list stand that changes by itself. Pure.
 *
 * A row stays where it was first shown: its text may change, a resolved one stays as it last was, and
 * what is new comes last. Only rows at the end go, as nothing stands behind them. So readers do not lose
 * their line, or click on something that has just moved below the pointer. The first `least` rows stay in
 * any case, as something else stands behind them.
 */
export interface Placed<T> {
  item: T;
  /** As it was when it was first shown. */
  first: T;
  /** Since when the answers no longer have it; null while they do. */
  goneMs: number | null;
}

/** For so long the last rows are left before they go. */
const LEFT_MS = 60_000;

export function keepPlaces<T extends { id: string }>(
  held: readonly Placed<T>[],
  fresh: readonly T[],
  atMs: number,
  least = 0,
): Placed<T>[] {
  const rest = new Map(fresh.map((item) => [item.id, item]));
  const rows = held.map(({ item, first, goneMs }): Placed<T> => {
    const next = rest.get(item.id);
    rest.delete(item.id);
    return next ? { item: next, first, goneMs: null } : { item, first, goneMs: goneMs ?? atMs };
  });
  for (const item of rest.values()) rows.push({ item, first: item, goneMs: null });
  while (rows.length > least && atMs - (rows[rows.length - 1]?.goneMs ?? atMs) >= LEFT_MS) rows.pop();
  return rows;
}

/** Whether the answer has other rows, or has them in another order. */
export function isRearranged<T extends { id: string }>(
  rows: readonly Placed<T>[],
  fresh: readonly T[],
): boolean {
  return rows.length !== fresh.length || rows.some(({ item }, at) => item.id !== fresh[at]?.id);
}
