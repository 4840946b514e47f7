import { expect, test } from "vitest";
import { readHypotheses } from "./hypotheses";

test("each cause has the evidence below it", () => {
  expect(readHypotheses("File system /srv is full\n\tbegan first\n\tDo next: `df`\nAPI errors\n")).toEqual([
    { says: "File system /srv is full", more: ["began first", "Do next: `df`"] },
    { says: "API errors", more: [] },
  ]);
  expect(readHypotheses("")).toEqual([]);
  expect(readHypotheses("\tevidence of nothing")).toEqual([{ says: "evidence of nothing", more: [] }]);
});
