/** Where a finding is shown: the view of what it is about, and the chart of its metric. Pure. */
import { LINE_DOMAINS } from "../api/types.gen";
import { CONTENTS } from "./contents";

/** Views of what belongs to one PostgreSQL server. */
const OF_SERVERS: readonly string[] = ["postgres", "tables", "queries", "replication"];

export interface FindingPlace {
  view: string;
  /** What the view is to show of its servers or targets. */
  params: Readonly<Record<string, string>>;
}

/** Returns the view of a metric, else of a domain; null where no view is about it. */
export function placeOf(metric: string, key: string, domain: string): FindingPlace | null {
  const family = (metric || domain).split(".", 1)[0] ?? "";
  const found = Object.entries(CONTENTS).find(([, { families }]) => families.includes(family))?.[0];
  const view = found ?? (LINE_DOMAINS.includes(domain) ? "logs" : null);
  if (view === null) return null;
  const isOne = key !== "" && key !== "*";
  if (isOne && view === "api") return { view, params: { "f.target": key } };
  if (isOne && OF_SERVERS.includes(view)) return { view, params: { "f.instance": key } };
  return { view, params: {} };
}
