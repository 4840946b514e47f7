/** API & Proxy: what users get, how fast, and what failed. */
import { useMemo } from "preact/hooks";
import { FactCards } from "../app/card";
import { Empty } from "../app/panel";
import { Part } from "../app/part";
import { Chart, type ChartSpec } from "../charts/chart";
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";
import {
  API_CARDS,
  API_CHARTS,
  MORE_API_CARDS,
  MORE_PROXY_CARDS,
  PROXY_CARDS,
  PROXY_CHARTS,
  STATUS_CHARTS,
} from "./application-charts";
import { Down, downOf, Picker, Unpicked, usePick } from "./pick";
import { ofServer, withinServer } from "./scope";

/** Only statuses that occur have a column, the darker the more often. */
const STATUSES: Look = {
  bars: ["share_pct"],
  heat: /^s[45]/,
  fold: /^s[45]/,
  group: (column) => (/^s4/.test(column) ? "Client errors" : /^s5/.test(column) ? "Server errors" : ""),
};

export default function ApplicationsView() {
  const api = usePick("targets", "target", "f.api", "api");
  const proxy = usePick("targets", "target", "f.proxy", "proxy");
  if (api.options === null || proxy.options === null) return <Unpicked pick={api} />;
  if (api.chosen === null && proxy.chosen === null) {
    return (
      <Empty height={200}>
        No API and no proxy is scraped on this host. Name one as [[scrape.target]] in the configuration of the
        collector.
      </Empty>
    );
  }
  return (
    <>
      <h2>API</h2>
      <Picker pick={api} legend="API" />
      {api.chosen === null ? (
        <p class="muted">No API is scraped.</p>
      ) : (
        <Api key={api.chosen} target={api.chosen} why={downOf(api)} />
      )}
      <h2>Proxy</h2>
      <Picker pick={proxy} legend="Proxy" />
      {proxy.chosen === null ? (
        <p class="muted">No proxy is scraped.</p>
      ) : (
        <Gateway key={proxy.chosen} target={proxy.chosen} why={downOf(proxy)} />
      )}
      <DataTable name="targets" />
    </>
  );
}

interface TargetProps {
  target: string;
  /** Why it does not answer. */
  why: string | null;
}

interface ChartsProps {
  specs: readonly ChartSpec[];
  kind: string;
  target: string;
}

function Charts({ specs, kind, target }: ChartsProps) {
  return (
    <div class="charts">
      {specs.map((spec) => (
        <Chart key={spec.id} spec={spec} />
      ))}
      <Part load={() => import("./latency")} kind={kind} target={target} />
    </div>
  );
}

function Api({ target, why }: TargetProps) {
  const specs = useMemo(
    () => [...ofServer(API_CHARTS, target), ...withinServer(STATUS_CHARTS, target)],
    [target],
  );
  const only = useMemo(() => ({ target }), [target]);
  return (
    <>
      <Down name={target} why={why} />
      {why === null && <FactCards metrics={API_CARDS} of={target} label="API, latest values" />}
      <Charts specs={specs} kind="api" target={target} />
      <DataTable name="endpoints" primary only={only} look={STATUSES} />
      <DataTable name="failures" only={only} />
      {why === null && <FactCards metrics={MORE_API_CARDS} of={target} label="API, more values" />}
    </>
  );
}

function Gateway({ target, why }: TargetProps) {
  const specs = useMemo(() => ofServer(PROXY_CHARTS, target), [target]);
  return (
    <>
      <Down name={target} why={why} />
      {why === null && <FactCards metrics={PROXY_CARDS} of={target} label="Proxy, latest values" />}
      <Charts specs={specs} kind="proxy" target={target} />
      {why === null &&
        MORE_PROXY_CARDS.map(([title, metrics]) => (
          <section key={title} class="stack">
            <h3>{title}</h3>
            <FactCards metrics={metrics} of={target} label={title} />
          </section>
        ))}
    </>
  );
}
