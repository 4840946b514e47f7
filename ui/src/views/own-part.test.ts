import { expect, test } from "vitest";
import { ownPart } from "./own-part";

test.each([
  ["main.shop.public.orders", ["main.shop.public.lines"], "orders"],
  ["main.shop.public.orders", ["main.shop.audit.lines"], "public.orders"],
  ["main.shop.public.orders", ["main.ledger.public.orders"], "shop.public.orders"],
  ["main.shop.public.orders", ["other.shop.public.orders"], "main.shop.public.orders"],
  ["main.shop.public.orders", [], "orders"],
  ["main.shop.public.a.b", ["main.shop.public.a.c"], "b"],
  ["orders", ["lines"], "orders"],
])("of %s beside %s its own part is %s", (key, others, own) => {
  expect(ownPart(key, [key, ...others])).toBe(own);
});
