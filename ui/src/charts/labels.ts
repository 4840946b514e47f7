/**
 * Where the texts inside a plot go: never over each other, never over the edge.
 *
 * Each label names the places that would do, best first, and takes the first that is free. One that finds
 * none is left out: its text is in the legend, the table and the tooltip as well.
 */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Wanted {
  text: string;
  colour: string;
  places: readonly Box[];
}

export interface Placed {
  text: string;
  colour: string;
  box: Box;
}

export function placeLabels(wanted: readonly Wanted[], area: Box): Placed[] {
  const placed: Placed[] = [];
  for (const { text, colour, places } of wanted) {
    const box = places.find(
      (place) => contains(area, place) && !placed.some((other) => overlap(place, other.box)),
    );
    if (box) placed.push({ text, colour, box });
  }
  return placed;
}

export function overlap(a: Box, b: Box): boolean {
  return (
    a.left < b.left + b.width &&
    b.left < a.left + a.width &&
    a.top < b.top + b.height &&
    b.top < a.top + a.height
  );
}

function contains(area: Box, box: Box): boolean {
  return (
    box.left >= area.left &&
    box.top >= area.top &&
    box.left + box.width <= area.left + area.width &&
    box.top + box.height <= area.top + area.height
  );
}
