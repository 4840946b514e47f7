/** Logs: searching, filtering, paging, what stands around a line, following, findings, and lines that mean harm. */
import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import type { LogsAnswer } from "../src/api/types.gen";
import { api, expect, host, open, scrollTo, sql, test } from "./support/page";

const lines = (page: Page) => page.locator("#log-lines .lines li");

/** Opens the view at its lines; what is far below asks nothing. */
async function openLines(page: Page, params: Record<string, string>): Promise<void> {
  await open(page, "logs", { host: host("loud"), ...params });
  await scrollTo(page, page.locator("#log-lines"));
}

/** Up to an instant at which nothing more is written, so that every question has one answer. */
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
  await expect(page.locator("#log-lines")).toContainText("No lines match.");
  await page.locator("#log-lines").getByRole("button", { name: "Clear filter" }).click();
  await expect(lines(page)).toHaveCount(50);
  await expect(search).toHaveValue("");
});

test("where no line is of the range, the page says that charts count lines when they are read", async ({
  page,
}) => {
  await openLines(page, { from: "2001-01-01T00:00:00Z", to: "2001-01-01T01:00:00Z" });
  await expect(page.locator("#log-lines")).toContainText("the charts count them when they are read");
  await expect(page.locator("#chart-log-volume")).toContainText("Lines read by level");
  await expect(page.locator(".card", { hasText: "Health" })).toHaveText(/^Health.*No data$/);
});

test("levels and sources filter, with counts under the other filter", async ({ page }) => {
  const range = past();
  await openLines(page, range);
  const panel = page.locator("#log-lines");
  const all = await api<LogsAnswer>(`logs?host=${host("loud")}&from=${range.from}&to=${range.to}`);
  const filter = (name: string) =>
    panel.locator(".filters button").filter({ hasText: new RegExp(`^${name}\\d`) });
  await expect(filter("error")).toHaveText(`error${all.facets.level?.error}`);
  await filter("error").click();
  await expect(panel.locator(".lines li:not(.error)")).toHaveCount(0);
  await expect(panel.locator(".count")).toHaveText(String(all.facets.level?.error));
  await filter("app").click();
  await expect(lines(page)).toHaveCount(1);
  await expect(filter("db")).toHaveText(`db${(all.facets.level?.error ?? 0) - 1}`);
});

test("pages there and back show every line once", async ({ page }) => {
  const range = past();
  await openLines(page, { ...range, "f.source": "db" });
  const panel = page.locator("#log-lines");
  const wanted = sql(
    `SELECT message FROM collector.log_entries WHERE host_id = ${host("loud")} AND source = 'db'
     AND ts >= '${range.from}' AND ts < '${range.to}' ORDER BY ts DESC, at DESC`,
  ).map(([message]) => message);
  expect(wanted.length).toBeGreaterThan(200);
  const read = () => panel.locator(".lines code").allTextContents();
  await expect(panel.locator(".lines code").first()).toBeVisible();
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
  await openLines(page, { q: "could not extend" });
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
  await lines(page).first().getByRole("button", { name: "All lines of this pattern" }).click();
  await expect(page).toHaveURL(/pattern=needle/);
  await expect(page.locator("#log-lines")).toContainText("Only lines of one pattern.");
});

test("following brings new lines while nobody reads further below", async ({ page }) => {
  await open(page, "logs", { host: host("loud") });
  const panel = page.locator("#log-lines");
  await panel.getByRole("button", { name: "Follow", exact: true }).click();
  const say = (text: string) =>
    sql(
      `SELECT e2e.put_lines(${host("loud")}, jsonb_build_array(jsonb_build_object('ts', clock_timestamp(), 'host_id', ${host("loud")},
       'source', 'app', 'at', 1, 'level', 'info', 'component', 'test', 'message', '${text}', 'fingerprint', 'followed00000000')))`,
    );
  // Of this try alone: what another one wrote is there, too.
  const tried = Date.now();
  const first = `the first that follows at ${tried}`;
  const second = `the second that follows at ${tried}`;
  say(first);
  await expect(panel.locator("code", { hasText: first })).toBeVisible();
  await panel.locator(".lines").evaluate((box) => box.scrollTo(0, 200));
  // Sent to the page, which keeps it back.
  const sent = page.waitForResponse(
    async (response) =>
      /[/=]logs\?/.test(response.url()) && (await response.text().catch(() => "")).includes(second),
  );
  say(second);
  await sent;
  await expect(panel.getByRole("button", { name: /^\d+ new · show$/ })).toBeVisible();
  await expect(panel.locator("code", { hasText: second })).toHaveCount(0);
  await panel.locator(".lines").evaluate((box) => box.scrollTo(0, 0));
  await expect(panel.locator("code", { hasText: second })).toBeVisible();
});

test("a line that means harm is text, closed and open, wide and narrow", async ({ page }) => {
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 900 });
    await openLines(page, { q: "<IMG SRC=x" });
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

test("patterns show what is new and lead to their lines; CSV holds what is found", async ({ page }) => {
  await open(page, "logs", { host: host("loud") });
  const patterns = page.locator("#table-log_patterns");
  await scrollTo(page, patterns);
  await patterns.locator(".filters").getByRole("button", { name: /^Rare/ }).click();
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
  await expect(page.locator(".card", { hasText: "Silent sources" })).toContainText("1 unreadable, of 5");
  const sources = page.locator("#table-log_sources");
  await scrollTo(page, sources);
  await sources
    .locator(".filters")
    .getByRole("button", { name: /^Unreadable/ })
    .click();
  await expect(sources.locator("tbody tr")).toHaveCount(1);
  await expect(sources).toContainText("cannot open /var/log/secure");
  const events = page.locator("#table-security_events");
  await scrollTo(page, events);
  await events
    .locator(".filters")
    .getByRole("button", { name: /^Critical/ })
    .click();
  await expect(events.locator("tbody tr")).toHaveCount(1);
  await expect(events).toContainText("203.0.113.77");
  await expect(events).toContainText("advice: fail2ban-client set sshd");
  await open(page, "now", { host: host("loud") });
  await expect(page.locator("main")).toContainText("Log secure cannot be read");
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await expect(page.locator("h1")).toHaveText("Logs");
});

const findings = (page: Page) => page.locator("#table-findings");
const finding = (page: Page, text: string) =>
  findings(page).locator("tbody tr:not(.more)", { hasText: text });

test("a finding opens to what was seen and what to do, and leads to the lines of its pattern", async ({
  page,
}) => {
  await open(page, "logs", { host: host("loud") });
  // What is open comes first, then the worst.
  await expect(findings(page).locator("tbody tr").first()).toContainText("Passwords are guessed");
  await expect(findings(page).locator("tbody tr").last()).toContainText("resolved");
  await finding(page, "Errors come in numbers").locator(".row-button").click();
  await expect(page).toHaveURL(/findings\.sel=\d+/);
  const detail = findings(page).locator(".finding");
  await expect(detail).toContainText("31 errors in five minutes; 2 are usual");
  await expect(detail.locator("ol li")).toHaveCount(2);
  await expect(detail.locator("ol code")).toHaveText("systemctl status postgresql");
  await expect(detail.locator(".details")).toContainText("db error");
  await detail.getByRole("button", { name: "Lines of this pattern" }).click();
  await expect(page).toHaveURL(/pattern=[0-9a-f]{16}/);
  await expect(page.locator("#log-lines")).toContainText("Only lines of one pattern.");
  await expect(page.locator("#log-lines .lines li:not(.error)")).toHaveCount(0);
  await expect(page.locator("#log-lines h2")).toBeInViewport();
  // The range has the finding, so it stays; the finding stays open, and lines go on.
  await expect(page).not.toHaveURL(/from=/);
  await expect(detail).toBeVisible();
});

test("a finding leads to the lines of its source around the time it was made", async ({ page }) => {
  await open(page, "logs", { host: host("loud"), q: "no such line", "f.level": "debug" });
  await finding(page, "A disk is full").locator(".row-button").click();
  const lead = findings(page).getByRole("button", { name: "Lines of db ± 15 minutes" });
  await lead.click();
  await expect(page).toHaveURL(/f\.source=db/);
  const query = new URL(page.url()).searchParams;
  const [from, to] = ["from", "to"].map((name) => Date.parse(query.get(name) ?? ""));
  expect((to ?? 0) - (from ?? 0)).toBe(30 * 60_000);
  expect(query.get("q")).toBeNull();
  expect(query.get("f.level")).toBeNull();
  await page.goBack();
  await expect(page).not.toHaveURL(/from=/);
  // Nothing is known of a source here, so nothing leads there.
  await finding(page, "An address was banned").locator(".row-button").click();
  await expect(findings(page).locator(".finding")).toContainText("source: fail2ban");
  await expect(findings(page).locator(".finding ol")).toHaveCount(0);
  await expect(
    findings(page)
      .locator(".finding")
      .getByRole("button", { name: /^Lines of/ }),
  ).toHaveCount(0);
});

test("findings are filtered by state, severity and kind", async ({ page }) => {
  await open(page, "logs", { host: host("loud") });
  const filter = (name: RegExp) => findings(page).locator(".filters").getByRole("button", { name });
  const rows = findings(page).locator("tbody tr");
  await expect(rows).toHaveCount(7);
  await filter(/^Resolved/).click();
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText("sudo was refused");
  // How bad it was is shown; it is not bad any more.
  await expect(rows).toContainText("warn");
  await expect(rows.locator(".severity")).toHaveCount(0);
  await filter(/^Recommendations/).click();
  await expect(findings(page)).toContainText("No rows match.");
  await expect(filter(/^Resolved/)).toBeVisible();
  await findings(page).getByRole("button", { name: "Clear filter" }).click();
  await filter(/Critical/).click();
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText("203.0.113.77");
});

test("a finding that means harm is text, in its row, opened, and on the first page", async ({ page }) => {
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 900 });
    await open(page, "logs", { host: host("loud") });
    const row = finding(page, "<img src=x onerror=");
    await row.locator(".row-button").click();
    const detail = findings(page).locator(".finding");
    await expect(detail).toContainText("window.hacked=1");
    await expect(detail.locator("ol code")).toHaveText("<script>window.hacked=1</script>");
    await expect(detail.locator("ol li").last()).toHaveText("Open it`s lines and those around them");
    expect(await findings(page).locator("img, script, u, b:not(.filters b)").count()).toBe(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await open(page, "now", { host: host("loud") });
    await expect(page.locator(".problem", { hasText: "A new kind of message: <img" })).toBeVisible();
    expect(await page.locator(".problem :is(img, script, b)").count()).toBe(0);
    expect(await page.evaluate(() => "hacked" in window)).toBe(false);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }
});

test("an open finding is a problem with its first step, counts to the logs, and leads there", async ({
  page,
}) => {
  await open(page, "now", { host: host("loud") });
  const problem = page.locator(".problem", { hasText: "Passwords are guessed: 203.0.113.77" });
  await expect(problem).toContainText("Critical");
  await expect(problem.locator(".fix")).toContainText("Do next: Block the address:");
  await expect(problem.locator("code")).toHaveText("fail2ban-client set sshd banip 203.0.113.77");
  await expect(page.locator(".area", { hasText: "Logs" })).toContainText("4");
  await expect(page.locator(".problem", { hasText: "sudo was refused" })).toHaveCount(0);
  await problem.getByRole("link", { name: "Go to Logs" }).click();
  await expect(page.locator("h1")).toHaveText("Logs");
  await expect(findings(page).locator("tbody tr").first()).toContainText("203.0.113.77");
});

test("without findings the table states it and offers no filter", async ({ page }) => {
  await open(page, "logs", { host: host("loud"), from: "now-3d", to: "now-2d" });
  await expect(findings(page)).toContainText("No findings in this range.");
  await expect(findings(page).locator(".filters")).toBeHidden();
  // Without a line nothing is known, and nothing is zero.
  await expect(page.locator(".card", { hasText: "Errors" })).toContainText("No data");
});
