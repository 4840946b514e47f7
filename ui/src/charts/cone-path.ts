/** The geometry of a cone: a week of history, and from its end on the growth to a limit, between earliest and latest. */

/** Hours between two points of the history. */
const STEP = 6;

export interface Cone {
  history: readonly (number | null)[];
  level: number;
  limit: number;
  hours: number;
  earliest: number;
  /** Absent: the limit may never be reached. */
  latest: number | null;
}

/** Parses what the server sends: points, a blank, figures. */
export function parseCone(text: string): Cone | null {
  const [points = "", figures = ""] = text.split(" ");
  const known = (part: string): number | null => (part === "" ? null : Number(part));
  const [level, limit, hours, earliest, latest = null] = figures.split(",").map(known);
  const history = points === "" ? [] : points.split(",").map(known);
  const all = [...history, level, limit, hours, earliest, latest];
  if (all.some((one) => Number.isNaN(one))) return null;
  if (level == null || limit == null || hours == null || earliest == null) return null;
  return { history, level, limit, hours, earliest, latest };
}

export interface ConePaths {
  history: string;
  /** From the level to the limit at the earliest and at the latest. */
  fan: string;
  median: string;
  /** The limit, over the whole width. */
  limit: string;
  /** Where the present is. */
  now: number;
}

/** Draws a cone into a box. The future takes as much room as it has hours, but never less than a third. */
export function drawCone(cone: Cone, width: number, height: number): ConePaths {
  const past = cone.history.length * STEP;
  const ahead = cone.latest ?? cone.hours * 2;
  const now = Math.min(width * (2 / 3), (width * past) / Math.max(1, past + ahead));
  const values = [...cone.history.filter((one) => one !== null), cone.level, cone.limit];
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const y = (value: number): string => (height - 2 - ((value - low) / span) * (height - 4)).toFixed(1);
  const x = (hours: number): string => (now + ((width - now) * hours) / ahead).toFixed(1);
  let joined = false;
  let history = "";
  cone.history.forEach((value, at) => {
    // A point is the middle of its six hours.
    const left = past === 0 ? 0 : (now * (at + 0.5) * STEP) / past;
    if (value !== null) history += `${joined ? "L" : "M"}${left.toFixed(1)} ${y(value)}`;
    joined = value !== null;
  });
  const start = `M${now.toFixed(1)} ${y(cone.level)}`;
  const top = y(cone.limit);
  const end =
    cone.latest === null ? `L${width} ${top}L${width} ${y(cone.level)}` : `L${x(cone.latest)} ${top}`;
  return {
    history,
    fan: `${start}L${x(cone.earliest)} ${top}${end}z`,
    median: `${start}L${x(cone.hours)} ${top}`,
    limit: `M0 ${top}H${width}`,
    now: Number(now.toFixed(1)),
  };
}
