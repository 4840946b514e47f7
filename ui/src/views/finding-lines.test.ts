import { expect, test } from "vitest";
import { aroundFinding, rangeOfPattern } from "./finding-lines";

const NOW = Date.UTC(2026, 10, 22, 14, 0);
const MINUTE = 60_000;

test("lines of a source are those of a quarter of an hour on either side", () => {
  expect(aroundFinding(NOW)).toEqual({ from: "2026-11-22T13:45:00Z", to: "2026-11-22T14:15:00Z" });
});

test("the range on the screen stays when the finding was made in it", () => {
  const hour = { from: "now-1h", to: "now" };
  expect(rangeOfPattern(NOW - 59 * MINUTE, hour, NOW)).toEqual(hour);
  expect(rangeOfPattern(NOW - 120 * MINUTE, hour, NOW)).toEqual({
    from: "2026-11-22T11:45:00Z",
    to: "2026-11-22T12:15:00Z",
  });
});
