import { describe, expect, it } from "vitest";
import { parsePlace } from "../state/url";
import { askedOf, changePct, chipsOf, comparisonOf } from "./traffic-filters";

const at = (query: string) => parsePlace("/monitor/", `/monitor/v/traffic?${query}`);

describe("what the view of traffic asks", () => {
  it("compares with the period before unless told otherwise", () => {
    expect(comparisonOf(at(""))).toBe("previous");
    expect(comparisonOf(at("compare=year"))).toBe("year");
    expect(comparisonOf(at("compare=<b>"))).toBe("previous");
  });

  it("has a chip for each value of each dimension", () => {
    const held = at("site=a.org&f.country=DE&f.country=FR&f.page=!%2Fa%2F");
    expect(chipsOf(held)).toEqual([
      { dimension: "country", value: "DE" },
      { dimension: "country", value: "FR" },
      { dimension: "page", value: "!/a/" },
    ]);
    expect(askedOf(held, "a.org")).toEqual({
      site: "a.org",
      compare: "previous",
      "f.country": ["DE", "FR"],
      "f.page": ["!/a/"],
    });
  });

  it("says how much more or less, and nothing where nothing can be said", () => {
    expect(changePct(150, 100)).toBe(50);
    expect(changePct(0, 100)).toBe(-100);
    expect(changePct(5, 0)).toBeNull();
    expect(changePct(null, 4)).toBeNull();
    expect(changePct(4, null)).toBeNull();
  });
});
