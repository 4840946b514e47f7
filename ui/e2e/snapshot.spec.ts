/** Event Snapshot: from a finding, a chart and a selection to all that is known of an instant, and on from there. */
import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { addFinding, addHost, at, expect, host, open, scrollTo, settled, sql, test } from "./support/page";

/** A host whose processor was quiet for an hour and is busy since ten minutes, with an alert and lines about it. */
function addBusyHost(name: string): number {
  const id = addHost(name, true, { system: { cpu_user: 10, cpu_system: 5, cpu_idle: 84 } });
  sql(`
    SELECT e2e.put(${id}, ARRAY(SELECT generate_series(now() - interval '85 minutes', now() - interval '6 minutes', interval '10 seconds')));
    UPDATE collector.system_metrics_raw SET cpu_user = 90, cpu_idle = 4
      WHERE host_id = ${id} AND ts > now() - interval '10 minutes';
    UPDATE e2e.host SET system = '{"cpu_user": 90, "cpu_system": 5, "cpu_idle": 4}' WHERE host_id = ${id};
    INSERT INTO collector.log_entries (ts, host_id, source, at, level, component, message, message_chars, fingerprint, line_id)
      SELECT now() - interval '9 minutes' + i * interval '1 s', ${id}, 'nginx', i, 'error', '', 'upstream <img src=x onerror=alert(1)> timed out', 40, 'f1', i
      FROM generate_series(1, 12) i;
    INSERT INTO collector.change_markers (ts, host_id, kind, subject, action, before, after, source)
      VALUES (now() - interval '11 minutes', ${id}, 'package', 'nginx', 'upgraded', '1.26.1', '1.26.2', 'dpkg');
  `);
  const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();
  addFinding(id, "system.cpu_busy_pct", "", "critical", "CPU is 95 % busy", {
    value: 95,
    threshold: 80,
    opened_at: ago(10),
    confirmed_at: ago(9),
  });
  addFinding(id, "unusual.system.load_1", "", "info", "Load is unusual", {
    kind: "insight",
    domain: "system",
    metric: "system.load_1",
    opened_at: ago(50),
    confirmed_at: ago(49),
    resolved_at: ago(45),
  });
  return id;
}

/** The instant of the address. */
const instantOf = (page: Page): number => Date.parse(new URL(page.url()).searchParams.get("at") ?? "");
const isSnapshot = /\/v\/snapshot\?/;

test("a problem leads to its snapshot in one click, and on to the events beside it", async ({ page }) => {
  const id = addBusyHost("snapshot-busy");
  await open(page, "now", { host: id });
  await page.locator(".problem", { hasText: "CPU" }).first().getByRole("link", { name: "Snapshot" }).click();
  await expect(page).toHaveURL(isSnapshot);
  await expect(page.getByRole("region", { name: "Finding" })).toContainText("CPU is 95 % busy");
  const changed = page.getByRole("region", { name: "Most changed", exact: true });
  await expect(changed.locator("tbody tr").first()).toContainText("CPU");
  const happened = page.getByRole("region", { name: "What happened", exact: true });
  await expect(happened).toContainText("nginx upgraded to 1.26.2");
  // Text of others is text.
  await expect(happened).toContainText("12× upstream <img src=x onerror=alert(1)> timed out");
  await expect(page.getByRole("region", { name: "Worst values of the window" })).toContainText("before");
  await expect(page.locator("figure.chart").first()).toBeAttached();
  const first = instantOf(page);
  await page.keyboard.press("[");
  await expect(page.getByRole("region", { name: "Finding" })).toContainText("Load is unusual");
  expect(instantOf(page)).toBeLessThan(first - 30 * 60_000);
  await page.keyboard.press("]");
  await expect(page.getByRole("region", { name: "Finding" })).toContainText("CPU is 95 % busy");
  await page.goBack();
  await page.goBack();
  await page.goBack();
  await expect(page.locator("h1")).toHaveText("Now");
});

test("alerts and insights lead to their snapshot in one click", async ({ page }) => {
  const id = addBusyHost("snapshot-lists");
  for (const [view, title] of [
    ["alerts", "CPU is 95 % busy"],
    ["insights", "Load is unusual"],
  ] as const) {
    await open(page, view, { host: id });
    const row = page.locator("#table-findings tbody tr", { hasText: title });
    await row.getByRole("button", { name: "Snapshot" }).click();
    await expect(page).toHaveURL(isSnapshot);
    await expect(page.getByRole("region", { name: "Finding" })).toContainText(title);
  }
});

test("a point of a chart leads there: by a second click, by Enter, by the tip", async ({ page }) => {
  await page.setViewportSize({ width: 1280, height: 1200 });
  const ways: [string, (page: Page) => Promise<void>][] = [
    [
      "click",
      async (page) => {
        // A second click that comes at once is a double click.
        await page.waitForFunction(
          (since) => performance.now() - since > 600,
          await page.evaluate(() => performance.now()),
        );
        await page.locator("#chart-load .u-over").click({ position: { x: 200, y: 60 } });
      },
    ],
    ["tip", (page) => page.locator(".chart-tip").getByRole("button", { name: "Snapshot" }).click()],
  ];
  for (const [way, follow] of ways) {
    await open(page, "system", { host: host("calm"), from: "now-4m", to: "now" });
    await scrollTo(page, page.locator("#chart-load"));
    const plot = page.locator("#chart-load .u-over");
    await plot.hover({ position: { x: 200, y: 60 } });
    await plot.click({ position: { x: 200, y: 60 } });
    await expect(page.locator(".chart-tip"), way).toContainText("pinned");
    await follow(page);
    await expect(page, way).toHaveURL(isSnapshot);
    expect(Math.abs(instantOf(page) - Date.now()), way).toBeLessThan(5 * 60_000);
  }
  await open(page, "now", { host: host("calm"), from: "now-4m", to: "now" });
  await scrollTo(page, page.locator("#chart-load"));
  await expect(page.locator("#chart-load canvas")).toBeVisible();
  await page.locator("#chart-load .reader").focus();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await expect(page.locator(".chart-tip")).toContainText("pinned");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(isSnapshot);
});

test("a tap pins a point, and its button leads there", async ({ browser }) => {
  const context = await browser.newContext({ hasTouch: true, viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  await open(page, "now", { host: host("calm") });
  await scrollTo(page, page.locator("#chart-load"));
  await page.locator("#chart-load .u-over").tap({ position: { x: 120, y: 60 } });
  await page.locator(".chart-tip").getByRole("button", { name: "Snapshot" }).tap();
  await expect(page).toHaveURL(isSnapshot);
  await settled(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await context.close();
});

test("a span that is dragged becomes a snapshot or a comparison", async ({ page }) => {
  await page.setViewportSize({ width: 1280, height: 1200 });
  const id = addBusyHost("snapshot-drag");
  const drag = async (): Promise<void> => {
    await open(page, "now", { host: id, from: "now-40m", to: "now" });
    const plot = page.locator("#chart-load .u-over");
    await scrollTo(page, plot);
    await expect(page.locator("#chart-load canvas")).toBeVisible();
    const box = await plot.boundingBox();
    if (!box) throw new Error("the plot is not there");
    await page.mouse.move(box.x + box.width * 0.76, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.95, box.y + 60, { steps: 5 });
    await page.mouse.up();
  };
  await drag();
  await page.getByRole("dialog", { name: "Selected time" }).getByRole("button", { name: "Snapshot" }).click();
  await expect(page).toHaveURL(isSnapshot);
  await drag();
  await page.getByRole("dialog", { name: "Selected time" }).getByRole("button", { name: "Compare" }).click();
  const comparison = page.getByRole("region", { name: "Comparison" });
  await expect(comparison.getByRole("region", { name: "Differences", exact: true })).toContainText(
    "CPU busy",
  );
  await comparison.getByRole("button", { name: "a day earlier" }).click();
  await expect(comparison).toContainText("No series has values on both sides.");
  await comparison.getByRole("button", { name: "Close" }).click();
  await expect(comparison).toHaveCount(0);
});

test("the window is in the address, and what is copied or saved needs no server", async ({
  page,
  context,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const id = addBusyHost("snapshot-window");
  const instant = new Date(Date.now() - 5 * 60_000).toISOString();
  await open(page, "snapshot", { host: id, at: instant });
  await page.getByRole("button", { name: "±5 min" }).click();
  await expect(page.getByRole("button", { name: "±5 min" })).toHaveAttribute("aria-pressed", "true");
  await page.getByLabel("Minutes before").fill("20");
  await page.getByLabel("Minutes before").press("Enter");
  await expect(page.locator("p.when")).toContainText("−20 to +5 min");
  await page.reload();
  await expect(page.locator("p.when")).toContainText("−20 to +5 min");
  await page.goBack();
  await expect(page.locator("p.when")).toContainText("−5 to +5 min");
  const copy = page.getByRole("button", { name: "Copy as Markdown" });
  await copy.click();
  await expect(copy).toHaveText("Copied");
  const markdown = await page.evaluate(() => navigator.clipboard.readText());
  expect(markdown).toMatch(/^# snapshot-window at /);
  expect(markdown).toContain("## Most changed");
  expect(markdown).not.toContain("<img");
  const saving = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download JSON" }).click();
  const file = JSON.parse(readFileSync(await (await saving).path(), "utf8")) as {
    snapshot: { host: string; changed: { rows: object[] } };
    series: object[];
    markdown: string;
  };
  expect(file.snapshot.host).toBe("snapshot-window");
  expect(file.snapshot.changed.rows.length).toBeGreaterThan(0);
  expect(file.series.length).toBeGreaterThan(3);
  expect(file.markdown).toContain("## What happened");
});

test("without an instant, without data and without a finding that is known, it says so", async ({ page }) => {
  await open(page, "snapshot", { host: host("calm") });
  await expect(page.locator("main")).toContainText("Choose one");
  await page.getByRole("link", { name: "Newest sample" }).click();
  await expect(page.getByRole("region", { name: "Worst values of the window" })).toBeVisible();
  const old = new Date(Date.now() - 3 * 86_400_000).toISOString();
  await page.goto(at("snapshot", { host: host("calm"), at: old, finding: 999999 }));
  await settled(page);
  await expect(page.locator("main")).toContainText("Nothing was sampled in this window.");
  await expect(page.locator("main")).toContainText("not stored any more");
});

test("on paper charts fit their column, and are drawn for it whatever the screen is", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await open(page, "snapshot", {
    host: host("calm"),
    at: new Date(Date.now() - 120_000).toISOString(),
    from: "now-4m",
    to: "now",
  });
  const chart = page.locator("#chart-snapshot-cpu");
  await scrollTo(page, chart);
  await expect(chart.locator("canvas")).toBeVisible();
  await settled(page);
  /** The greatest channel of what is written beside the axis: 112 of dark letters, 192 of light ones. */
  const brightest = (): Promise<number> =>
    chart.locator("canvas").evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")?.getImageData(0, 0, 40, canvas.height) ?? { data: [] };
      let most = 0;
      for (let at = 0; at < data.length; at += 4) {
        if ((data[at + 3] ?? 0) > 100)
          most = Math.max(most, data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0);
      }
      return most;
    });
  await expect.poll(brightest).toBeGreaterThan(150);
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await expect.poll(brightest).toBeLessThan(140);
  await page.setViewportSize({ width: 794, height: 1123 });
  await expect(async () => {
    const [canvas, panel] = [await chart.locator("canvas").boundingBox(), await chart.boundingBox()];
    expect((canvas?.x ?? 0) + (canvas?.width ?? 0)).toBeLessThanOrEqual(
      (panel?.x ?? 0) + (panel?.width ?? 0),
    );
  }).toPass({ timeout: 30_000 });
  await page.emulateMedia({ media: "screen", colorScheme: "dark" });
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  await expect.poll(brightest).toBeGreaterThan(150);
});
