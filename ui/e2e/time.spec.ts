/** One range for all charts, kept in the address. */
import type { Page } from "@playwright/test";
import { addHost, expect, host, open, scrollTo, settled, test } from "./support/page";

const rangeOf = (page: Page): { from: string | null; to: string | null } => {
  const { searchParams } = new URL(page.url());
  return { from: searchParams.get("from"), to: searchParams.get("to") };
};

/** Drags over the middle half of a chart with Alt, which zooms at once. */
async function dragZoom(page: Page, id: string, withAlt = true): Promise<void> {
  const plot = page.locator(`#chart-${id} .u-over`);
  await scrollTo(page, plot);
  const box = await plot.boundingBox();
  if (!box) throw new Error("the chart has no plot");
  if (withAlt) await page.keyboard.down("Alt");
  await page.mouse.move(box.x + box.width * 0.25, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 4 });
  await page.mouse.move(box.x + box.width * 0.75, box.y + 60, { steps: 4 });
  await page.mouse.up();
  if (withAlt) await page.keyboard.up("Alt");
}

/** The spans that the charts on the screen asked for last. */
function watchSpans(page: Page): Map<string, string> {
  const spans = new Map<string, string>();
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (!url.pathname.endsWith("/series") || url.searchParams.has("since")) return;
    // Cards take the last values before the end of the range, a few points wide.
    if (url.searchParams.get("px") === "20") return;
    spans.set(
      url.searchParams.get("m") ?? "",
      `${url.searchParams.get("from")} ${url.searchParams.get("to")}`,
    );
  });
  return spans;
}

test("a drag zooms all charts to one range; back, z and reload restore", async ({ page }) => {
  const spans = watchSpans(page);
  await open(page, "now", { host: host("calm"), from: "now-1h", to: "now" });
  spans.clear();
  await dragZoom(page, "cpu");
  await expect.poll(() => rangeOf(page).to).toMatch(/^\d{4}-/);
  const zoomed = rangeOf(page);
  const width = Date.parse(zoomed.to ?? "") - Date.parse(zoomed.from ?? "");
  expect(Math.abs(width - 1_800_000)).toBeLessThan(30_000);
  await expect.poll(() => spans.size).toBeGreaterThanOrEqual(2);
  await settled(page);
  expect(new Set(spans.values())).toEqual(new Set([`${zoomed.from} ${zoomed.to}`]));

  await page.reload();
  await settled(page);
  expect(rangeOf(page)).toEqual(zoomed);
  await page.goBack();
  await expect.poll(() => rangeOf(page)).toEqual({ from: "now-1h", to: "now" });
  await settled(page);
  await dragZoom(page, "memory");
  await expect.poll(() => rangeOf(page).to).toMatch(/^\d{4}-/);
  await page.keyboard.press("z");
  await expect.poll(() => rangeOf(page)).toEqual({ from: "now-1h", to: "now" });
});

test("a drag without Alt asks first; Esc lets go", async ({ page }) => {
  await open(page, "now", { host: host("calm") });
  await dragZoom(page, "cpu", false);
  const menu = page.getByRole("dialog", { name: "Selected time" });
  await expect(menu).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(menu).toHaveCount(0);
  await dragZoom(page, "cpu", false);
  await menu.getByRole("button", { name: "Zoom" }).click();
  await expect.poll(() => rangeOf(page).to).toMatch(/^\d{4}-/);
  await page.locator("#chart-cpu .u-over").dblclick({ position: { x: 200, y: 60 } });
  await expect.poll(() => rangeOf(page).to).not.toMatch(/^\d{4}-/);
});

test("a copied link shows identical values in a fresh profile", async ({ page, browser, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  // Of a host that writes nothing more: a sample may be stored a moment after the instant at which a range ends.
  await open(page, "now", { host: addHost("linked", false), from: "now-30m", to: "now" });
  await page.getByRole("button", { name: "Copy link" }).click();
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).not.toContain("now-");
  const read = async (one: Page): Promise<string[]> => {
    await one.goto(link);
    await settled(one);
    await one.getByRole("button", { name: "Show CPU as table" }).click();
    const table = one.locator("#chart-cpu .chart-table tbody tr");
    await expect(table.first()).toBeVisible();
    return table.allInnerTexts();
  };
  const fresh = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    timezoneId: "Europe/Berlin",
    locale: "en-GB",
  });
  try {
    const there = await read(await fresh.newPage());
    expect(there.length).toBeGreaterThan(10);
    expect(await read(page)).toEqual(there);
  } finally {
    await fresh.close();
  }
});

test("the range is chosen by preset, typed or refused with a reason; UTC changes every clock", async ({
  page,
}) => {
  await open(page, "now", { host: host("calm") });
  await page.keyboard.press("t");
  const menu = page.getByRole("dialog", { name: /^Time range/ });
  await menu.getByRole("button", { name: "6h", exact: true }).click();
  await expect.poll(() => rangeOf(page)).toEqual({ from: "now-6h", to: "now" });
  await page.keyboard.press("t");
  await menu.getByLabel("From").fill("soon");
  await menu.getByRole("button", { name: "Apply" }).click();
  await expect(menu.getByRole("alert")).toContainText("From is neither");
  await menu.getByLabel("From").fill("now-90m");
  await menu.getByRole("button", { name: "Apply" }).click();
  await expect.poll(() => rangeOf(page).from).toBe("now-90m");
  await open(page, "now", { host: host("sick"), zone: "utc" });
  const utc = await page.locator(".problem time").first().innerText();
  await open(page, "now", { host: host("sick"), zone: "browser" });
  const local = await page.locator(".problem time").first().innerText();
  const clock = (text: string): string | undefined => /\d\d:\d\d/.exec(text)?.[0];
  expect(clock(utc)).toBeDefined();
  expect(clock(utc)).not.toBe(clock(local));
});

test("the crosshair stands at one instant on all charts, with one tooltip", async ({ page }) => {
  await page.setViewportSize({ width: 1280, height: 1600 });
  await open(page, "now", { host: host("calm"), from: "now-1h", to: "now" });
  const plot = page.locator("#chart-cpu .u-over");
  await plot.hover({ position: { x: 150, y: 70 } });
  await expect(page.locator(".chart-tip")).toHaveCount(1);
  const positions = (): Promise<{ id: string; x: number; at: string | null; max: string | null }[]> =>
    page.locator("figure.chart").evaluateAll((figures) =>
      figures.map((figure) => {
        const over = figure.querySelector(".u-over");
        const line = figure.querySelector(".u-cursor-x");
        const reader = figure.querySelector(".reader");
        return {
          id: figure.id,
          x:
            ((line?.getBoundingClientRect().left ?? 0) - (over?.getBoundingClientRect().left ?? 0)) /
            (over?.clientWidth ?? 1),
          at: reader?.getAttribute("aria-valuenow") ?? null,
          max: reader?.getAttribute("aria-valuemax") ?? null,
        };
      }),
    );
  // Charts follow each in its turn, and a sample that arrives moves them one after the other.
  await expect(async () => {
    const all = await positions();
    expect(all.length).toBe(4);
    const first = all[0];
    for (const one of all) {
      expect(one.max).toBe(first?.max);
      expect(one.at).toBe(first?.at);
      expect(Math.abs(one.x - (first?.x ?? 0))).toBeLessThan(0.005);
    }
  }).toPass({ timeout: 30_000 });
  await plot.click({ position: { x: 150, y: 70 } });
  await expect(page.locator(".chart-tip")).toContainText("pinned");
  await page.keyboard.press("Escape");
  await expect(page.locator(".chart-tip")).toHaveCount(0);
});
