import { describe, expect, test } from "vitest";
import type { Unit } from "../api/types.gen";
import { formatExact, formatLatest, formatNumber, formatValue, keepUnits } from "./value";

/** No-break spaces written as plain ones, so that the tables below can be typed. */
const plain = (text: string): string => text.replace(/\u00a0/g, " ");

describe("formatValue", () => {
  const cases: [number | string | boolean | null, Unit, string][] = [
    [null, "bytes", "–"],
    [Number.NaN, "percent", "–"],
    ["", "text", "–"],
    [0, "percent", "0 %"],
    [0.004, "percent", "0 %"],
    [0.05, "percent", "0.05 %"],
    [12.345, "percent", "12.3 %"],
    [99.96, "percent", "100 %"],
    [0, "bytes", "0 B"],
    [1023, "bytes", "1,023 B"],
    [1024, "bytes", "1 KiB"],
    [1_048_575, "bytes", "1 MiB"],
    [1_288_490_188, "bytes", "1.2 GiB"],
    [-2048, "bytes", "-2 KiB"],
    [1536, "bytes_per_sec", "1.5 KiB/s"],
    [999, "count", "999"],
    [999.6, "count", "1 k"],
    [12_345, "count", "12.3 k"],
    [1_234_567, "per_sec", "1.23 M/s"],
    [0.25, "ms", "250 µs"],
    [410, "ms", "410 ms"],
    [1500, "ms", "1.5 s"],
    [90_000, "ms", "1 min 30 s"],
    [0.4, "secs", "0.4 s"],
    [59.96, "secs", "1 min"],
    [3600, "secs", "1 h"],
    [273_600, "secs", "3 d 4 h"],
    [true, "bool", "yes"],
    [0, "bool", "no"],
    ["<img src=x>", "text", "<img src=x>"],
  ];
  test.each(cases)("%s as %s is %s", (value, unit, shown) => {
    expect(plain(formatValue(value, unit))).toBe(shown);
  });
});

test("numbers keep three significant places", () => {
  expect([0.0123, 0.123, 1.234, 12.34, 123.4, 1234.5].map(formatNumber)).toEqual([
    "0.012",
    "0.12",
    "1.23",
    "12.3",
    "123",
    "1,235",
  ]);
});

test("the exact value loses nothing", () => {
  expect(plain(formatExact(1_288_490_188, "bytes"))).toBe("1,288,490,188 bytes");
  expect(plain(formatExact(12.3456, "percent"))).toBe("12.3456 %");
  expect(formatExact(0, "time_ms")).toBe("1970-01-01T00:00:00.000Z");
});

test("a percent sign stays with its figure", () => {
  expect(keepUnits("Cache hit ratio is low: 98.7 % of 3 sessions")).toBe(
    "Cache hit ratio is low: 98.7\u00a0% of 3 sessions",
  );
});

test("a latest count is a whole number, and 0 only when it is 0", () => {
  const shown = [0, 0.33, 0.67, 1.33, 1.71, 12.5].map((value) => formatLatest(value, "count"));
  expect(shown).toEqual(["0", "1", "1", "1", "2", "13"]);
  expect(formatLatest(0.67, "ratio")).toBe(formatValue(0.67, "ratio"));
});
