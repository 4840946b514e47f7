import { expect, test } from "vitest";
import { readSpan } from "./span";

test("a range is parsed as it is usually written", () => {
  for (const [typed, expected] of [
    ["last 6 h", "now-6h"],
    ["Last 6 hours", "now-6h"],
    ["6h", "now-6h"],
    ["last 30 min", "now-30m"],
    ["30 minutes", "now-30m"],
    ["last 2 days", "now-2d"],
    ["last 1 week", "now-7d"],
    ["90 seconds", "now-90s"],
    ["last 0 h", null],
    ["6 horses", null],
    ["last", null],
    ["8080", null],
  ] as const) {
    expect(readSpan(typed), typed).toBe(expected);
  }
});
