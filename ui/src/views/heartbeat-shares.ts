/** What the shares of heartbeats over a range come to. Pure. */

/** Returns the mean of the known shares, and the longest span without a single heartbeat; null where nothing is known. */
export function summarise(
  shares: readonly (number | null)[],
  t0Ms: number,
  stepMs: number,
): { mean: number; silent: [number, number] | null } | null {
  const known = shares.filter((share) => share !== null);
  if (known.length === 0) return null;
  let silent: [number, number] | null = null;
  let begin = -1;
  for (let at = 0; at <= shares.length; at += 1) {
    if (shares[at] === 0) {
      if (begin < 0) begin = at;
    } else if (begin >= 0) {
      const span: [number, number] = [t0Ms + begin * stepMs, t0Ms + at * stepMs];
      if (silent === null || span[1] - span[0] > silent[1] - silent[0]) silent = span;
      begin = -1;
    }
  }
  return { mean: known.reduce((sum, share) => sum + share, 0) / known.length, silent };
}
