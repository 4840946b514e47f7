import { expect, test } from "vitest";
import { COLOURS, claimId, dashOf, Slots } from "./slots";

const of = (family: string, ...names: string[]) => names.map((name) => ({ family, name }));

/** The slots of the claims, in their order. */
function claim(slots: Slots, claims: ReturnType<typeof of>, own = new Map<string, number>()) {
  const held = slots.claim(claims, own);
  return claims.map((one) => held.get(claimId(one)));
}

test("a series has one colour on every chart, in whatever order it comes", () => {
  const slots = new Slots();
  const received = claim(slots, of("net", "eth0", "lo"));
  expect(received).toEqual([0, 1]);
  expect(claim(slots, of("net", "lo", "wlan0", "eth0"))).toEqual([1, 2, 0]);
  expect(claim(slots, of("net", "wlan0"))).toEqual([2]);
});

test("a single series has the first colour, and keeps the one it has elsewhere", () => {
  const slots = new Slots();
  expect(claim(slots, of("", "cpu", "iowait"))).toEqual([0, 1]);
  expect(claim(slots, of("", "load"))).toEqual([0]);
  expect(claim(slots, of("", "iowait"))).toEqual([1]);
});

test("no two lines of a chart look alike, however many there are and whatever they have elsewhere", () => {
  const slots = new Slots();
  claim(slots, of("", "a"));
  claim(slots, of("", "b"));
  expect(claim(slots, of("", "a", "b"))).toEqual([0, 1]);
  const many = claim(slots, of("process", ...Array.from({ length: 64 }, (_, at) => `p${at}`)));
  expect(new Set(many).size).toBe(64);
  expect(new Set(many.map((slot = 0) => `${slot % COLOURS} ${dashOf(slot)}`)).size).toBe(64);
});

test("a line keeps its look while others come and go", () => {
  const slots = new Slots();
  const own = new Map<string, number>();
  claim(slots, of("", "x"));
  const [, first] = claim(slots, of("", "x", "y"), own);
  claim(slots, of("", "y"), own);
  expect(claim(slots, of("", "y", "x"), own)).toEqual([first, 0]);
});
