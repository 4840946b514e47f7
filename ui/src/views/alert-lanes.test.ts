import { expect, test } from "vitest";
import type { AlertBar, AlertLane } from "../api/types.gen";
import { drawBar, passes } from "./alert-lanes";

const bar = (changes: Partial<AlertBar>): AlertBar => ({
  id: "1",
  opened_ms: 1000,
  resolved_ms: null,
  unknown_ms: null,
  changes: [{ at_ms: 1000, severity: "warn" }],
  ...changes,
});

test("a bar is cut where its severity changes and where data end", () => {
  const drawn = drawBar(
    bar({
      unknown_ms: 1800,
      changes: [
        { at_ms: 1000, severity: "warn" },
        { at_ms: 1400, severity: "critical" },
      ],
    }),
    1000,
    2000,
    1900,
  );
  expect(drawn?.segments.map(({ severity }) => severity)).toEqual(["warn", "critical", "unknown"]);
  expect(drawn?.segments.map(({ left }) => left)).toEqual([0, 0.4, 0.8]);
  expect(drawn?.width).toBeCloseTo(0.9);
});

test("what lasts at the newest sample is unknown after it, what ended is not", () => {
  const severities = (changes: Partial<AlertBar>, knownMs: number | null) =>
    drawBar(bar(changes), 1000, 2000, 1900, knownMs)?.segments.map(({ severity }) => severity);
  expect(severities({}, 1500)).toEqual(["warn", "unknown"]);
  expect(severities({ unknown_ms: 1200 }, 1500)).toEqual(["warn", "unknown"]);
  expect(severities({ resolved_ms: 1800 }, 1500)).toEqual(["warn"]);
  expect(severities({}, null)).toEqual(["warn"]);
});

test("a bar is cut at the range, and none is drawn outside of it", () => {
  expect(drawBar(bar({ opened_ms: 0, resolved_ms: 1500 }), 1000, 2000, 9000)).toMatchObject({
    left: 0,
    width: 0.5,
  });
  expect(drawBar(bar({ opened_ms: 500, resolved_ms: 900 }), 1000, 2000, 9000)).toBeNull();
  expect(drawBar(bar({ opened_ms: 2000 }), 1000, 2000, 9000)).toBeNull();
  // What ended in the instant in which it began is still there to be reached.
  expect(drawBar(bar({ resolved_ms: 1000 }), 1000, 2000, 9000)?.segments).toHaveLength(1);
});

test("a change before the range counts from its begin", () => {
  const drawn = drawBar(
    bar({
      opened_ms: 0,
      changes: [
        { at_ms: 0, severity: "warn" },
        { at_ms: 500, severity: "critical" },
      ],
    }),
    1000,
    2000,
    2000,
  );
  expect(drawn?.segments).toEqual([{ left: 0, width: 1, severity: "critical" }]);
});

test("lanes pass the filters that are set", () => {
  const lane = {
    rule: "r",
    kind: "alert",
    domain: "api",
    state: "firing",
    severity: "critical",
  } as AlertLane;
  const all = { kind: [], severity: [], state: [], rule: [], domain: [] };
  expect(passes(lane, all)).toBe(true);
  expect(passes(lane, { ...all, severity: ["warn", "critical"], rule: ["r"] })).toBe(true);
  expect(passes(lane, { ...all, state: ["resolved"] })).toBe(false);
});
