/** Traffic: a site with visits, one without, none at all; filters by clicking, the address, CSV, and texts of strangers. */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { faults } from "./support/axe";
import { api, expect, open, scrollTo, settled, sql, type TableAnswer, test } from "./support/page";

/** A site of one run of one test alone. */
function addSite(name: string, days: number): string {
  const domain = nameSite(name);
  sql(`SELECT e2e.add_site('${domain}', ${days})`);
  return domain;
}

const nameSite = (name: string): string => `${name}-${randomUUID().slice(0, 8)}.example`;

test("figures are those of the database, with the period before beside them", async ({ page }) => {
  const site = addSite("shop", 20);
  await open(page, "traffic", { site, from: "now-7d", to: "now" });
  const cards = page.getByRole("region", { name: "Figures" });
  const [visits] = sql(
    `SELECT count(*) FROM collector.web_analytics_sessions_real s JOIN collector.web_analytics_sites USING (site_id)
     WHERE domain = '${site}'
       AND (s.ts AT TIME ZONE time_zone)::date >= ((now() - interval '7 days') AT TIME ZONE time_zone)::date`,
  );
  await expect(cards.locator(".card", { hasText: /^Visits/ }).locator(".card-value")).toHaveText(
    String(visits?.[0]),
  );
  await expect(cards.locator(".card", { hasText: "Bounces" })).toContainText("from");
  await expect(page.locator(".traffic-note")).toContainText("Days of Europe/Berlin");
  await expect(page.locator("#traffic-curve svg path.line.views")).toHaveAttribute("d", /^M.*L/);
  await expect(page.locator("#traffic-curve svg path.line.views_before")).toBeAttached();
  await page.getByRole("button", { name: "Show visitors and views as table" }).click();
  await expect(page.locator("#traffic-curve tbody tr")).toHaveCount(8);
});

test("a row is a filter, a filter a chip; the address has it, its opposite and no filter are one step away", async ({
  page,
}) => {
  const site = addSite("filter", 4);
  await open(page, "traffic", { site, from: "now-3d", to: "now" });
  const sources = page.locator("#table-traffic_sources");
  await scrollTo(page, sources);
  await sources.getByRole("button", { name: "duckduckgo.com" }).click();
  await expect(page).toHaveURL(/f\.source=duckduckgo\.com/);
  const chips = page.getByRole("list", { name: "Filters" });
  await expect(chips).toContainText("Source = duckduckgo.com");
  await expect(sources.locator("tbody tr")).toHaveCount(1);
  await chips.getByRole("button", { name: "Source = duckduckgo.com" }).click();
  await expect(page).toHaveURL(/f\.source=!duckduckgo\.com/);
  await expect(sources.locator("tbody tr")).toHaveCount(2);
  await page.reload();
  await settled(page);
  await expect(chips).toContainText("Source ≠ duckduckgo.com");
  await chips.getByRole("button", { name: "Clear filters" }).click();
  await expect(chips).toHaveCount(0);
  await expect(sources.locator("tbody tr")).toHaveCount(3);
});

test("texts of strangers are texts, on the page and in CSV", async ({ page }) => {
  const site = addSite("inert", 3);
  await open(page, "traffic", { site, from: "now-2d", to: "now" });
  const pages = page.locator("#table-traffic_pages");
  await scrollTo(page, pages);
  await expect(pages).toContainText("/docs/<b>setup</b>/");
  await expect(pages).toContainText("<i>Set up</i>");
  const download = page.waitForEvent("download");
  await pages.getByRole("link", { name: "CSV" }).click();
  const text = await readFile(await (await download).path(), "utf8");
  expect(text).toContain("/docs/<b>setup</b>/");
  expect(text.trimEnd().split("\r\n")).toHaveLength(5);
});

test("parts of a dimension add up to the whole, whatever is filtered", async () => {
  const site = addSite("sum", 5);
  const asked = `site=${site}&from=now-4d&to=now`;
  for (const filter of [
    "",
    "&f.country=DE&f.country=FR",
    "&f.page=/pricing/",
    "&f.device=!mobile",
    "&f.page=/p*",
  ]) {
    const summary = await api<{ figures: { id: string; value: number }[] }>(
      `traffic/summary?${asked}${filter}`,
    );
    const visits = summary.figures.find(({ id }) => id === "visits")?.value;
    expect(visits).toBeGreaterThan(0);
    for (const table of ["sources", "countries", "devices", "browsers", "languages", "widths", "channels"]) {
      const answer = await api<TableAnswer>(`table/traffic_${table}?${asked}${filter}&limit=100`);
      const meta = await api<{ tables: { name: string; columns: { id: string }[] }[] }>("meta");
      const at = meta.tables
        .find(({ name }) => name === `traffic_${table}`)
        ?.columns.findIndex(({ id }) => id === "visits");
      const sum = answer.rows.reduce((all, row) => all + Number(row.cells[at ?? -1]), 0);
      expect(sum, `${table}${filter}`).toBe(visits);
    }
  }
});

test("a site without visits has the snippet and waits; the first view shows it", async ({ page }) => {
  const site = nameSite("new");
  sql(`SELECT collector.web_analytics_register('${site}', 'UTC', ARRAY['${site}'])`);
  for (const width of [1360, 390]) {
    await page.setViewportSize({ width, height: 900 });
    await open(page, "traffic", { site });
    await expect(page.getByRole("region", { name: "No views yet" })).toContainText(`data-site="${site}"`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }
  sql(`SELECT e2e.add_site('${site}', 2)`);
  await expect(page.getByRole("region", { name: "Figures" })).toBeVisible({ timeout: 30_000 });
});

test("every topic can be opened, with the keyboard alone too, and has no fault of accessibility", async ({
  page,
}) => {
  const site = addSite("whole", 3);
  for (const theme of ["light", "dark"]) {
    await open(page, "traffic", { site, from: "now-2d", to: "now", theme });
    for (const fold of await page.locator("details.fold > summary").all()) {
      await fold.focus();
      await page.keyboard.press("Enter");
    }
    await settled(page);
    // What is being replaced is dim.
    await expect(page.locator(".outdated")).toHaveCount(0);
    expect(await faults(page)).toEqual([]);
  }
});
