import { beforeEach, describe, expect, test } from "vitest";
import { type Body, outbox, textOf } from "./outbox";

const view = (id: string): Body => ({ view: id, events: [{ type: "view" }] });
const time = (id: string, ms: number): Body => ({ view: id, events: [{ type: "time", engaged_ms: ms }] });
const named = (name: string): Body => ({ view: "v", events: [{ type: "event", name }] });

/** A network whose state a test sets, and what arrived over it, with how. */
let now = 0;
let answer: number | undefined;
let takesBeacons = true;
let arrived: { by: string; body: Body }[] = [];

const deliver = (by: string, text: string): number => arrived.push({ by, body: JSON.parse(text) as Body });
const make = () =>
  outbox(
    () => now,
    (text) => takesBeacons && deliver("beacon", text) > 0,
    (text) => {
      if (answer === undefined) return Promise.reject(new TypeError("no network"));
      if (answer < 300) deliver("fetch", text);
      return Promise.resolve({ status: answer });
    },
  );
/** Lets promises that are settled run what follows. */
const settle = async (): Promise<void> => {
  for (let round = 0; round < 50; round += 1) await Promise.resolve();
};
const events = () => arrived.map(({ body }) => body.events[0]);

beforeEach(() => {
  now = 0;
  answer = 202;
  takesBeacons = true;
  arrived = [];
});

describe("how an event goes", () => {
  test("what may be the last by beacon, anything else by fetch", () => {
    const send = make();
    send(false, view("a"));
    send(true, named("click"));
    expect(arrived.map(({ by }) => by)).toEqual(["fetch", "beacon"]);
    // What is sent at once has no age.
    expect(events().map((event) => event?.age_ms)).toEqual([undefined, undefined]);
  });

  test("by fetch when no beacon is taken", () => {
    takesBeacons = false;
    make()(true, named("click"));
    expect(arrived.map(({ by }) => by)).toEqual(["fetch"]);
  });
});

describe("an event that could not be sent", () => {
  test.each([undefined, 429, 500, 503])("waits after %s, and goes with its age", async (failure) => {
    const send = make();
    answer = failure;
    send(false, view("a"));
    await settle();
    answer = 202;
    now = 1_500.4;
    send();
    expect(events()).toEqual([{ type: "view", age_ms: 1_500 }]);
    await settle();
    send();
    expect(arrived).toHaveLength(1);
  });

  test.each([400, 403, 404, 413])("is not sent again after %d", async (refusal) => {
    const send = make();
    answer = refusal;
    send(false, view("a"));
    await settle();
    answer = 202;
    send();
    expect(arrived).toEqual([]);
  });

  test("goes once another got through", async () => {
    const send = make();
    answer = 503;
    send(false, view("a"));
    await settle();
    answer = 202;
    send(false, named("b"));
    await settle();
    expect(events().map(({ type }) => type)).toEqual(["event", "view"]);
  });

  test("goes by beacon when the page is left", async () => {
    const send = make();
    answer = undefined;
    send(false, view("a"));
    await settle();
    send(true);
    expect(arrived.map(({ by }) => by)).toEqual(["beacon"]);
  });

  test("waits on when it fails again, with its first time", async () => {
    const send = make();
    answer = 503;
    send(false, view("a"));
    await settle();
    now = 1_000;
    send();
    await settle();
    now = 5_000;
    answer = 202;
    send();
    expect(events()).toEqual([{ type: "view", age_ms: 5_000 }]);
  });
});

describe("what waits", () => {
  test("is at most twenty events, the oldest", async () => {
    const send = make();
    answer = undefined;
    for (let nth = 0; nth < 30; nth += 1) send(false, named(`n${nth}`));
    await settle();
    answer = 202;
    send();
    expect(events().map(({ name }) => name)).toEqual(Array.from({ length: 20 }, (_, nth) => `n${nth}`));
  });

  test("has one engagement of a view, the newest", async () => {
    const send = make();
    answer = undefined;
    for (const body of [view("a"), time("a", 10), time("b", 7), time("a", 20)]) send(false, body);
    await settle();
    answer = 202;
    send();
    expect(arrived.map(({ body }) => [body.view, body.events[0].engaged_ms])).toEqual([
      ["a", undefined],
      ["b", 7],
      ["a", 20],
    ]);
  });
});

test.each([
  ["plain", "plain"],
  ["pair \u{1f600}", "pair \u{1f600}"],
  ["cut \ud83d", "cut \ufffd"],
  ["\ude00 cut", "\ufffd cut"],
  ['quote " and \\ and \\ud83d', undefined],
])("text of %j is one that a strict parser takes", (title, expected) => {
  const text = textOf({ ...view("a"), title });
  const read = (JSON.parse(text) as Body).title;
  expect(String(read).isWellFormed()).toBe(true);
  if (expected !== undefined) expect(read).toBe(expected);
});
