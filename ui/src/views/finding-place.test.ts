import { expect, test } from "vitest";
import { placeOf } from "./finding-place";

test("a finding leads to the view of its metric, with its server or target", () => {
  expect(placeOf("mount.used_pct", "/var", "mount")).toEqual({ view: "system", params: {} });
  expect(placeOf("db.locks_waiting", "main", "db")).toEqual({
    view: "postgres",
    params: { "f.instance": "main" },
  });
  expect(placeOf("table.dead_pct", "main.shop.public.orders", "table")).toEqual({
    view: "tables",
    params: { "f.instance": "main.shop.public.orders" },
  });
  expect(placeOf("api.error_pct", "shop", "api")).toEqual({ view: "api", params: { "f.target": "shop" } });
});

test("one that counts further keys leads to all of them", () => {
  expect(placeOf("api.error_pct", "*", "api")).toEqual({ view: "api", params: {} });
});

test("without a metric the domain decides", () => {
  expect(placeOf("", "", "security")).toEqual({ view: "logs", params: {} });
  expect(placeOf("", "", "process")).toEqual({ view: "processes", params: {} });
  expect(placeOf("", "", "weather")).toBeNull();
});
