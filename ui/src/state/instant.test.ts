import { expect, test } from "vitest";
import { atInstant } from "./instant";

test("a snapshot has its instant, its window and what led there in the address", () => {
  const at = Date.UTC(2026, 10, 22, 14, 0, 30);
  expect(atInstant(at, { finding: "7" })).toEqual({
    at: "2026-11-22T14:00:30Z",
    from: "2026-11-22T13:50:30Z",
    to: "2026-11-22T14:10:30Z",
    finding: "7",
  });
  expect(atInstant(at, {}, 60_000, 120_000)).toMatchObject({
    from: "2026-11-22T13:59:30Z",
    to: "2026-11-22T14:02:30Z",
  });
});
