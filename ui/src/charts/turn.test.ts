import { expect, test, vi } from "vitest";
import { inTurn } from "./turn";

test("each piece has a task of its own, in order; what is taken back is not done", () => {
  vi.useFakeTimers();
  const done: string[] = [];
  const piece = (name: string): (() => void) => inTurn(() => done.push(name));
  piece("a");
  const takeBack = piece("b");
  piece("c");
  expect(done).toEqual([]);
  vi.advanceTimersToNextTimer();
  expect(done).toEqual(["a"]);
  takeBack();
  piece("d");
  vi.advanceTimersToNextTimer();
  expect(done).toEqual(["a", "c"]);
  vi.runAllTimers();
  expect(done).toEqual(["a", "c", "d"]);
  // A piece that asks for more, and one after a pause.
  inTurn(() => piece("f"));
  vi.runAllTimers();
  piece("g");
  vi.runAllTimers();
  expect(done).toEqual(["a", "c", "d", "f", "g"]);
  vi.useRealTimers();
});
