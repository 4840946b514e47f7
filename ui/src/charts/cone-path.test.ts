import { expect, test } from "vitest";
import { drawCone, parseCone } from "./cone-path";

test("a cone is read as it is sent, with gaps and without a latest instant", () => {
  expect(parseCone("60,,61.5 66.7,100,222,200,250")).toEqual({
    history: [60, null, 61.5],
    level: 66.7,
    limit: 100,
    hours: 222,
    earliest: 200,
    latest: 250,
  });
  expect(parseCone(" 5,10,24,24,")).toEqual({
    history: [],
    level: 5,
    limit: 10,
    hours: 24,
    earliest: 24,
    latest: null,
  });
  for (const broken of ["", "1,2,3", "1,x 5,10,24,24,", "1 5,10"]) expect(parseCone(broken)).toBeNull();
});

test("history ends where the fan begins, and the fan ends at the limit, within the box", () => {
  const paths = drawCone(
    { history: [50, 55, null, 60], level: 60, limit: 100, hours: 24, earliest: 20, latest: 30 },
    160,
    36,
  );
  // 24 hours of history and 30 ahead.
  expect(paths.now).toBeCloseTo(160 * (24 / 54), 1);
  expect(paths.limit).toBe("M0 2.0H160");
  expect(paths.fan).toMatch(/L160\.0 2\.0z$/);
  expect(paths.median).toContain("2.0");
  expect(paths.history.match(/M/g)).toHaveLength(2);
  // A limit from above lies below.
  const falling = drawCone(
    { history: [99], level: 98, limit: 90, hours: 48, earliest: 40, latest: null },
    160,
    36,
  );
  expect(falling.limit).toBe("M0 34.0H160");
  for (const figure of `${paths.fan}${falling.fan}`.match(/-?\d+(\.\d+)?/g) ?? []) {
    expect(Number(figure)).toBeGreaterThanOrEqual(0);
    expect(Number(figure)).toBeLessThanOrEqual(160);
  }
});
