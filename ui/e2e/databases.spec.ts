/** The views of PostgreSQL: what a server does, hides, keeps and costs. */
import {
  api,
  at,
  expect,
  host,
  type Now,
  open,
  type SeriesAnswer,
  scrollTo,
  settled,
  type TableAnswer,
  test,
  unfold,
} from "./support/page";

const MAIN = { "f.instance": "main" };

test("every view and table that the search knows exists, and every view is reached by its keys", async ({
  page,
}) => {
  await open(page, "now", { host: host("steady") });
  for (const [key, title] of [
    ["d", "PostgreSQL"],
    ["t", "Tables & Indexes"],
    ["q", "Queries"],
    ["r", "Replication"],
    ["a", "API & Proxy"],
  ] as const) {
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await expect(page.locator("h1")).toHaveText(title);
    await settled(page);
    // Nothing that a view asks for is refused.
    await expect(page.locator(".failure")).toHaveCount(0);
  }
  await expect(page.locator(".picker")).toHaveCount(0);
});

test("a healthy server and its applications are all normal", async ({ page }) => {
  await open(page, "now", { host: host("steady") });
  await expect(page.locator(".verdict")).toHaveClass(/ok/);
  await expect(page.locator(".area")).toHaveCount(10);
  await expect(page.locator("#chart-now-active canvas")).toBeVisible();
  await expect(page.locator("#chart-now-api-p95 canvas")).toBeVisible();
});

test("the worst server is shown first, others are one click away, and the address states which", async ({
  page,
}) => {
  await open(page, "postgres", { host: host("broken") });
  await expect(page).toHaveURL(/f\.instance=main/);
  await page.locator(".picker").getByRole("button", { name: "spare" }).click();
  await expect(page).toHaveURL(/f\.instance=spare/);
  await expect(page.locator(".card", { hasText: "Connections used" })).toContainText("%");
  // The next view of a server is of the same one.
  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await expect(page.locator("h1")).toHaveText("Replication");
  await expect(page.locator(".picker [aria-pressed=true]")).toHaveText("spare");
  await expect(page.getByRole("heading", { name: "Standby" })).toBeVisible();
  await expect(page.locator(".card", { hasText: "Standby replay delay" })).toContainText("0.4 s");
});

test("a problem leads to the server it is about", async ({ page }) => {
  await open(page, "now", { host: host("broken") });
  const { problems } = await api<Now>(`now?host=${host("broken")}`);
  const lag = problems.find((problem) => problem.metric === "replication.replay_lag_ms");
  expect(lag).toMatchObject({ severity: "critical", key: "main.standby_b", view: "replication" });
  const more = page.getByRole("button", { name: /^\d+ more/ });
  if (await more.isVisible()) await more.click();
  await page
    .locator(".problem", { hasText: "standby_b" })
    .first()
    .getByRole("link", { name: /^Go to/ })
    .click();
  await expect(page.locator("h1")).toHaveText("Replication");
  await expect(page).toHaveURL(/f\.instance=main(&|$)/);
  await expect(page.locator(".card", { hasText: "Longest replay lag" })).toContainText("45 s");
});

test("cards, tables and charts of a server agree with the API", async ({ page }) => {
  await open(page, "postgres", { host: host("broken"), ...MAIN });
  const { facts } = await api<Now>(`now?host=${host("broken")}`);
  const waiting = facts.find((fact) => fact.metric === "db.conn_waiting");
  expect(waiting).toMatchObject({ key: "main", value: 6, severity: "critical" });
  await expect(page.locator(".card", { hasText: "Sessions waiting for a lock" }).first()).toHaveClass(
    /critical/,
  );
  await scrollTo(page, page.locator("#chart-waits"));
  await expect(page.locator("#chart-waits .legend")).toContainText("Lock6LWLock2");
  await unfold(page, "Statements, transactions and locks");
  await scrollTo(page, page.locator("#chart-locks"));
  await expect(page.locator("#chart-locks")).toContainText(/RowExclusive\s*44/);
  await unfold(page, "Databases");
  await scrollTo(page, page.locator("#chart-db-size"));
  await expect(page.locator("#chart-db-size .legend")).toContainText("shop");
});

test("what happens once in five minutes is counted, not drawn as a rate", async ({ page }) => {
  await open(page, "postgres", { host: host("broken"), ...MAIN });
  await unfold(page, "Checkpoints");
  const chart = page.locator("#chart-checkpoints");
  await scrollTo(page, chart);
  await expect(chart.locator("canvas")).toBeVisible();
  // The five minutes that have just begun may hold no sample yet.
  await expect(chart.locator("figcaption")).toContainText(/Timed now [01–], lowest 0, highest 1 at/);
});

test("who waits for whom is a tree", async ({ page }) => {
  await open(page, "postgres", { host: host("broken"), ...MAIN });
  const rows = page.locator("#table-blocking tbody tr");
  await expect(rows).toHaveCount(5);
  await expect(rows.nth(0)).toContainText("4100");
  await expect(rows.nth(0).locator(".branch")).toHaveCount(0);
  const left = (row: number): Promise<number> =>
    rows
      .nth(row)
      .locator("td")
      .nth(1)
      .evaluate((cell) => Number.parseFloat(getComputedStyle(cell).paddingLeft));
  expect(await left(1)).toBeGreaterThan(await left(0));
  expect(await left(2)).toBeGreaterThan(await left(1));
  await expect(rows.nth(2)).toContainText("level 2");
  // The root alone is to be ended, and it stands above everything else.
  await expect(rows.getByText("SELECT pg_terminate_backend(4100);")).toBeVisible();
  await expect(page.locator("#table-blocking .command")).toHaveCount(1);
  const top = async (selector: string): Promise<number> =>
    (await page.locator(selector).first().boundingBox())?.y ?? 0;
  expect(await top("#table-blocking")).toBeLessThan(await top("#table-sessions"));
  expect(await top("#table-sessions")).toBeLessThan(await top(".cards"));
  await expect(page.locator(".card")).toHaveCount(8);
  await expect(page.locator("figure.chart")).toHaveCount(4);
});

test("a server that is down shows why and claims nothing", async ({ page }) => {
  await open(page, "postgres", { host: host("broken"), "f.instance": "reports" });
  await expect(page.locator(".banner.critical")).toContainText("reports does not answer. cannot connect");
  await expect(page.locator(".card")).toHaveCount(0);
  await scrollTo(page, page.locator("#table-db_servers"));
  await expect(page.locator("#table-db_servers tbody tr", { hasText: "reports" })).toHaveClass(/critical/);
});

test("what the role may not see is named with its remedy, and is not zero", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, "queries", { host: host("broken"), "f.instance": "partner" });
  const blind = page.locator(".blind");
  await expect(blind).toContainText("pg_stat_statements is not installed");
  await expect(page.locator("#table-statements .empty")).toContainText("pg_stat_statements is not installed");
  await expect(page.locator(".card", { hasText: "Calls in the range" })).toContainText("No data");
  await blind.locator("li", { hasText: "statements" }).getByRole("button").click();
  await expect(blind).toContainText("Copied");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    "CREATE EXTENSION pg_stat_statements",
  );
});

test("dead rows and unused indexes come with the command that fixes them", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, "tables", { host: host("broken"), ...MAIN });
  const orders = page.locator("#table-vacuum_needed tbody tr", { hasText: "orders" }).first();
  await orders.getByRole("button", { name: /^Copy command/ }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^VACUUM.* public\.orders/);
  const unused = page.locator("#table-unused_indexes");
  await scrollTo(page, unused);
  await expect(unused).toContainText("orders_note_idx");
  await expect(unused).not.toContainText("orders_pkey");
  await expect(page.locator(".card", { hasText: "Tables that need vacuum" })).toContainText("3");
  // Names from outside are text.
  const tables = page.locator("#table-tables");
  await scrollTo(page, tables);
  await expect(tables).toContainText("<i>events</i>");
  expect(await page.locator("main i:not([style]):not([class]):not([aria-hidden])").count()).toBe(0);
});

test("statements are summed over the range on the screen; one opens with its text and its history", async ({
  page,
}) => {
  const id = host("broken");
  await open(page, "queries", { host: id, ...MAIN, from: "now-30m" });
  const table = page.locator("#table-statements");
  const half = await api<TableAnswer>(
    `table/statements?host=${id}&from=now-30m&to=now&f.instance=main&limit=25`,
  );
  const whole = await api<TableAnswer>(
    `table/statements?host=${id}&from=now-2h&to=now&f.instance=main&limit=25`,
  );
  expect(whole.sums.calls).toBeGreaterThan(half.sums.calls ?? 0);
  const first = table.locator("tbody tr").first();
  await expect(first).toContainText("SELECT o.customer");
  await first.locator(".row-button").click();
  await expect(page).toHaveURL(/sel=main\.shop\.7000000000000000102/);
  await expect(table.locator(".statement pre")).toContainText("ORDER BY total DESC\nLIMIT $2");
  await expect(table.locator("#chart-one-time canvas")).toBeVisible();
  await page.reload();
  await expect(table.locator(".statement pre")).toBeVisible();
  await first.locator(".row-button").click();
  await expect(table.locator(".statement")).toHaveCount(0);
  await expect(page.locator("#chart-statement-time .legend")).toContainText("SELECT o.customer");
  expect(await page.evaluate(() => "hacked" in window)).toBe(false);
  expect(await page.locator("main img").count()).toBe(0);
});

test("samples five minutes apart are one line, and the crosshair holds the last of them", async ({
  page,
}) => {
  const id = host("broken");
  await open(page, "tables", { host: id, ...MAIN });
  const answer = await api<SeriesAnswer>(
    `series?m=table.total_bytes&host=${id}&from=now-1h&to=now&px=360&limit=1`,
  );
  const values = answer.series[0]?.avg ?? [];
  expect(values.filter((value) => value !== null).length).toBeGreaterThan(5);
  const chart = page.locator("#chart-table-size");
  await expect(chart.locator("canvas")).toBeVisible();
  const reader = chart.locator(".reader");
  await reader.focus();
  for (let step = 0; step < 6; step += 1) {
    await page.keyboard.press("ArrowLeft");
    await expect(reader).toHaveAttribute("aria-valuetext", /orders \d/);
  }
});

test("lag, a lost slot and an unused one stand on cards; without standbys a note states it", async ({
  page,
}) => {
  await open(page, "replication", { host: host("broken"), ...MAIN });
  await expect(page.locator(".card", { hasText: "Lost slots" })).toContainText("old_feed");
  await expect(page.locator(".card", { hasText: "Lost slots" })).toHaveClass(/critical/);
  const rows = page.locator("#table-replication tbody tr");
  await expect(rows).toHaveCount(3);
  await expect(rows.first()).toContainText("standby_b");
  await scrollTo(page, page.locator("#chart-replay-lag"));
  await expect(page.locator("#chart-replay-lag .legend")).toContainText("standby_b45 s");
  await page.goto(at("replication", { host: host("broken"), "f.instance": "partner" }));
  await settled(page);
  await expect(page.locator("#table-replication .empty")).toBeVisible();
  await expect(page.locator("#chart-replay-lag")).toHaveCount(0);
});
