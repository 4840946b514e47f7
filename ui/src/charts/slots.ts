/**
 * Which colour and dash a series has: one for the whole page, none twice in a chart.
 *
 * A slot is a number; its colour is the slot modulo the eight colours, and a ninth series has the
 * first colour in another dash. Names are given slots when they first appear and keep them on every
 * chart. Names of one family (the interfaces, the disks) differ from each other everywhere as long as
 * there are colours; other names only within their chart. Two names of one chart that were given the
 * same slot elsewhere differ here: the second gets another one, in this chart alone.
 */
export const COLOURS = 8;

/** What a line is coloured by. */
export interface Claim {
  /** Unique within its family. */
  name: string;
  /** What it is one of; empty for what is alone. */
  family: string;
}

export class Slots {
  /** By family, then by name. */
  readonly #held = new Map<string, Map<string, number>>();

  /**
   * Returns the slot of each claim, by `claimId`. `own` holds what the chart has already given, and is
   * added to.
   */
  claim(claims: readonly Claim[], own: Map<string, number>): ReadonlyMap<string, number> {
    const used = new Set<number>();
    const slots = new Map<string, number>();
    const take = (claim: Claim, slot: number): void => {
      used.add(slot);
      slots.set(claimId(claim), slot);
      own.set(claimId(claim), slot);
    };
    for (const claim of claims) {
      const slot = own.get(claimId(claim));
      if (slot !== undefined && !used.has(slot)) take(claim, slot);
    }
    for (const claim of claims) {
      const slot = this.#held.get(claim.family)?.get(claim.name);
      if (!slots.has(claimId(claim)) && slot !== undefined && !used.has(slot)) take(claim, slot);
    }
    for (const claim of claims) {
      if (slots.has(claimId(claim))) continue;
      const family = this.#family(claim.family);
      const slot = chooseSlot(used, claim.family === "" ? [] : [...family.values()]);
      if (!family.has(claim.name)) family.set(claim.name, slot);
      take(claim, slot);
    }
    return slots;
  }

  #family(name: string): Map<string, number> {
    const known = this.#held.get(name) ?? new Map<string, number>();
    this.#held.set(name, known);
    return known;
  }
}

export function claimId({ family, name }: Claim): string {
  return `${family}@${name}`;
}

/** The colour that is free here and that the fewest relatives have; the next dash where none is free. */
function chooseSlot(used: ReadonlySet<number>, relatives: readonly number[]): number {
  let best = -1;
  let fewest = Number.POSITIVE_INFINITY;
  for (let slot = 0; slot < COLOURS; slot += 1) {
    if (used.has(slot)) continue;
    const count = relatives.filter((other) => other % COLOURS === slot).length;
    if (count < fewest) {
      best = slot;
      fewest = count;
    }
  }
  if (best >= 0) return best;
  let slot = COLOURS;
  while (used.has(slot)) slot += 1;
  return slot;
}

/** The dash of a slot: each colour comes back with another one. */
export function dashOf(slot: number): number {
  return (slot + Math.floor(slot / COLOURS)) % COLOURS;
}
