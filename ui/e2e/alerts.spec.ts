/** Alerts: numbers, filters, timeline by keyboard, what to do, history, and nothing active. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "@playwright/test";
import { addFinding, addHost, expect, host, open, scrollTo, settled, sql, test } from "./support/page";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const table = (page: Page) => page.locator("#table-findings");
const rows = (page: Page) => table(page).locator("tbody tr:not(.more)");
const card = (page: Page, label: string) => page.locator(".card", { hasText: label });
const lit = (page: Page) => page.locator(".lanes li:not(.dim) .track");
const bars = (page: Page) => page.locator(".lanes button[data-id]");

/** Serious and critical faults. */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run(options: object): Promise<{ violations: { id: string; impact: string }[] }> };
    };
    const { violations } = await axe.run({ resultTypes: ["violations"] });
    return violations.filter(({ impact }) => /serious|critical/.test(impact)).map(({ id }) => id);
  });
}

test("cards count what is firing, what ended and what comes and goes; what is pending is nowhere", async ({
  page,
}) => {
  await open(page, "alerts", { host: host("alarmed"), from: "now-90m" });
  await expect(card(page, "Firing").locator(".card-value")).toHaveText("2");
  await expect(card(page, "Firing")).toContainText("1 critical, 1 warning, 1 info");
  await expect(card(page, "No data").locator(".card-value")).toHaveText("1");
  // As the badge of every page: what is firing, and what has no data.
  const rail = page.locator("nav.rail a", { hasText: "Alerts" });
  await expect(rail).toHaveAccessibleName("Alerts Critical 3");
  await expect(card(page, "Flapping").locator(".card-value")).toHaveText("1");
  await expect(card(page, "Mean time to resolve").locator(".card-value")).toHaveText(/^19\s+min$|^20\s+min$/);
  await expect(card(page, "Last one ended")).toContainText("CPU usage is high: 91 %");
  await expect(page.locator(".none-active")).toHaveCount(0);
  await expect(page.locator("main")).not.toContainText("/srv");
  await expect(rows(page)).toHaveCount(6);
  await expect(rows(page).first()).toContainText("Memory usage is high: 96.2 %");
  await expect(rows(page).first()).toContainText("96.2 %, threshold 92 %");
  // Text of others is text.
  await expect(rows(page).filter({ hasText: "<b>/var</b>" })).toHaveCount(1);
  await expect(page.getByRole("img", { name: /^collector: \d/ })).toBeVisible();
});

test("on a laptop the notes of the cards are whole, and no button covers since when a finding holds", async ({
  page,
}) => {
  await open(page, "alerts", { host: host("alarmed"), from: "now-90m" });
  for (const label of ["Firing", "Flapping"]) {
    const note = card(page, label).locator(".card-foot .clip");
    await expect(note).not.toHaveText("");
    const cut = (one: Element): boolean =>
      one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight;
    expect(await note.evaluate(cut)).toBe(false);
  }
  await scrollTo(page, table(page));
  for (const row of await rows(page).all()) {
    const since = await row.locator("time").first().boundingBox();
    const button = await row.getByRole("button", { name: "Snapshot" }).boundingBox();
    expect((since?.x ?? Number.NaN) + (since?.width ?? 0)).toBeLessThan(button?.x ?? 0);
  }
});

test("filters by state, severity and type narrow the table and dim the timeline, and clear again", async ({
  page,
}) => {
  await open(page, "alerts", { host: host("alarmed"), from: "now-90m" });
  const chip = (name: RegExp) => table(page).locator(".filters").getByRole("button", { name });
  await expect(bars(page)).toHaveCount(6);
  await chip(/^Resolved/).click();
  await expect(rows(page)).toHaveCount(2);
  await expect(lit(page)).toHaveCount(2);
  await chip(/^system\.load_per_core/).click();
  await expect(rows(page)).toHaveCount(1);
  await expect(lit(page)).toHaveCount(1);
  await expect(bars(page)).toHaveCount(6);
  await expect(page).toHaveURL(/f\.rule=system\.load_per_core/);
  await page.reload();
  await expect(rows(page)).toHaveCount(1);
  await expect(chip(/^Resolved/)).toHaveAttribute("aria-pressed", "true");
  await expect(lit(page)).toHaveCount(1);
  await chip(/^Critical/).click();
  await expect(table(page)).toContainText("None of 6 rows match.");
  await expect(lit(page)).toHaveCount(0);
  await table(page).getByRole("button", { name: "Clear filter" }).click();
  await expect(rows(page)).toHaveCount(6);
  await chip(/^Recommendations/).click();
  await expect(rows(page)).toHaveCount(1);
  // Cards are about the host, not about what is filtered.
  await expect(card(page, "Firing").locator(".card-value")).toHaveText("2");
});

test("the timeline is one stop of the Tab key; arrows move, Enter opens the finding with its history", async ({
  page,
}) => {
  await open(page, "alerts", { host: host("alarmed"), from: "now-90m" });
  await expect(bars(page)).toHaveCount(6);
  await expect(page.locator('.lanes button[data-id][tabindex="0"]')).toHaveCount(1);
  const first = bars(page).first();
  await expect(first).toHaveAccessibleName(
    /^Memory usage is high: 96\.2 %: warning, then critical, from .*still firing$/,
  );
  await first.focus();
  await page.keyboard.press("ArrowDown");
  await expect(bars(page).nth(1)).toBeFocused();
  await page.keyboard.press("Home");
  await expect(first).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/sel=\d+/);
  const detail = table(page).locator(".finding");
  await expect(detail.locator("ol:not(.history) li")).toHaveCount(2);
  await expect(detail.locator(".history li")).toHaveCount(4);
  await expect(detail.locator(".history li").nth(1)).toContainText("Grew worse");
  await expect(detail.locator("#chart-finding")).toBeVisible();
  await detail.getByRole("link", { name: "Go to System" }).click();
  await expect(page.locator("h1")).toHaveText("System");
});

test("a finding has a statement to copy, names its cause, and leads to its server", async ({ page }) => {
  await open(page, "alerts", { host: host("alarmed"), from: "now-90m" });
  await rows(page).filter({ hasText: "PID 9150" }).locator(".row-button").click();
  const detail = table(page).locator(".finding");
  await expect(detail.locator(".command code")).toHaveText("SELECT pg_cancel_backend(9150)");
  await expect(detail.getByRole("link", { name: "Go to PostgreSQL" })).toHaveAttribute(
    "href",
    /f\.instance=main/,
  );
  await rows(page).filter({ hasText: "Load is high" }).locator(".row-button").click();
  await expect(detail).toContainText("Follows from: CPU usage is high: 91 %");
});

test("of a silent collector nothing is firing and nothing is fine: it is unknown", async ({ page }) => {
  const id = Number(sql("SELECT e2e.add_host('unheard', false)")[0]?.[0]);
  const samples =
    "generate_series(now() - interval '40 minutes', now() - interval '10 minutes', '10 seconds')";
  sql(`SELECT e2e.put(${id}, ARRAY(SELECT ${samples}))`);
  await open(page, "alerts", { host: id });
  await expect(page.locator(".none-active")).toContainText("No alert was active at the newest sample.");
  addFinding(id, "system.mem_used_pct", "", "critical", "Memory usage is high: 96 %");
  await open(page, "alerts", { host: id, from: "now-90m" });
  await expect(page.locator(".none-active")).toHaveCount(0);
  await expect(card(page, "Firing").locator(".card-value")).toHaveText("–");
  await expect(card(page, "open, state unknown").locator(".card-value")).toHaveText("1");
  await expect(bars(page).first()).toHaveAccessibleName(/no data$/);
});

for (const theme of ["light", "dark"]) {
  for (const width of [1280, 390]) {
    test(`axe finds nothing with a finding open, and without alerts: ${theme}, ${width} px`, async ({
      page,
    }) => {
      await page.setViewportSize({ width, height: 900 });
      await open(page, "alerts", { host: host("alarmed"), from: "now-90m", theme });
      await bars(page).first().click();
      await expect(table(page).locator(".history li").first()).toBeVisible();
      await settled(page);
      expect(await faults(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      await open(page, "alerts", { host: host("calm"), theme });
      await expect(page.locator(".none-active")).toContainText("No active alerts.");
      expect(await faults(page)).toEqual([]);
    });
  }
}

test("without active alerts the view says so and when the last one ended", async ({ page }) => {
  const id = addHost("relieved", true);
  await open(page, "alerts", { host: id });
  await expect(page.locator(".none-active")).toContainText("None has ended yet.");
  await expect(table(page)).toContainText("No findings in this range.");
  sql(
    `INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, opened_at, confirmed_at, seen_at, resolved_at)
     VALUES (${id}, 'system.load_per_core', '', 'alert', 'system', 'warn', 'warn', 'Load', 'Load is high: 9 per core', '{}',
             now() - interval '5 hours', now() - interval '5 hours', now() - interval '4 hours', now() - interval '4 hours')`,
  );
  await open(page, "alerts", { host: id, from: "now-1h" });
  await expect(page.locator(".none-active")).toContainText(
    /The last one ended at \d\d:\d\d:\d\d \(4\s+h.*ago\): Load is high: 9 per core, after 1\s+h/,
  );
});
