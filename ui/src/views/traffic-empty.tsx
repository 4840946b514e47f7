/** A site that nobody has visited yet: what to paste, what its pages must allow, and a live wait for the first view. */
import { loadJson } from "../api/client";
import { useResource } from "../api/resource";
import type { TrafficLive } from "../api/types.gen";
import Command from "../tables/command";
import { TrafficRefusals } from "./traffic-refusals";

/** Where the pages find the program when it is behind their own server, as docs/ANALYTICS.md sets it up. */
const FOLDER = "/stats/";

export default function TrafficEmpty({ site }: { site: string }) {
  const resource = useResource<TrafficLive>(
    `traffic/live?site=${encodeURIComponent(site)}`,
    loadJson<TrafficLive>,
  );
  const refusals = resource.data.value?.refusals ?? [];
  return (
    <section class="panel traffic-empty" aria-label="No views yet">
      <h2>
        <bdi>{site}</bdi> has no views yet
      </h2>
      <p>Paste this into the head of its pages:</p>
      <Command
        text={`<script defer src="${FOLDER}pqcrypta-analytics.js" data-site="${site}"></script>`}
        name="snippet"
      />
      <p>
        {FOLDER} is where the web server of the site passes requests on to pqcrypta-analytics;
        docs/ANALYTICS.md has the lines for nginx and Caddy. Pages with a Content-Security-Policy have to
        allow it:
      </p>
      <Command text="script-src 'self'; connect-src 'self'; img-src 'self'" name="policy" />
      <p class="waiting" role="status">
        Waiting for the first view; this page shows it within a few seconds.
      </p>
      <TrafficRefusals refusals={refusals} />
    </section>
  );
}
