import { expect, test } from "vitest";
import { isRearranged, keepPlaces, type Placed } from "./places";

const item = (id: string, text = id) => ({ id, text });
type Item = ReturnType<typeof item>;

function run(answers: readonly [number, string][]): Placed<Item>[] {
  let rows: Placed<Item>[] = [];
  for (const [atMs, ids] of answers) {
    rows = keepPlaces(
      rows,
      [...ids].map((id) => item(id, `${id}${atMs}`)),
      atMs,
    );
  }
  return rows;
}
const shown = (rows: readonly Placed<Item>[]): string =>
  rows.map((row) => (row.goneMs === null ? row.item.id : row.item.id.toUpperCase())).join("");

test("a row keeps its place: new ones come last, those that left stay, only the end goes", () => {
  // biome-ignore format: one case is one line
  for (const [answers, expected] of [
    [[[0, "abc"]], "abc"],
    [[[0, "abc"], [10, "cab"]], "abc"],
    [[[0, "abc"], [10, "xbc"]], "Abcx"],
    [[[0, "abc"], [10, "ac"], [90_000, "ac"]], "aBc"],
    [[[0, "abc"], [10, "a"]], "aBC"],
    [[[0, "abc"], [10, "a"], [60_009, "a"]], "aBC"],
    [[[0, "abc"], [10, "a"], [60_010, "a"]], "a"],
    // Back before it went: as if it had never left.
    [[[0, "ab"], [10, "a"], [20, "ab"]], "ab"],
    [[[0, "ab"], [10, ""], [70_000, ""]], ""],
  ] as [[number, string][], string][]) {
    expect(shown(run(answers)), JSON.stringify(answers)).toBe(expected);
  }
});

test("rows that something stands behind stay", () => {
  const rows = keepPlaces(run([[0, "abc"]]), [], 10);
  expect(shown(keepPlaces(rows, [], 90_000, 2))).toBe("AB");
});

test("the text of a row is from the newest answer; a row that left keeps its last one", () => {
  const rows = run([
    [0, "ab"],
    [10, "a"],
    [20, "a"],
  ]);
  expect(rows.map((row) => row.item.text)).toEqual(["a20", "b0"]);
});

test("a row remembers how it was first shown, until it is another row", () => {
  const rows = run([
    [0, "ab"],
    [10, "b"],
    [20, "ab"],
  ]);
  expect(rows.map((row) => row.first.text)).toEqual(["a0", "b0"]);
  const again = run([
    [0, "ab"],
    [10, "a"],
    [70_000, "a"],
    [70_010, "ab"],
  ]);
  expect(again.map((row) => row.first.text)).toEqual(["a0", "b70010"]);
});

test("a list is rearranged when it has other rows than the answer, or another order", () => {
  const fresh = [item("a"), item("b")];
  // biome-ignore format: one case is one line
  for (const [answers, expected] of [
    [[[0, "ab"]], false],
    [[[0, "ba"], [1, "ab"]], true],
    [[[0, "cab"], [1, "ab"]], true],
    [[[0, "a"], [1, "ab"]], false],
  ] as [[number, string][], boolean][]) {
    expect(isRearranged(run(answers), fresh), JSON.stringify(answers)).toBe(expected);
  }
});
