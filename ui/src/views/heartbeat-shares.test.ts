import { expect, test } from "vitest";
import { summarise } from "./heartbeat-shares";

test("heartbeats are summed up with the longest silence", () => {
  expect(summarise([null, 1, 0, 1, 0, 0, 0.5], 0, 10)).toEqual({ mean: 2.5 / 6, silent: [40, 60] });
  expect(summarise([1, 0], 0, 10)).toEqual({ mean: 0.5, silent: [10, 20] });
  expect(summarise([null], 0, 10)).toBeNull();
});
