import { expect, test } from "vitest";
import { wordsOf } from "./event-details";

test("details of an event are words", () => {
  expect(wordsOf('{"usernames": ["root", "admin"], "in_all": 412, "advice": "ban <b>it</b>"}')).toBe(
    "usernames: root, admin · in all: 412 · advice: ban <b>it</b>",
  );
  expect(wordsOf('{"peers": [{"ip": "::1"}, 2], "open": true}')).toBe('peers: {"ip":"::1"}, 2 · open: true');
  expect(wordsOf("{}")).toBe("");
});

test("a value that is not an object is shown unchanged", () => {
  for (const text of ['{"usernames": ["root", "adm', "null", "[1]", "7", "plain"]) {
    expect(wordsOf(text)).toBe(text);
  }
});
