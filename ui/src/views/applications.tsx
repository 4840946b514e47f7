/** API & Proxy: what users get, how fast, and what failed; a tab per target, the rest folded by topic. */
import { useMemo } from "preact/hooks";
import { Fold } from "../app/fold";
import { Empty } from "../app/panel";
import { Part } from "../app/part";
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";
import { Down, downOf, Unpicked, usePick } from "./pick";
import { Tabs } from "./tabs";

/** What is folded away: the ids of `application-folded.ts` with their titles. */
const API_TOPICS: readonly (readonly [string, string])[] = [
  ["api-latency", "Response time distribution"],
  ["api-more", "Results, resources and database"],
];
const PROXY_TOPICS: readonly (readonly [string, string])[] = [
  ["proxy-latency", "Response time distribution"],
  ["proxy-traffic", "Requests and bytes"],
  ["proxy-tls", "Connections and TLS"],
  ["proxy-limits", "Rate limiter, WAF and upstream"],
];

/** Only statuses that occur have a column, the darker the more often. */
const STATUSES: Look = {
  bars: ["share_pct"],
  heat: /^s[45]/,
  fold: /^s[45]/,
  group: (column) => (/^s4/.test(column) ? "Client errors" : /^s5/.test(column) ? "Server errors" : ""),
};

const CHECKS = (
  <Fold id="checks" title="Health checks">
    {() => <DataTable name="health_checks" />}
  </Fold>
);

export default function ApplicationsView() {
  const pick = usePick("targets", "target", "f.target");
  if (pick.options === null) return <Unpicked pick={pick} />;
  if (pick.chosen === null) {
    return (
      <>
        <Empty height={200}>
          No API or proxy is scraped on this host. Add a [[scrape.target]] to the configuration of the
          collector.
        </Empty>
        {CHECKS}
      </>
    );
  }
  const kindOf = (name: string): string => pick.options?.find((one) => one.name === name)?.kind ?? "";
  const kind = kindOf(pick.chosen);
  return (
    <Tabs pick={pick} label="Targets" kindOf={(name) => (kindOf(name) === "proxy" ? "Proxy" : "API")}>
      <Target key={pick.chosen} target={pick.chosen} kind={kind} why={downOf(pick)} />
      {CHECKS}
      <Fold id="targets" title="All targets">
        {() => <DataTable name="targets" />}
      </Fold>
    </Tabs>
  );
}

interface TargetProps {
  target: string;
  /** `api` or `proxy`. */
  kind: string;
  /** Why it does not answer. */
  why: string | null;
}

function Target({ target, kind, why }: TargetProps) {
  const isProxy = kind === "proxy";
  const only = useMemo(() => ({ target }), [target]);
  const isDown = why !== null;
  const main = () => (
    <Part load={() => import("./application-main")} target={target} isProxy={isProxy} isDown={isDown} />
  );
  return (
    <>
      <Down name={target} why={why} />
      {isDown ? (
        <Fold id="charts" title="Before it stopped responding">
          {main}
        </Fold>
      ) : (
        main()
      )}
      {!isProxy && (
        <>
          <DataTable name="endpoints" primary only={only} look={STATUSES} quiet />
          <DataTable name="failures" only={only} quiet />
        </>
      )}
      {!isDown &&
        (isProxy ? PROXY_TOPICS : API_TOPICS).map(([id, title]) => (
          <Fold key={id} id={id} title={title}>
            {() => (
              <Part
                load={() => import("./application-more")}
                topic={id}
                title={title}
                kind={kind}
                target={target}
              />
            )}
          </Fold>
        ))}
    </>
  );
}
