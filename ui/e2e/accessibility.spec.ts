/** axe on every view, theme, width and state; the keyboard alone; narrow screens; forced colours. */

import { faults } from "./support/axe";
import { at, expect, host, open, scrollTo, settled, sql, test } from "./support/page";

const VIEWS = ["now", "system", "processes", "collector"];
const SERVICES = ["api", "postgres", "tables", "queries", "replication"];
const HOSTS: Readonly<Record<string, string>> = {
  logs: "loud",
  alerts: "alarmed",
  ...Object.fromEntries(SERVICES.map((view) => [view, "broken"])),
};

for (const theme of ["light", "dark"]) {
  for (const width of [1280, 390]) {
    // What is empty or fails is as wide as its screen and has the colours of its theme: two of the four tell both.
    const isBoth = (theme === "light") === (width === 1280);
    for (const state of isBoth ? (["data", "empty", "error"] as const) : (["data"] as const)) {
      test(`axe finds nothing: ${theme}, ${width} px, ${state}, all views`, async ({ page, watch }) => {
        test.slow();
        watch.allow(/status of 500/);
        await page.setViewportSize({ width, height: 900 });
        const name = `empty ${theme} ${width}`;
        const empty = state === "empty" ? Number(sql(`SELECT e2e.add_host('${name}', false)`)[0]?.[0]) : null;
        if (state === "error") {
          await page.route(/\/api\/v1\/(series|table|logs|alerts|snapshot|bands)/, (route) =>
            route.fulfill({
              status: 500,
              contentType: "application/json",
              body: '{"error":{"code":"internal","message":"opaque"}}',
            }),
          );
        }
        const instant = new Date(Date.now() - 60_000).toISOString();
        for (const view of [...VIEWS, ...SERVICES, "logs", "alerts", "insights", "snapshot"]) {
          const id = empty ?? host(HOSTS[view] ?? "sick");
          await page.goto(at(view, { host: id, theme, ...(view === "snapshot" ? { at: instant } : {}) }));
          await settled(page);
          expect(await faults(page), view).toEqual([]);
          const { scroll, client } = await page.evaluate(() => ({
            scroll: document.documentElement.scrollWidth,
            client: innerWidth,
          }));
          expect(scroll, `${view}: page scrolls sideways`).toBeLessThanOrEqual(client);
          expect(await page.locator("h1").count()).toBe(1);
        }
      });
    }
  }
}

for (const theme of ["light", "dark"]) {
  for (const width of [1280, 390]) {
    test(`axe finds nothing in logs, a finding and a line open: ${theme}, ${width} px`, async ({ page }) => {
      await page.setViewportSize({ width, height: 900 });
      await open(page, "logs", { host: host("loud"), theme, wrap: 1 });
      await page.locator("#table-findings .row-button").first().click();
      await expect(page.locator("#table-findings .finding ol li")).toHaveCount(3);
      await scrollTo(page, page.locator("#log-lines"));
      const lines = page.locator("#log-lines .lines li");
      await expect(lines).toHaveCount(50);
      await lines.nth(2).getByRole("button").first().click();
      await expect(lines.nth(2)).toContainText("pattern");
      await scrollTo(page, page.locator("#table-log_patterns"));
      await expect(page.locator("#table-log_patterns .trend svg").first()).toBeAttached();
      await settled(page);
      expect(await faults(page)).toEqual([]);
    });
  }
}

test("axe finds nothing with a menu, a dialog, a table of a chart and a selected process open", async ({
  page,
}) => {
  test.slow();
  await open(page, "now", { host: host("calm") });
  await page.getByRole("button", { name: "Show CPU as table" }).click();
  await page.keyboard.press("t");
  await expect(page.getByRole("dialog", { name: /^Time range/ }).getByLabel("From")).toBeVisible();
  expect(await faults(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await expect(page.locator("#palette-list [role=option]").first()).toBeVisible();
  expect(await faults(page)).toEqual([]);
  await open(page, "processes", { host: host("crowd"), sel: "1080.5080" });
  await expect(page.locator("#chart-one-cpu canvas")).toBeVisible();
  expect(await faults(page)).toEqual([]);
  await open(page, "queries", {
    host: host("broken"),
    "f.instance": "main",
    sel: "main.shop.7000000000000000102",
  });
  await scrollTo(page, page.locator("#table-statements"));
  await scrollTo(page, page.locator(".statement"));
  await expect(page.locator("#chart-one-time canvas")).toBeVisible();
  expect(await faults(page)).toEqual([]);
});

test("by keyboard alone: skip link, problem, its view, a chart, and back", async ({ page }) => {
  await open(page, "now", { host: host("sick") });
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("h1")).toBeFocused();
  // The areas, whose links come first, and what can be copied of the problem.
  const isProblem = (): Promise<boolean> =>
    page.evaluate(() => document.activeElement?.matches(".problem a") ?? false);
  for (let tabs = 0; tabs < 20 && !(await isProblem()); tabs += 1) await page.keyboard.press("Tab");
  await expect(page.locator(".problem a").first()).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("h1")).toBeFocused();
  await expect(page.locator("h1")).not.toHaveText("Now");
  await expect(page.locator(".reader").first()).toBeVisible();
  for (let tabs = 0; tabs < 60; tabs += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement?.classList.contains("reader") ?? false)) break;
  }
  await page.keyboard.press("ArrowLeft");
  await expect(page.locator(".chart-tip")).toHaveCount(1);
  // Whatever has the focus shows it.
  const ring = await page.evaluate(() => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(
      document.activeElement ?? document.body,
    );
    return { outlineStyle, outlineWidth, boxShadow };
  });
  expect(ring.outlineStyle !== "none" || ring.boxShadow !== "none").toBe(true);
  await page.keyboard.press("Alt+ArrowLeft");
  await page.goBack();
  await expect(page.locator("h1")).toHaveText("Now");
});

test("an explanation opens by key and by pointer, and Esc closes it", async ({ page }) => {
  await open(page, "system", { host: host("sick") });
  const button = page.getByRole("button", { name: "About Memory used" }).first();
  await page.locator("h1").focus();
  for (let tabs = 0; tabs < 30; tabs += 1) {
    await page.keyboard.press("Tab");
    if (await button.evaluate((one) => one === document.activeElement)) break;
  }
  const tip = page.getByRole("tooltip");
  await expect(tip).toBeVisible();
  await expect(tip).toContainText("warn at or above 75");
  await expect(tip).toContainText("First: ");
  await page.keyboard.press("Escape");
  await expect(tip).toBeHidden();
  await button.hover();
  await expect(tip).toBeVisible();
  await tip.hover();
  await expect(tip).toBeVisible();
});

test("on a phone rows open, the range can be set and nothing is too small to hit", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open(page, "processes", { host: host("crowd") });
  const table = page.locator("#table-processes");
  await scrollTo(page, table);
  await table.getByRole("button", { name: "More of this row" }).first().click();
  await expect(table.locator(".details").first()).toContainText("Threads");
  const small = await page.locator("button:visible, a:visible, select:visible").evaluateAll((all) =>
    all
      .filter((one) => !one.closest("p"))
      .map((one) => ({ text: one.outerHTML.slice(0, 80), box: one.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && (box.width < 23.5 || box.height < 23.5))
      .map(({ text, box }) => `${Math.round(box.width)}x${Math.round(box.height)} ${text}`),
  );
  expect(small).toEqual([]);
});

test("themes: tokens follow the choice, the system and the address", async ({ page }) => {
  const background = (): Promise<string> =>
    page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.emulateMedia({ colorScheme: "light" });
  await open(page, "now", { host: host("calm") });
  await expect.poll(background).toBe("rgb(255, 255, 255)");
  await page.emulateMedia({ colorScheme: "dark" });
  await expect.poll(background).toBe("rgb(15, 21, 28)");
  await page.getByRole("button", { name: "Display" }).click();
  await page.getByRole("button", { name: "Light" }).click();
  await expect.poll(background).toBe("rgb(255, 255, 255)");
  await page.reload();
  await settled(page);
  await expect.poll(background).toBe("rgb(255, 255, 255)");
  await open(page, "now", { host: host("calm"), theme: "dark" });
  await expect.poll(background).toBe("rgb(15, 21, 28)");
});

test("in forced colours severities keep shape and word, and lines keep their colours", async ({ page }) => {
  await page.emulateMedia({ forcedColors: "active" });
  await open(page, "now", { host: host("sick") });
  await expect(page.locator(".problem .severity").first()).toContainText("Critical");
  await expect(page.locator(".problem .shape").first()).toBeVisible();
  const swatches = await page
    .locator("#chart-cpu .swatch")
    .evaluateAll((all) =>
      all.slice(0, 3).map((one) => getComputedStyle(one.querySelector("path") ?? one).stroke),
    );
  expect(new Set(swatches).size).toBe(3);
});

test("with reduced motion nothing is animated", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await open(page, "now", { host: host("sick") });
  expect(
    await page.evaluate(() => document.getAnimations().filter((one) => one.playState === "running").length),
  ).toBe(0);
});
