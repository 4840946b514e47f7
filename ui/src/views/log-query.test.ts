import { expect, test } from "vitest";
import type { LogRow } from "../api/types.gen";
import { follow, joinLines, linesPath } from "./log-query";

const RANGE = { from: "now-1h", to: "now" };
const row = (id: string, message = id): LogRow => ({
  id,
  ts_ms: 0,
  source: "s",
  level: "info",
  component: "",
  message,
  message_chars: null,
  context: null,
  fingerprint: "",
});

test("a question holds filters and page of the address, an export all pages", () => {
  const place = {
    view: "logs",
    params: {
      q: ["50% & more"],
      "f.level": ["error", "warn"],
      before: ["9.1.2.3.a b"],
      sort: ["-count"],
      sel: ["x"],
    },
  };
  const path = "logs?before=9.1.2.3.a%20b&f.level=error&f.level=warn&q=50%25%20%26%20more";
  expect(linesPath(place, RANGE, "host=3").replace("from=now-1h&to=now&", "")).toBe(
    `${path}&limit=50&host=3`,
  );
  expect(linesPath(place, RANGE, "", "csv")).not.toContain("before");
  expect(linesPath(place, RANGE, "", "csv")).toMatch(/format=csv$/);
});

test("what is followed is the same question about the last moments", () => {
  const place = { view: "logs", params: { q: ["from=now-1h"] } };
  expect(follow(linesPath(place, RANGE, "host=3"))).toBe(
    "logs?from=now-30s&to=now&q=from%3Dnow-1h&limit=200&host=3&counts=0",
  );
});

test("lines of two answers are joined by time, each once, in the order of the server", () => {
  const older = [row("30.2.0.1.a"), row("30.1.0.1.a"), row("20.9.0.1.b")];
  const fresh = [row("40.1.0.1.a"), row("30.2.0.1.a"), row("25.1.0.1.late")];
  expect(joinLines(fresh, older).map(({ id }) => id)).toEqual([
    "40.1.0.1.a",
    "30.2.0.1.a",
    "30.1.0.1.a",
    "25.1.0.1.late",
    "20.9.0.1.b",
  ]);
  const many = Array.from({ length: 700 }, (_, at) => row(`${1000 - at}.0.0.0.a`));
  expect(joinLines([], many)).toHaveLength(500);
});
