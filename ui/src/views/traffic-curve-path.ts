/** The geometry of the curve of traffic: lines over equal steps, whatever hours a day of the site has. */

export interface Curve {
  /** A path per line; a step without a value ends it. */
  paths: string[];
  /** The middle of each step. */
  xs: number[];
  /** The values of the horizontal lines, least first, with their places. */
  levels: { value: number; y: number }[];
}

/** Returns a round number that is at least `most`: 1, 2 or 5 times a power of ten, and never below four. */
export function ceiling(most: number): number {
  const least = Math.max(4, most);
  const decade = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * decade).find((one) => one >= least) ?? least;
}

/** Draws lines into a box whose inner part begins at `left` and ends `below` above the bottom. */
export function drawCurve(
  lines: readonly (readonly (number | null)[])[],
  box: { width: number; height: number; left: number; above: number; below: number },
): Curve {
  const count = Math.max(1, ...lines.map((line) => line.length));
  const top = ceiling(Math.max(0, ...lines.flat().map((value) => value ?? 0)));
  const inner = box.height - box.above - box.below;
  const step = (box.width - box.left) / count;
  const x = (at: number): number => box.left + (at + 0.5) * step;
  const y = (value: number): number => box.above + inner * (1 - value / top);
  const draw = (line: readonly (number | null)[]): string => {
    let joined = false;
    let path = "";
    line.forEach((value, at) => {
      if (value !== null) path += `${joined ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
      joined = value !== null;
    });
    return path;
  };
  return {
    paths: lines.map(draw),
    xs: Array.from({ length: count }, (_, at) => x(at)),
    levels: [0, top / 2, top].map((value) => ({ value, y: y(value) })),
  };
}
