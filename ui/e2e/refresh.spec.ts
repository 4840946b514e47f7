/** New data never move what somebody looks at, and increments add up to the whole. */
import type { Page } from "@playwright/test";
import {
  addHost,
  api,
  expect,
  host,
  loadSeriesLike,
  type Now,
  open,
  type SeriesAnswer,
  scrollTo,
  sql,
  type TableAnswer,
  test,
} from "./support/page";
import { until } from "./support/server";

/** Writes a sample and waits until the page has shown an answer that holds it. */
async function tickAndWait(page: Page, id: number): Promise<void> {
  const table = page.waitForResponse(
    (response) => /[/=]table\/processes.*page=/.test(response.url()) && response.status() === 200,
  );
  sql(`SELECT e2e.put(${id}, ARRAY[clock_timestamp()])`);
  await table;
}

test("a refresh keeps page, sort, search, focus, selection and scroll", async ({ page }) => {
  const id = host("crowd");
  await open(page, "processes", { host: id, sort: "process_name", page: 1 });
  const table = page.locator("#table-processes");
  await scrollTo(page, table);
  await expect(table.locator("tbody tr").first()).toContainText("task-26");
  const button = table.locator("tbody tr", { hasText: "task-30" }).locator(".row-button");
  await scrollTo(page, button);
  await button.focus();
  const place = await page.evaluate(() => scrollY);
  await tickAndWait(page, id);
  await tickAndWait(page, id);
  await expect(table.locator("tbody tr").first()).toContainText("task-26");
  await expect(button).toBeFocused();
  expect(await page.evaluate(() => scrollY)).toBe(place);
  await expect(table.locator(".pager")).toContainText("Page 2 of 4");
  await expect(table.locator('th[aria-sort="ascending"]')).toHaveText(/Process/);

  const search = table.getByRole("searchbox");
  await search.fill("task-1");
  await expect(table.locator(".count")).toHaveText("10 of 80");
  await search.focus();
  await tickAndWait(page, id);
  await expect(search).toHaveValue("task-1");
  await expect(search).toBeFocused();
  await expect(table.locator("tbody tr")).toHaveCount(10);
  await expect(page).toHaveURL(/q=task-1/);
});

test("an open menu and selected text hold refreshes back; letting go brings them", async ({ page }) => {
  const id = host("crowd");
  await open(page, "processes", { host: id });
  const live = page.locator("button.live");
  await expect(live).toContainText("Live");
  await page.getByRole("button", { name: "Columns of Processes" }).click();
  const menu = page.getByRole("dialog", { name: "Columns of Processes" });
  await expect(menu).toBeVisible();
  sql(`SELECT e2e.put(${id}, ARRAY[clock_timestamp()])`);
  await expect(live).toContainText(/Paused · \d+ new/);
  await expect(menu).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(live).toContainText("Live");
  await page.locator("h1").selectText();
  await expect(live).toContainText("Paused");
  await page.keyboard.press("Space");
  await expect(live).toContainText("Live");
});

test("a changed order waits while the pointer is among the rows", async ({ page }) => {
  const id = addHost("shuffle", false, {
    processes: [
      { process_name: "first", cpu_pct: 9 },
      { process_name: "second", cpu_pct: 4 },
    ],
  });
  sql(`SELECT e2e.put(${id}, ARRAY[clock_timestamp()])`);
  await open(page, "processes", { host: id });
  const rows = page.locator("#table-processes tbody tr");
  await rows.first().hover();
  await expect(rows.first()).toContainText("first");
  sql(
    `UPDATE e2e.host SET processes = '[{"process_name":"first","cpu_pct":1},{"process_name":"second","cpu_pct":40}]' WHERE host_id = ${id}`,
  );
  await tickAndWait(page, id);
  await expect(rows.first()).toContainText("first");
  await page.getByRole("button", { name: "Order changed" }).click();
  await expect(rows.first()).toContainText("second");
  sql(
    `UPDATE e2e.host SET processes = '[{"process_name":"first","cpu_pct":50},{"process_name":"second","cpu_pct":4}]' WHERE host_id = ${id}`,
  );
  await rows.first().hover();
  await tickAndWait(page, id);
  await expect(rows.first()).toContainText("second");
  await page.mouse.move(0, 0);
  await expect(rows.first()).toContainText("first");
});

test("badges and counts are those of the whole host, whatever is searched", async ({ page }) => {
  const id = host("crowd");
  await open(page, "processes", { host: id });
  const badge = page.locator("nav.rail a", { hasText: "Processes" }).locator(".badge");
  const before = (await badge.textContent()) ?? "";
  const cards = await page.locator(".issues").innerText();
  const all = await api<TableAnswer>(`table/processes?host=${id}&limit=25`);
  expect(all.total).toBe(80);
  await page.locator("#table-processes").getByRole("searchbox").fill("task-79");
  await expect(page.locator("#table-processes .count")).toHaveText("1 of 80");
  await tickAndWait(page, id);
  await expect(badge).toHaveText(before);
  expect(await page.locator(".issues").innerText()).toBe(cards);
  await page.locator("#table-processes").getByRole("searchbox").fill("nothing like it");
  await expect(page.getByText("None of 80 rows match.")).toBeVisible();
  await page.getByRole("button", { name: "Clear filter" }).click();
  await expect(page.locator("#table-processes .count")).toHaveText("80");
});

test("chips filter together and count under the other filters", async ({ page }) => {
  await open(page, "processes", { host: host("crowd") });
  const table = page.locator("#table-processes");
  const filter = (name: string) => table.locator(".filters button", { hasText: name });
  await expect(filter("Stopped").locator("b")).toHaveText("1");
  await page.locator(".issue", { hasText: "CPU" }).click();
  await expect(page).toHaveURL(/f\.issue=cpu/);
  await expect(table.locator(".count")).toHaveText("61 of 80");
  await expect(filter("Stopped").locator("b")).toHaveText("0");
});

test("increments merged by the page equal a full answer after random refreshes with late rows", async ({
  page,
}) => {
  test.slow();
  await open(page, "now", { host: host("calm") });
  const id = addHost("growing", false);
  const random = seeded(4711);
  const path = `series?m=system.load_1,system.ctxt_per_sec,network.rx_bytes_per_sec&from=now-5m&to=now&px=60&host=${id}`;
  let held: SeriesAnswer | null = null;
  let partial = 0;
  let compared = 0;
  for (let round = 0; round < 20; round += 1) {
    const isLate = random() < 0.25;
    const before = await api<Now>(`now?host=${id}`);
    if (isLate) {
      const load = (random() * 9).toFixed(2);
      sql(
        `UPDATE e2e.host SET system = '{"load_1": ${load}}' WHERE host_id = ${id};
         SELECT e2e.put(${id}, ARRAY[clock_timestamp() - interval '${20 + Math.floor(random() * 200)} seconds']);
         INSERT INTO collector.spool_watermark (host_id, writer, seq, progress, history_gen)
           VALUES (${id}, '00000000-0000-0000-0000-000000000001', 1, '{}', 1)
           ON CONFLICT (host_id, writer) DO UPDATE SET history_gen = collector.spool_watermark.history_gen + 1;`,
      );
    } else sql(`SELECT e2e.put(${id}, ARRAY[clock_timestamp()])`);
    // The server looks at its hosts about once a second.
    await until(async () => {
      const now = await api<Now>(`now?host=${id}`);
      return isLate
        ? now.generation !== before.generation
        : now.freshness.newest_ms !== before.freshness.newest_ms;
    });
    const answer: SeriesAnswer = await api<SeriesAnswer>(
      held ? `${path}&since=${encodeURIComponent(held.cursor)}` : path,
    );
    if (answer.partial) partial += 1;
    expect(answer.partial && isLate, "late rows must be answered whole").toBe(false);
    held = loadSeriesLike(held, answer);
    const whole = await api<SeriesAnswer>(path);
    // A bucket that began between the two answers is in one of them only.
    if (whole.t0_ms !== held.t0_ms || whole.n !== held.n) continue;
    compared += 1;
    expect(held.series, `round ${round}`).toEqual(whole.series);
  }
  expect(compared).toBeGreaterThan(10);
  expect(partial).toBeGreaterThan(5);
});

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
