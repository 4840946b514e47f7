import { expect, test } from "vitest";
import { formatAgo, formatClock, formatDateTime, formatDuration, withoutTime } from "./time";

const AT = Date.UTC(2026, 2, 1, 14, 2, 11);
const plain = (text: string): string => text.replace(/\u00a0/g, " ");

test("instants read the same in every locale", () => {
  expect(formatClock(AT, true)).toBe("14:02:11");
  expect(formatClock(AT, true, false)).toBe("14:02");
  expect(formatDateTime(AT, true, AT)).toBe("1 Mar 14:02:11 UTC");
  expect(formatDateTime(AT, true, AT + 365 * 86_400_000)).toBe("1 Mar 2026 14:02:11 UTC");
  expect(formatClock(Number.NaN, true)).toBe("–");
});

test.each([
  [0, "0 s"],
  [0.04, "0 s"],
  [9.94, "9.9 s"],
  [42, "42 s"],
  [60, "1 min"],
  [75, "1 min 15 s"],
  [3660, "1 h 1 min"],
  [3605, "1 h"],
  [90_000, "1 d 1 h"],
  [-75, "-1 min 15 s"],
])("%d s is %s", (secs, shown) => {
  expect(plain(formatDuration(secs))).toBe(shown);
});

test("ages look back and ahead", () => {
  expect(plain(formatAgo(AT, AT + 17 * 60_000))).toBe("17 min ago");
  expect(plain(formatAgo(AT, AT - 3000))).toBe("in 3 s");
  expect(formatAgo(AT, AT + 1000)).toBe("just now");
});

test.each([
  ["Unknown: the collector has been silent since 18:46:20.", "Unknown: the collector has been silent."],
  ["2 problems: CPU busy is 82.5 % since 18:46.", "2 problems: CPU busy is 82.5 %."],
  ["the database has not answered since 14:02:11", "the database has not answered"],
  ["All 6 areas normal.", "All 6 areas normal."],
])("%s loses its time", (text, expected) => {
  expect(withoutTime(text)).toBe(expected);
});
