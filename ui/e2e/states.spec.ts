/** Failures of the database, the collector and the server: what is not known is never shown as good. */

import { kill } from "node:process";
import { expect, type Page } from "@playwright/test";
import {
  api,
  at,
  host,
  type Now,
  open,
  REFRESH,
  rewrite,
  type SeriesAnswer,
  settled,
  sql as shared,
  test,
} from "./support/page";
import { childrenOf, pidOf, type Server, startServer, stopServer, until } from "./support/server";

/** Nothing on the page claims that all is well. */
async function expectNothingGood(page: Page): Promise<void> {
  await expect(page.locator(".pill.unknown")).toContainText("Unknown");
  await expect(page.locator(".verdict.ok, .area.ok, .card.ok, .issue.ok")).toHaveCount(0);
  await expect(page.locator(".pill.ok")).toHaveCount(0);
  await expect(page.locator("button.live.on")).toHaveCount(0);
}

test.describe("a server of its own", () => {
  // What stops and comes back is noticed in its turn, one thing after the other.
  test.describe.configure({ mode: "serial", timeout: 240_000 });
  let server: Server;
  test.beforeAll(async () => {
    server = await startServer(
      "states",
      "[intervals]\nsystem_secs = 1\nheartbeat_secs = 1\n[logs]\nenabled = false\n",
    );
    await until(async () => (await api<Now>("now", server.url)).freshness.state === "live");
  });
  test.afterAll(() => stopServer(server));

  test("live data are live: the newest sample moves on the page", async ({ page }) => {
    await open(page, "now", {}, server.url);
    await expect(page.locator("button.live")).toContainText("Live");
    const asked = (): Promise<unknown> =>
      page.waitForResponse((answer) => REFRESH.test(answer.url()) && answer.ok());
    await asked();
    await asked();
    await expect(page.locator(".chart canvas").first()).toBeVisible();
  });

  test("a database that stops: unknown, since when, last values grey, recovery without a reload", async ({
    page,
    watch,
  }) => {
    watch.allow(/status of 50[34]/);
    await open(page, "now", {}, server.url);
    const postgres = pidOf(server, "postgres");
    // The postmaster is frozen and so answers nobody; its sessions are ended so that none lives on.
    kill(postgres, "SIGSTOP");
    for (const session of childrenOf(postgres)) kill(session, "SIGTERM");
    await expect(page.locator(".banner.critical")).toContainText(/Database unreachable since \d\d:\d\d/, {
      timeout: 60_000,
    });
    await expectNothingGood(page);
    await expect(page.locator(".verdict.unknown")).toBeVisible();
    await expect(page.locator(".problem:not(.grey)")).toContainText("The database does not answer");
    await page.goto(at("system", {}, server.url));
    await expectNothingGood(page);
    await expect(page.locator(".cards.grey, .card.grey").first()).toBeVisible();
    await page.goto(at("collector", {}, server.url));
    await expectNothingGood(page);
    await page.goto(at("now", {}, server.url));
    await expect(page.locator(".banner.critical")).toBeVisible();
    kill(postgres, "SIGCONT");
    await expect(page.locator(".banner.critical")).toHaveCount(0, { timeout: 90_000 });
    await expect(page.locator(".pill.unknown")).toHaveCount(0);
  });

  test("a collector that stops: late, then stale, and never OK", async ({ page }) => {
    await open(page, "now", {}, server.url);
    kill(pidOf(server, "pqcrypta-collector"), "SIGSTOP");
    try {
      await expect(page.locator(".pill.warn", { hasText: "old" })).toBeVisible();
      await expect(page.locator(".banner.warn")).toContainText(/Data is .* old/, { timeout: 60_000 });
      await expectNothingGood(page);
      await expect(page.locator(".verdict.unknown")).toContainText("Unknown");
    } finally {
      kill(pidOf(server, "pqcrypta-collector"), "SIGCONT");
    }
    await expect(page.locator(".pill.unknown")).toHaveCount(0, { timeout: 60_000 });
  });

  test("a dashboard server that is gone: red banner, countdown, unknown", async ({ page, watch }) => {
    watch.allow(/Failed to load resource|ERR_/);
    await open(page, "now", {}, server.url);
    await stopServer(server);
    await expect(page.locator(".banner.critical")).toContainText("The dashboard server does not answer", {
      timeout: 60_000,
    });
    await expect(page.locator(".banner.critical")).toContainText(/Retry/);
    await expectNothingGood(page);
  });
});

test("an empty database is reported and promises nothing", async ({ page }) => {
  const id = shared("SELECT e2e.add_host('empty', false)")[0]?.[0] ?? "";
  for (const view of ["now", "system", "processes", "collector", "postgres", "queries", "api"]) {
    await open(page, view, { host: id });
    await expectNothingGood(page);
    await expect(page.locator(".banner.unknown")).toContainText("no sample of this host yet");
  }
});

test("what was never read is unknown: neither zero nor absent", async ({ page }) => {
  // As the server answers when it is started while the database is down.
  await rewrite<Now>(page, /\/api\/v1\/now/, (answer) => ({
    ...answer,
    host: { id: 0, name: "", kernel: "", cores: null, memory_bytes: null, boot_ms: null, first_ms: null },
    freshness: { ...answer.freshness, newest_ms: null, age_secs: null, state: "empty" },
    agent: { state: "unknown", heartbeat_ms: null, pending_records: null },
    database: { state: "unreachable", since_ms: answer.now_ms - 60_000, message: "It has not answered." },
    areas: answer.areas.map((area) => ({ ...area, present: false, severity: "unknown" })),
    facts: [],
    problems: [],
  }));
  await open(page, "now", { host: host("calm") });
  await expect(page.locator(".facts")).toContainText("Cores–Memory–Uptime–");
  await expect(page.locator(".facts")).toContainText("Collector–");
  await expect(page.locator("nav.rail a", { hasText: "PostgreSQL" })).toHaveText("PostgreSQL");
  await expect(page.locator("nav.rail")).not.toContainText("not used");
  await open(page, "collector", { host: host("calm") });
  await expect(page.locator(".card", { hasText: "State" }).first()).toContainText("No data");
  await expect(page.locator("main")).not.toContainText("Never reported");
  await expectNothingGood(page);
});

test("a silent collector: data until when, no heartbeat since when, unknown", async ({ page }) => {
  await open(page, "now", { host: host("silent") });
  await expectNothingGood(page);
  await expect(page.locator(".banner.warn")).toContainText(
    // Ten minutes when the tests began, and they may take their time.
    /Data is \d+\s(min|h).* old, showing data until \d\d:\d\d/,
  );
  await open(page, "collector", { host: host("silent") });
  await expect(page.locator(".card", { hasText: "State" }).first()).toContainText("Silent");
  await expect(page.locator(".card", { hasText: "State" }).first()).toHaveClass(/critical/);
  await expectNothingGood(page);
});

test("one panel that fails leaves the others alone, shows why and comes back", async ({ page, watch }) => {
  watch.allow(/status of 500/);
  await page.route(/\/series\?m=system\.load/, (route) =>
    route.fulfill({
      status: 500,
      contentType: "application/json",
      body: '{"error":{"code":"internal","message":"the cause is in the log"}}',
    }),
  );
  await page.goto(at("now", { host: host("calm") }));
  const load = page.locator("#chart-load");
  await expect(load).toContainText("the cause is in the log");
  await expect(load).toContainText(/retry in \d+ s|retrying/);
  await expect(page.locator("#chart-cpu canvas")).toBeVisible();
  await page.unroute(/\/series\?m=system\.load/);
  await load.getByRole("button", { name: "Retry now" }).click();
  await expect(load.locator("canvas")).toBeVisible();
});

test("a question that is refused is not asked again and again", async ({ page, watch }) => {
  watch.allow(/status of 404/);
  let asked = 0;
  await page.route(/\/series\?m=system\.load/, (route) => {
    asked += 1;
    return route.fulfill({
      status: 404,
      contentType: "application/json",
      body: '{"error":{"code":"not_found","message":"no such metric"}}',
    });
  });
  await page.goto(at("now", { host: host("calm") }));
  await expect(page.locator("#chart-load")).toContainText("no such metric");
  // Two more samples arrive and are drawn by the others.
  for (let round = 0; round < 2; round += 1) {
    await page.waitForResponse((answer) => REFRESH.test(answer.url()));
  }
  expect(asked).toBeLessThanOrEqual(3);
});

test("500s everywhere and answers that are not JSON: errors in words, nothing good", async ({
  page,
  watch,
}) => {
  watch.allow(/status of 500/);
  await page.route(/\/api\/v1\/(now|series|table)/, (route) =>
    route.fulfill({ status: 500, contentType: "text/html", body: "<h1>no</h1>" }),
  );
  await page.goto(at("now", { host: host("calm") }));
  await expect(page.locator(".banner.critical")).toContainText("The server answered 500");
  await expectNothingGood(page);
  await page.unroute(/\/api\/v1\/(now|series|table)/);
  await expect(page.locator(".verdict.ok")).toBeVisible({ timeout: 60_000 });
  await expect(page.locator(".banner")).toHaveCount(0);
});

test("a slow answer keeps the old picture, dimmed, and the frame usable", async ({ page }) => {
  await open(page, "now", { host: host("calm") });
  const held: (() => void)[] = [];
  await page.route(/\/series\?.*from=now-6h/, async (route) => {
    await new Promise<void>((resolve) => held.push(resolve));
    await route.continue();
  });
  await page.keyboard.press("t");
  await page
    .getByRole("dialog", { name: /^Time range/ })
    .getByRole("button", { name: "6h", exact: true })
    .click();
  await expect(page.locator("#chart-cpu .outdated canvas")).toBeVisible();
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await expect(page.locator("h1")).toHaveText("Collector");
  for (const release of held) release();
});

test("a partial answer marks the series that failed and draws the rest", async ({ page }) => {
  await rewrite<SeriesAnswer>(page, /\/series\?m=system\.load/, (answer) => ({
    ...answer,
    series: answer.series.filter((one) => one.metric !== "system.load_15"),
    errors: [{ metric: "system.load_15", message: "took too long" }],
  }));
  await page.goto(at("now", { host: host("calm") }));
  await expect(page.locator("#chart-load canvas")).toBeVisible();
  await expect(page.locator("#chart-load .chip.warn")).toContainText("failed");
});

test("a server of a new version offers a reload", async ({ page }) => {
  await rewrite<Now>(page, /\/api\/v1\/now/, (answer) => ({ ...answer, version: "99.0.0" }));
  await page.goto(at("now", { host: host("calm") }));
  await expect(page.locator(".banner.info")).toContainText("new version");
});

for (const [minutes, offset] of [
  ["ten minutes slow", -600_000],
  ["ten minutes fast", 600_000],
] as const) {
  test(`a browser whose clock is ${minutes} believes the server`, async ({ page }) => {
    await page.addInitScript((by) => {
      const real = Date.now;
      Date.now = () => real() + by;
    }, offset);
    await page.goto(at("now", { host: host("calm") }));
    await settled(page);
    await expect(page.locator(".verdict.ok")).toBeVisible();
    await expect(page.locator(".pill", { hasText: "old" })).toHaveCount(0);
  });
}
