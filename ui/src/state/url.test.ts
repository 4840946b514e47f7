import { expect, test } from "vitest";
import { formatPlace, param, parsePlace, withParams, withView } from "./url";

test.each(["/monitor/", "/", "/a/b/"])("addresses under %s", (base) => {
  expect(parsePlace(base, base).view).toBe("now");
  expect(parsePlace(base, `${base}v/processes`).view).toBe("processes");
  expect(parsePlace(base, `${base}v/processes/`).view).toBe("processes");
  expect(formatPlace(base, { view: "system", params: {} })).toBe(`${base}v/system`);
});

test("the documented address round-trips as it is written", () => {
  const written = "/monitor/v/processes?host=1&from=now-6h&to=now&f.issue=cpu&f.issue=rss&sort=-rss_bytes";
  const place = parsePlace("/monitor/", written);
  expect(place.view).toBe("processes");
  expect(place.params["f.issue"]).toEqual(["cpu", "rss"]);
  expect(formatPlace("/monitor/", place)).toBe(written);
});

test("any text survives, and printing is stable", () => {
  const hostile = [
    "a&b=c",
    "100 %",
    "<img src=x onerror=alert(1)>",
    "\u202e",
    "+",
    "é#?/",
    "",
    "\ud800",
    "__proto__",
  ];
  for (const text of hostile) {
    const printed = formatPlace(
      "/m/",
      withParams({ view: "now", params: {} }, { q: [text], [`f.${text || "x"}`]: "1" }),
    );
    const read = parsePlace("/m/", printed);
    expect(param(read, "q")).toBe(text.toWellFormed());
    expect(formatPlace("/m/", read)).toBe(printed);
  }
});

test("broken escapes and foreign paths are an unknown view", () => {
  expect(parsePlace("/m/", "/m/v/%E0%A4%A").view).toBe("%E0%A4%A");
  expect(parsePlace("/m/", "/m/other").view).toBe("other");
  expect(Object.keys(parsePlace("/m/", "/m/v/now?__proto__=1").params)).toEqual(["__proto__"]);
});

test("a change of view keeps host and time, drops search and sort", () => {
  const place = parsePlace("/m/", "/m/v/processes?host=2&from=now-1d&q=x&sort=pid&sel=1.2&zone=utc");
  expect(formatPlace("/m/", withView(place, "system"))).toBe("/m/v/system?host=2&from=now-1d&zone=utc");
  expect(formatPlace("/m/", withParams(place, { q: null, sel: null, sort: [] }))).toBe(
    "/m/v/processes?host=2&from=now-1d&zone=utc",
  );
});
