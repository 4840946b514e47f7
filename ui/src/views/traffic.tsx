/** Traffic: who visits the sites of this host, what they see, and where they come from. */
import { loadJson } from "../api/client";
import { useResource } from "../api/resource";
import type { TrafficSites } from "../api/types.gen";
import { FailureNote, Skeleton } from "../app/panel";
import { Part } from "../app/part";
import { place } from "../state/location";
import { param } from "../state/url";
import { TrafficCards } from "./traffic-cards";
import { TrafficChips } from "./traffic-chips";
import { askedOf } from "./traffic-filters";

export default function TrafficView() {
  const resource = useResource<TrafficSites>("traffic/sites", loadJson<TrafficSites>);
  const known = resource.data.value;
  if (!known) return resource.failure.value ? <FailureNote resource={resource} /> : <Skeleton height={320} />;
  const asked = param(place.value, "site");
  const site = known.sites.find(({ domain }) => domain === asked) ?? known.sites[0];
  if (!site) return <Part load={() => import("./traffic-none")} />;
  const question = askedOf(place.value, site.domain);
  return (
    <>
      <FailureNote resource={resource} brief />
      <TrafficChips known={known} site={site.domain} />
      {site.first_ms === null ? (
        <Part key={site.domain} load={() => import("./traffic-empty")} site={site.domain} />
      ) : (
        <>
          <Part key={site.domain} load={() => import("./traffic-live")} site={site.domain} />
          <TrafficCards asked={question} />
          <Part load={() => import("./traffic-curve")} asked={question} />
          <Part load={() => import("./traffic-tables")} asked={question} />
        </>
      )}
    </>
  );
}
