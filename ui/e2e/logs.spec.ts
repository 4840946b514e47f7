/** Logs: searching, filtering, paging, what stands around a line, following, and lines that mean harm. */
import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import type { LogsAnswer } from "../src/api/types.gen";
import { api, expect, host, open, sql, test } from "./support/page";

const lines = (page: Page) => page.locator("#log-lines .lines li");

/** Up to an instant at which nothing more is said, so that every question has one answer. */
function past(): { from: string; to: string } {
  const end = Math.floor(Date.now() / 1000 - 60);
  const iso = (secs: number): string => new Date(secs * 1000).toISOString();
  return { from: iso(end - 3000), to: iso(end) };
}

test("a search finds the one line in the range, whatever the case, and none that merely looks like it", async ({
  page,
}) => {
  await open(page, "logs", { host: host("loud") });
  const search = page.getByRole("searchbox", { name: "Search lines" });
  await search.fill("NO SPACE left on device 100%_");
  await expect(lines(page)).toHaveCount(1);
  await expect(lines(page)).toContainText("could not extend file");
  await expect(page).toHaveURL(/q=NO/);
  await search.fill("No space left on device 100%%");
  await expect(page.locator("#log-lines")).toContainText("No line matches.");
  await page.locator("#log-lines").getByRole("button", { name: "Clear filter" }).click();
  await expect(lines(page)).toHaveCount(50);
  await expect(search).toHaveValue("");
});

test("levels and sources filter, with counts under the other filter", async ({ page }) => {
  const range = past();
  await open(page, "logs", { host: host("loud"), ...range });
  const panel = page.locator("#log-lines");
  const all = await api<LogsAnswer>(`logs?host=${host("loud")}&from=${range.from}&to=${range.to}`);
  const chip = (name: string) =>
    panel.locator(".chips button").filter({ hasText: new RegExp(`^${name}\\d`) });
  await expect(chip("error")).toHaveText(`error${all.facets.level?.error}`);
  await chip("error").click();
  await expect(panel.locator(".lines li:not(.error)")).toHaveCount(0);
  await expect(panel.locator(".count")).toHaveText(String(all.facets.level?.error));
  await chip("app").click();
  await expect(lines(page)).toHaveCount(1);
  await expect(chip("db")).toHaveText(`db${(all.facets.level?.error ?? 0) - 1}`);
});

test("pages there and back show every line once", async ({ page }) => {
  const range = past();
  await open(page, "logs", { host: host("loud"), ...range, "f.source": "db" });
  const panel = page.locator("#log-lines");
  const wanted = sql(
    `SELECT message FROM collector.log_entries WHERE host_id = ${host("loud")} AND source = 'db'
     AND ts >= '${range.from}' AND ts < '${range.to}' ORDER BY ts DESC, at DESC`,
  ).map(([message]) => message);
  expect(wanted.length).toBeGreaterThan(200);
  const read = () => panel.locator(".lines code").allTextContents();
  const walk = async (button: string): Promise<string[][]> => {
    const pages = [await read()];
    const next = panel.getByRole("button", { name: button, exact: true });
    while (await next.isEnabled()) {
      const before = await read();
      await next.click();
      await expect(async () => expect(await read()).not.toEqual(before)).toPass();
      pages.push(await read());
    }
    return pages;
  };
  const there = await walk("Older");
  expect(there.flat()).toEqual(wanted);
  const back = await walk("Newer");
  // Two samples of one second say the same.
  expect(new Set(back.flat())).toEqual(new Set(wanted));
  expect(back.at(-1)).toEqual(there[0]);
});

test("a line opens to all that is known of it, and to the minutes around it", async ({ page }) => {
  await open(page, "logs", { host: host("loud"), q: "could not extend" });
  const line = lines(page).first();
  await line.getByRole("button").first().click();
  await expect(line).toContainText("sqlstate");
  await expect(line).toContainText("53100");
  await line.getByRole("button", { name: "± 1 minute" }).click();
  await expect(page).toHaveURL(/around=.*from|from=.*around=/);
  const marked = page.locator("#log-lines [aria-current]");
  await expect(marked).toContainText("could not extend");
  await expect.poll(() => lines(page).count()).toBeGreaterThan(20);
  await expect(page.getByRole("searchbox", { name: "Search lines" })).toHaveValue("");
  await page.goBack();
  await expect(page).toHaveURL(/q=could/);
  await expect(lines(page)).toHaveCount(1);
  await lines(page).first().getByRole("button", { name: "All of this pattern" }).click();
  await expect(page).toHaveURL(/pattern=needle/);
  await expect(page.locator("#log-lines")).toContainText("Only lines of one pattern.");
});

test("following brings new lines while nobody reads further below", async ({ page }) => {
  await open(page, "logs", { host: host("loud") });
  const panel = page.locator("#log-lines");
  await panel.getByRole("button", { name: "Follow" }).click();
  const say = (text: string) =>
    sql(
      `SELECT e2e.put_lines(${host("loud")}, jsonb_build_array(jsonb_build_object('ts', clock_timestamp(), 'host_id', ${host("loud")},
       'source', 'app', 'at', 1, 'level', 'info', 'component', 'test', 'message', '${text}', 'fingerprint', 'followed00000000')))`,
    );
  say("the first that follows");
  await expect(panel.locator("code", { hasText: "the first that follows" })).toBeVisible();
  await panel.locator(".lines").evaluate((box) => box.scrollTo(0, 200));
  say("the second that follows");
  const asked = page.waitForResponse(/table\/log_patterns|series/);
  await asked;
  await expect(panel.locator("code", { hasText: "the second that follows" })).toHaveCount(0);
  await panel.locator(".lines").evaluate((box) => box.scrollTo(0, 0));
  await expect(panel.locator("code", { hasText: "the second that follows" })).toBeVisible();
});

test("a line that means harm is text, closed and open, wide and narrow", async ({ page }) => {
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 900 });
    await open(page, "logs", { host: host("loud"), q: "<IMG SRC=x" });
    // On a phone the lines are far below, and what is far away asks nothing.
    await page.locator("#log-lines").scrollIntoViewIfNeeded();
    const line = lines(page).first();
    await expect(lines(page)).toHaveCount(1);
    await line.getByRole("button").first().click();
    await expect(line).toContainText("window.hacked=1");
    await expect(line).toContainText("<i>key</i>");
    await expect(line).toContainText("100,000 characters");
    expect(await line.locator("img, iframe, script, i, b").count()).toBe(0);
    expect(await page.evaluate(() => "hacked" in window)).toBe(false);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.getByRole("button", { name: "Wrap" }).click();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }
});

test("patterns tell what is new and lead to their lines; CSV holds what is found", async ({ page }) => {
  await open(page, "logs", { host: host("loud") });
  const patterns = page.locator("#table-log_patterns");
  await patterns.scrollIntoViewIfNeeded();
  await patterns.locator(".chips").getByRole("button", { name: /^Rare/ }).click();
  const row = patterns.locator("tbody tr", { hasText: "could not extend" });
  await expect(row.locator("svg").last()).toBeAttached();
  await expect(row).toContainText("new, rare");
  await row.getByRole("button", { name: "Lines" }).click();
  await expect(page).toHaveURL(/pattern=needle/);
  await expect(lines(page)).toHaveCount(1);
  const download = page.waitForEvent("download");
  await page.locator("#log-lines").getByRole("link", { name: "CSV" }).click();
  const text = await readFile(await (await download).path(), "utf8");
  expect(text.trimEnd().split("\r\n")).toHaveLength(2);
  expect(text).toContain('"could not extend file ""base/16384/2619""');
});

test("a source that cannot be read is a problem with its cause, and sources have their state", async ({
  page,
}) => {
  await open(page, "logs", { host: host("loud") });
  await expect(page.locator(".card", { hasText: "Silent sources" })).toContainText("1 unreadable, 5 in all");
  const sources = page.locator("#table-log_sources");
  await sources.scrollIntoViewIfNeeded();
  await sources
    .locator(".chips")
    .getByRole("button", { name: /^Unreadable/ })
    .click();
  await expect(sources.locator("tbody tr")).toHaveCount(1);
  await expect(sources).toContainText("cannot open /var/log/secure");
  const events = page.locator("#table-security_events");
  await events.scrollIntoViewIfNeeded();
  await events
    .locator(".chips")
    .getByRole("button", { name: /^Critical/ })
    .click();
  await expect(events.locator("tbody tr")).toHaveCount(1);
  await expect(events).toContainText("203.0.113.77");
  await open(page, "now", { host: host("loud") });
  await expect(page.locator("main")).toContainText("Log can be read on secure");
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await expect(page.locator("h1")).toHaveText("Logs");
});
