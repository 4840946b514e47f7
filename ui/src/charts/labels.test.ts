import { expect, test } from "vitest";
import { type Box, overlap, placeLabels } from "./labels";

const AREA: Box = { left: 0, top: 0, width: 300, height: 100 };
const at = (left: number, top: number): Box => ({ left, top, width: 60, height: 12 });

test("labels take their first free place, and none overlaps another or the edge", () => {
  const placed = placeLabels(
    [
      { text: "crit", colour: "red", places: [at(240, 10)] },
      { text: "warn", colour: "amber", places: [at(240, 15), at(240, 23)] },
      { text: "crowded out", colour: "blue", places: [at(245, 12), at(280, 50)] },
      { text: "mark", colour: "blue", places: [at(0, 0)] },
    ],
    AREA,
  );
  expect(placed.map(({ text }) => text)).toEqual(["crit", "warn", "mark"]);
  expect(placed[1]?.box.top).toBe(23);
  for (const one of placed)
    for (const other of placed) if (one !== other) expect(overlap(one.box, other.box)).toBe(false);
});
