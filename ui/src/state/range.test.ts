import { describe, expect, test } from "vitest";
import {
  absoluteRange,
  fitRange,
  freezeRange,
  isLive,
  parseInstant,
  resolveRange,
  SHORTEST_MS,
  scaleRange,
  shiftRange,
} from "./range";
import { formatInstant, PRESETS, readRange } from "./typed-range";

const NOW = Date.UTC(2026, 10, 22, 12, 0, 0);
const HOUR = 3_600_000;

describe("parseInstant", () => {
  test.each([
    ["now", 0],
    [" NOW ", 0],
    ["now-6h", 6 * HOUR],
    ["now - 15 m", 15 * 60_000],
    ["6h", 6 * HOUR],
    ["-2d", 48 * HOUR],
    ["now-30s", 30_000],
    ["now-1w", 168 * HOUR],
  ])("%s looks back %d ms", (text, backMs) => {
    expect(parseInstant(text)).toEqual({ kind: "relative", backMs });
  });

  test.each([
    ["2026-11-22", Date.UTC(2026, 10, 22)],
    ["2026-11-22 12:30", Date.UTC(2026, 10, 22, 12, 30)],
    ["2026-11-22T12:30:15Z", Date.UTC(2026, 10, 22, 12, 30, 15)],
    ["2026-11-22T12:30:15.250Z", Date.UTC(2026, 10, 22, 12, 30, 15, 250)],
    ["2026-11-22T12:30+02:00", Date.UTC(2026, 10, 22, 10, 30)],
    ["2026-11-22 12:30 UTC", Date.UTC(2026, 10, 22, 12, 30)],
    ["1795348800000", 1_795_348_800_000],
  ])("%s is an instant", (text, atMs) => {
    expect(parseInstant(text)).toEqual({ kind: "absolute", atMs });
  });

  test.each([
    "",
    "tomorrow",
    "now-",
    "now-6y",
    "now+6h",
    "2026-13-01",
    "2026-11-22 25:00",
    "12",
    "-",
    "now-9999999h",
  ])("%s means nothing", (text) => {
    expect(parseInstant(text)).toBeNull();
  });

  test("a date without zone is read in the zone shown", () => {
    const local = new Date(2026, 10, 22, 12, 30).getTime();
    expect(parseInstant("2026-11-22 12:30", false)).toEqual({ kind: "absolute", atMs: local });
  });
});

test("what is printed reads back the same", () => {
  for (const text of ["now", "now-90s", "now-15m", "now-36h", "now-7d", "2026-11-22T12:30:15.250Z"]) {
    const instant = parseInstant(text);
    expect(instant).not.toBeNull();
    if (instant) expect(parseInstant(formatInstant(instant))).toEqual(instant);
  }
  for (const preset of PRESETS) expect(parseInstant(`now-${preset}`)).not.toBeNull();
});

test("a range resolves at an instant; nonsense is the last hour", () => {
  expect(resolveRange({ from: "now-6h", to: "now-1h" }, NOW)).toEqual({
    fromMs: NOW - 6 * HOUR,
    toMs: NOW - HOUR,
  });
  expect(resolveRange({ from: "now", to: "now-1h" }, NOW)).toEqual({ fromMs: NOW - HOUR, toMs: NOW });
});

test("typed ranges are read or refused with the reason", () => {
  expect(readRange("6h", "now", NOW, true)).toEqual({ from: "now-6h", to: "now" });
  expect(readRange("soon", "now", NOW, true)).toHaveProperty("fault");
  expect(readRange("now-1h", "later", NOW, true)).toHaveProperty("fault");
  expect(readRange("now", "now-1h", NOW, true)).toHaveProperty("fault");
});

test("a frozen range no longer moves", () => {
  const frozen = freezeRange({ from: "now-1h", to: "now" }, NOW);
  expect(frozen).toEqual({ from: "2026-11-22T11:00:00Z", to: "2026-11-22T12:00:00Z" });
  expect(isLive(frozen)).toBe(false);
  expect(resolveRange(frozen, NOW + 10 * HOUR)).toEqual({ fromMs: NOW - HOUR, toMs: NOW });
});

test("zooming keeps the point under the pointer and a shortest width", () => {
  const wide = { from: "now-4h", to: "now-2h" };
  const half = resolveRange(scaleRange(wide, 0.5, 0.25, NOW), NOW);
  const pivot = NOW - 4 * HOUR + 0.25 * 2 * HOUR;
  expect(half.toMs - half.fromMs).toBe(HOUR);
  expect(half.fromMs + 0.25 * HOUR).toBe(pivot);
  const least = resolveRange(scaleRange(wide, 1e-9, 0.5, NOW), NOW);
  expect(least.toMs - least.fromMs).toBe(SHORTEST_MS);
  expect(resolveRange(absoluteRange(NOW, NOW + 10), NOW).toMs).toBe(NOW + 5 + SHORTEST_MS / 2);
});

test("neither zooming out nor shifting goes beyond now", () => {
  const out = resolveRange(scaleRange({ from: "now-1h", to: "now" }, 2, 0.5, NOW), NOW);
  expect(out).toEqual({ fromMs: NOW - 2 * HOUR, toMs: NOW });
  const later = resolveRange(shiftRange({ from: "now-3h", to: "now-1h" }, 5, NOW), NOW);
  expect(later).toEqual({ fromMs: NOW - 2 * HOUR, toMs: NOW });
  const live = { from: "now-1h", to: "now" };
  expect(shiftRange(live, 1, NOW)).toBe(live);
});

test("the default range fits the data that exist", () => {
  for (const [minutes, from] of [
    [0, "now-5m"],
    [5, "now-5m"],
    [6, "now-15m"],
    [29, "now-30m"],
    [31, "now-1h"],
    [10_000, "now-1h"],
  ] as const) {
    expect(fitRange(minutes * 60_000).from, `${minutes} min`).toBe(from);
  }
});
