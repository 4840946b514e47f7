/** No site is counted on this host: how one is. */
import Command from "../tables/command";

export default function NoSite() {
  return (
    <section class="panel traffic-empty" aria-label="No site">
      <h2>No site is counted here</h2>
      <p>Name one in the settings of pqcrypta-analytics, and start it:</p>
      <Command text={'[[analytics.site]]\ndomain = "example.org"'} name="settings" />
      <p>docs/ANALYTICS.md leads from there to the first view.</p>
    </section>
  );
}
