/** All hosts: one of them alone sees nothing of it, several are listed with the worst first, and three hundred stay usable. */
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Now } from "../src/api/types.gen";
import { faults } from "./support/axe";
import { api, expect, open, settled, test } from "./support/page";
import { feed, sql as runSql, type Server, startServer, stopServer, until } from "./support/server";

// A server of its own, and hosts with a week of samples.
test.describe.configure({ mode: "serial", timeout: 180_000 });

const MARKUP = '<img src=x onerror="window.hacked=1">';
let server: Server;
let feeder: ChildProcess | null = null;
const sql = (text: string): string[][] => runSql(server.database, text);
const idOf = (name: string): string =>
  sql(`SELECT host_id FROM collector.hosts WHERE hostname = '${name}'`)[0]?.[0] ?? "";

test.beforeAll(async () => {
  server = await startServer("fleet");
  await until(() => sql("SELECT 1 FROM collector.system_metrics_raw LIMIT 1").length > 0);
});
test.afterAll(async () => {
  feeder?.kill();
  await stopServer(server);
});

test("a single host sees nothing of the fleet and loads nothing for it", async ({ page }) => {
  const loaded: string[] = [];
  page.on("request", (request) => loaded.push(request.url()));
  await open(page, "now", {}, server.url);
  await expect(page.locator(".verdict")).toBeVisible();
  await expect(page.locator(".rail").getByText("Fleet")).toHaveCount(0);
  await expect(page.locator(".fleet")).toHaveCount(0);
  await expect(page.locator(".bar .host select, .bar .host a")).toHaveCount(0);
  expect(loaded.filter((url) => /fleet|host-picker/.test(url))).toEqual([]);
  expect(await api<Now>("now", server.url)).not.toHaveProperty("fleet");
});

test("hosts are listed with the worst first; a silent one is unread", async ({ page }) => {
  sql(readFileSync(join(import.meta.dirname, "seed.sql"), "utf8"));
  sql(`UPDATE collector.hosts SET hostname = '${MARKUP}' WHERE hostname = 'hostile'`);
  feeder = feed(server);
  await open(page, "fleet", { host: idOf("calm") }, server.url);
  const rows = page.locator("#table-fleet tbody tr");
  await expect(rows).toHaveCount(8);
  // The real host may have problems of its own.
  const sick = rows.filter({ hasText: "sick" });
  await expect(sick).toContainText(/sick.*Critical.*(Memory|CPU) usage is high/);
  const silent = rows.filter({ hasText: "silent" }).first();
  await expect(silent).toContainText(/Unknown.*The collector is silent/);
  await expect(rows.filter({ hasText: "calm" })).toContainText("OK");
  // The server reads one host after the other, and the first row with a word is that of the worst.
  const worstFirst = ["sick", "silent", "crowd", "calm"];
  const shown = async (): Promise<string[]> => {
    const texts = await rows.allInnerTexts();
    const place = (name: string): number => [...texts, name].findIndex((text) => text.includes(name));
    return worstFirst.toSorted((a, b) => place(a) - place(b));
  };
  await expect.poll(shown).toEqual(worstFirst);
  // A name is text, whatever it is.
  await expect(rows.filter({ hasText: "<img src=x" })).toHaveCount(1);
  expect(await page.evaluate(() => (window as { hacked?: number }).hacked)).toBeUndefined();
  // The problem leads to the view that shows it, of that host.
  await sick.getByRole("link").nth(1).click();
  await expect(page.locator("h1")).toHaveText("System");
  await expect(page).toHaveURL(new RegExp(`host=${idOf("sick")}\\b`));
});

test("the fleet is used by the keyboard", async ({ page }) => {
  await open(page, "now", { host: idOf("calm") }, server.url);
  await page.keyboard.press("g");
  await page.keyboard.press("f");
  await expect(page.locator("h1")).toHaveText("Fleet");
  await settled(page);
  await page.keyboard.press("/");
  await page.keyboard.type("sick");
  const rows = page.locator("#table-fleet tbody tr");
  await expect(rows).toHaveCount(1);
  const link = rows.getByRole("link", { name: "sick" });
  await expect(async () => {
    await page.keyboard.press("Tab");
    await expect(link).toBeFocused({ timeout: 20 });
  }).toPass({ intervals: [10] });
  await page.keyboard.press("Enter");
  await expect(page.locator("h1")).toHaveText("Now");
  await expect(page).toHaveURL(new RegExp(`v/now\\?host=${idOf("sick")}\\b`));
});

test("Now has one verdict over all, and the picker leads to them", async ({ page }) => {
  await open(page, "now", { host: idOf("calm") }, server.url);
  const fleet = page.locator(".fleet");
  await expect(fleet).toContainText(
    /8 hosts: \d critical \(.*sick.*\), \d unread \(.*silent.*\), \d with warnings \(.*crowd.*\)/,
  );
  await page.getByLabel("Host", { exact: true }).selectOption({ label: "sick" });
  await expect(page.locator(".verdict")).toHaveClass(/critical/);
  await page.getByLabel("Host", { exact: true }).selectOption("");
  await expect(page.locator("h1")).toHaveText("Fleet");
  await expect(page).toHaveURL(new RegExp(`host=${idOf("sick")}\\b`));
  await expect(page.getByLabel("Host", { exact: true })).toHaveValue(idOf("sick"));
  await page.getByLabel("Host", { exact: true }).selectOption({ label: "calm" });
  await expect(page.locator("h1")).toHaveText("Now");
  await page.locator(".fleet").click();
  await expect(page.locator("h1")).toHaveText("Fleet");
});

for (const theme of ["light", "dark"]) {
  for (const width of [1280, 390]) {
    test(`the fleet fits and is readable: ${theme}, ${width} px`, async ({ page }) => {
      await page.setViewportSize({ width, height: 900 });
      for (const view of ["fleet", "now"]) {
        await open(page, view, { host: idOf("calm"), theme }, server.url);
        const sentence = page.locator(".fleet");
        await expect(sentence).toBeVisible();
        // As long as with many hosts: it is whole.
        const cut = await sentence.evaluate((line) => {
          const text = line.querySelector("bdi");
          if (text) text.textContent = `${text.textContent} `.repeat(5);
          return line.scrollHeight - line.clientHeight;
        });
        expect(cut, `${view} cuts the sentence`).toBeLessThanOrEqual(0);
        const { scroll, client } = await page.evaluate(() => ({
          scroll: document.documentElement.scrollWidth,
          client: innerWidth,
        }));
        expect(scroll, `${view} scrolls sideways`).toBeLessThanOrEqual(client);
        expect(await faults(page), view).toEqual([]);
      }
    });
  }
}

test("three hundred hosts are paged, filtered and reached from the picker", async ({ page }) => {
  sql(`WITH made AS (
         INSERT INTO collector.hosts (machine_id, hostname)
         SELECT 'many ' || i, 'node-' || lpad(i::text, 3, '0') FROM generate_series(1, 300) i RETURNING host_id
       ), marked AS (
         INSERT INTO collector.spool_watermark (host_id, writer, seq, progress)
         SELECT host_id, gen_random_uuid(), 1, '{}' FROM made
       )
       INSERT INTO collector.agent_runs (host_id, run_id, writer, pid, version, started_at, settings)
       SELECT host_id, gen_random_uuid(), gen_random_uuid(), 1, '0.1.0', now() - interval '1 day', '{}' FROM made`);
  await open(page, "fleet", { host: idOf("calm") }, server.url);
  const table = page.locator("#table-fleet");
  await expect(table.locator(".count")).toHaveText("308");
  await expect(table.locator("tbody tr")).toHaveCount(25);
  const first = await page.request.get(`${server.url}api/v1/table/fleet?limit=25&page=0`);
  expect((await first.body()).length).toBeLessThan(16_000);
  await table.getByRole("searchbox").fill("node-277");
  await expect(table.locator("tbody tr")).toHaveCount(1);
  await page.goto(`${server.url}v/now?host=${idOf("calm")}`);
  await page.locator(".bar .host").getByRole("link").click();
  await expect(page.locator("h1")).toHaveText("Fleet");
});
