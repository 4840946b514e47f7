/** Ctrl-K finds views, metrics, tables and hosts; keys move about. */
import { expect, host, open, test } from "./support/page";

for (const [typed, kind, check] of [
  ["processes", "view", "h1:has-text('Processes')"],
  ["iowait", "metric", "#chart-cpu"],
  ["disk queue", "metric", "#chart-disk-queue"],
  ["dead letters", "table", "#table-dead_letters"],
  ["replay lag", "metric", "h1:has-text('Replication')"],
  ["network interfaces", "table", "#table-interfaces"],
] as const) {
  test(`the palette finds the ${kind} “${typed}”`, async ({ page }) => {
    await open(page, "now", { host: host("calm") });
    await page.keyboard.press("Control+k");
    const field = page.getByRole("combobox", { name: /^Search/ });
    await expect(field).toBeFocused();
    await field.fill(typed);
    await page
      .getByRole("option", { name: new RegExp(`^${kind}`) })
      .first()
      .click();
    await expect(page.locator(check)).toBeInViewport();
  });
}

test("the palette finds rows, ranges and what can be set", async ({ page }) => {
  await open(page, "now", { host: host("broken") });
  for (const [typed, kind, url, check] of [
    ["last 6 h", "range", /from=now-6h/, "h1:has-text('Now')"],
    ["dark theme", "do", /./, "html[data-theme=dark]"],
    ["customer", "statement", /queries.*sel=/, "#table-statements .statement"],
    ["orders", "relation", /tables.*q=/, "#table-tables, #table-indexes"],
    ["spare", "server", /f\.instance=spare/, "h1:has-text('PostgreSQL')"],
    ["edge", "target", /f\.target=edge/, "h1:has-text('API')"],
  ] as const) {
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: /^Search/ }).fill(typed);
    await page
      .getByRole("option", { name: new RegExp(`^${kind}`) })
      .first()
      .click();
    await expect(page).toHaveURL(url);
    await expect(page.locator(check).first()).toBeVisible();
  }
});

test("the palette changes the host by keyboard alone; Esc closes it", async ({ page }) => {
  await open(page, "now", { host: host("calm") });
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Escape");
  await expect(page.locator("dialog")).toHaveCount(0);
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: /^Search/ }).fill("host sick");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`host=${host("sick")}\\b`));
  await expect(page.locator(".verdict")).toHaveClass(/critical/);
});

test("Esc lets go of a palette that is still loading", async ({ page }) => {
  await open(page, "now", { host: host("calm") });
  // Everything else is there, so the next file asked for is the palette.
  await expect(page.locator("canvas").first()).toBeVisible();
  let arrive = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  await page.route(/\/assets\/.*\.js/, async (route) => {
    await held;
    await route.continue();
  });
  const asked = page.waitForRequest(/\/assets\/.*\.js/);
  await page.keyboard.press("Control+k");
  await asked;
  await page.keyboard.press("Escape");
  const loaded = page.waitForResponse(/\/assets\/.*\.js/);
  arrive();
  await (await loaded).finished();
  // The module runs before the question below is answered.
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 100)));
  await expect(page.locator("dialog")).toHaveCount(0);
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: /^Search/ })).toBeFocused();
});

test("letters go to views, ? shows the sheet, and typing in a field is typing", async ({ page }) => {
  await open(page, "now", { host: host("crowd") });
  await page.keyboard.press("g");
  await page.keyboard.press("p");
  await expect(page.locator("h1")).toHaveText("Processes");
  await expect(page.locator("#table-processes tbody tr").first()).toBeVisible();
  await page.keyboard.press("/");
  await page.keyboard.type("g s");
  await expect(page.locator("h1")).toHaveText("Processes");
  await expect(page.locator("#table-processes").getByRole("searchbox")).toHaveValue("g s");
  await page.locator("h1").focus();
  await page.keyboard.press("?");
  await expect(page.getByRole("heading", { name: "Keyboard shortcuts and gestures" })).toBeVisible();
});
