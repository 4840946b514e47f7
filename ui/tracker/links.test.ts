import { expect, test } from "vitest";
import { linkEvent, markedProps } from "./links";

const HOST = "www.example.org";

test.each<[href: string, event: [string, string] | undefined]>([
  ["https://www.example.org/a", undefined],
  ["https://example.org/a", undefined],
  ["https://www.example.org/a#part", undefined],
  ["https://shop.example.org/a", ["outbound", "https://shop.example.org/a"]],
  ["https://other.example/a/b?token=secret#x", ["outbound", "https://other.example/a/b"]],
  ["http://other.example", ["outbound", "http://other.example/"]],
  ["https://user:word@other.example/", ["outbound", "https://other.example/"]],
  ["https://www.example.org/report.PDF?v=2", ["download", "https://www.example.org/report.PDF"]],
  ["https://files.example/set.tar.gz", ["download", "https://files.example/set.tar.gz"]],
  ["https://www.example.org/v1.2", undefined],
  ["https://www.example.org/page.html", undefined],
  ["https://www.example.org/pdf", undefined],
  ["mailto:somebody@example.org", undefined],
  ["tel:+4930123", undefined],
  ["javascript:void(0)", undefined],
  ["blob:https://other.example/1", undefined],
])("following %s", (href, event) => {
  expect(linkEvent(new URL(href), HOST, false)).toEqual(event && [event[0], { url: event[1] }]);
});

test("a link that says it is a download is one", () => {
  const url = "https://www.example.org/export";
  expect(linkEvent(new URL(url), HOST, true)).toEqual(["download", { url }]);
});

test("a long address is cut to what a property may have", () => {
  const [, props] = linkEvent(new URL(`https://other.example/${"a".repeat(900)}`), HOST, false) ?? [];
  expect(String(props?.url)).toHaveLength(255);
});

test("properties of an element are its data-event- attributes", () => {
  const dataset = { event: "signup", eventPlan: "pro", eventFormStep: "2", site: "x", eventual: "y" };
  expect(markedProps(dataset)).toEqual({ plan: "pro", formstep: "2" });
  expect(markedProps({ event: "signup" })).toEqual({});
});
