/** The example site of `pqcrypta up --demo`, clicked through by a visitor, appears in *Traffic* as it was. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "@playwright/test";
import { expect, open, scrollTo, type TableAnswer, test, unfold } from "./support/page";
import { pidOf, type Server, startServer, stopServer } from "./support/server";

// Servers of their own: with a database that is made, a receiver, a site, and what these store in their turns.
test.describe.configure({ mode: "serial", timeout: 180_000 });

/** Windows of a person: without a window, a browser says so, and is taken for a program. */
const PERSON =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36";

/**
 * What a step sends is acknowledged before the next one, so that order is not left to chance. The page that a step leaves
 * reports its engagement, too, whose answer is not that of the step.
 */
async function acknowledged(
  page: Page,
  step: () => Promise<unknown>,
  type: "view" | "event" = "view",
): Promise<void> {
  const answer = page.waitForResponse(
    (one) =>
      new URL(one.url()).pathname === "/e" &&
      one.status() === 202 &&
      (one.request().postData() ?? "").includes(`"type":"${type}"`),
  );
  await step();
  await answer;
}

async function visitAsPerson(browser: Browser, visit: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext({
    userAgent: PERSON,
    locale: "de-DE",
    viewport: { width: 1280, height: 800 },
  });
  try {
    await visit(await context.newPage());
    expect((await context.storageState()).cookies).toEqual([]);
  } finally {
    await context.close();
  }
}

async function rows(server: Server, table: string): Promise<TableAnswer["rows"]> {
  const answer = await fetch(`${server.url}api/v1/table/traffic_${table}?site=shop.example&limit=100`);
  return ((await answer.json()) as TableAnswer).rows;
}

test.describe("without asking", () => {
  let server: Server;
  test.beforeAll(async () => {
    server = await startServer("site", "", true);
  });
  test.afterAll(() => stopServer(server));

  test("a visit with an event and a page that is missing is in every panel; programs are not counted", async ({
    page,
    browser,
    watch,
  }) => {
    watch.allow(/404/);
    await visitAsPerson(browser, async (visitor) => {
      await acknowledged(visitor, () => visitor.goto(`${server.site}?utm_source=letter&utm_campaign=spring`));
      await acknowledged(visitor, () => visitor.getByRole("link", { name: "See all kettles" }).click());
      await acknowledged(visitor, () => visitor.getByRole("link", { name: "Copper kettle" }).click());
      await acknowledged(
        visitor,
        () => visitor.getByRole("button", { name: "Add to cart" }).click(),
        "event",
      );
      await acknowledged(visitor, () => visitor.goto(`${server.site}stove/`));
      expect(await visitor.evaluate(() => [localStorage.length, sessionStorage.length])).toEqual([0, 0]);
    });
    // A browser without a window is a program.
    const program = await (await browser.newContext()).newPage();
    await acknowledged(program, () => program.goto(server.site));
    await program.context().close();

    await expect
      .poll(async () => (await rows(server, "pages")).map((row) => row.id.split("\u001f")[0]).sort())
      .toEqual(["/", "/kettles/", "/kettles/copper/", "/stove/"]);
    await open(page, "traffic", { site: "shop.example" }, server.url);
    const figures = page.getByRole("region", { name: "Figures" });
    await expect(figures.locator(".card", { hasText: /^Visits/ }).locator(".card-value")).toHaveText("1");
    await expect(figures.locator(".card", { hasText: /^Views(?! per)/ }).locator(".card-value")).toHaveText(
      "4",
    );
    const pages = page.locator("#table-traffic_pages");
    await scrollTo(page, pages);
    await expect(pages).toContainText("Copper kettle");
    await expect(page.locator("#table-traffic_devices")).toContainText("desktop");
    await unfold(page, "Pages:");
    await scrollTo(page, page.locator("#table-traffic_missing"));
    await expect(page.locator("#table-traffic_missing tbody")).toContainText("/stove/");
    await unfold(page, "Sources:");
    await scrollTo(page, page.locator("#table-traffic_campaigns"));
    await expect(page.locator("#table-traffic_campaigns tbody")).toContainText("spring");
    await unfold(page, "Visitors:");
    await scrollTo(page, page.locator("#table-traffic_browsers"));
    await expect(page.locator("#table-traffic_browsers tbody")).toContainText("Chrome");
    await scrollTo(page, page.locator("#table-traffic_languages"));
    await expect(page.locator("#table-traffic_languages tbody")).toContainText("de-DE");
    await unfold(page, "Goals:");
    await scrollTo(page, page.locator("#table-traffic_props"));
    await expect(page.locator("#table-traffic_props tbody")).toContainText("copper");
    // The program was refused, and is told about with what to do, beside the figures.
    await unfold(page, "Not counted in the last hour");
    const refused = page.getByRole("region", { name: "Not counted, last hour", exact: true });
    await expect(refused).toContainText("headless");
    await expect(refused).toContainText("Nothing: crawlers are not visitors.");
    // What the receiver says of itself has its place even before it was asked twice.
    await unfold(page, "Receiver:");
    await expect(page.getByRole("region", { name: "Receiver" })).toContainText("Queue used");
    for (const chart of ["traffic-site", "traffic-accepted", "traffic-refused", "traffic-queue"]) {
      await scrollTo(page, page.locator(`#chart-${chart}`));
      await expect(page.locator(`#chart-${chart}`)).toBeVisible();
    }
  });
});

/** Pages that ask: the example site's own, with the attribute that its owner would write, set before the tracker begins. */
async function ask(page: Page): Promise<void> {
  await page.addInitScript(() => {
    // Deferred scripts begin after this event.
    document.addEventListener(
      "readystatechange",
      () => document.querySelector("script[data-site]")?.setAttribute("data-consent", "ask"),
      { once: true },
    );
  });
}

test.describe("with consent", () => {
  let server: Server;
  test.beforeAll(async () => {
    server = await startServer("consent", "", true);
    // The owner makes it a site that asks, and has the receiver read that.
    const settings = join(server.state, "settings.toml");
    const text = readFileSync(settings, "utf8");
    const domain = 'domain = "shop.example"';
    expect(text).toContain(domain);
    writeFileSync(settings, text.replace(domain, `${domain}\nconsent = "consented"`));
    process.kill(pidOf(server, "pqcrypta-analytics"), "SIGHUP");
    await expect.poll(() => readFileSync(`${server.state}.log`, "utf8")).toContain("setting changed");
  });
  test.afterAll(() => stopServer(server));

  test("what came before is nobody's, what follows is a visit in every panel", async ({
    page,
    browser,
    watch,
  }) => {
    watch.allow(/404/);
    await visitAsPerson(browser, async (visitor) => {
      await ask(visitor);
      await acknowledged(visitor, () => visitor.goto(`${server.site}?utm_source=letter&utm_campaign=spring`));
      expect(await visitor.evaluate(() => sessionStorage.length)).toBe(0);
      await acknowledged(visitor, () => visitor.evaluate(() => window.pqcrypta.consent(true)));
      expect(await visitor.evaluate(() => [localStorage.length, sessionStorage.length])).toEqual([0, 1]);
      await acknowledged(visitor, () => visitor.getByRole("link", { name: "See all kettles" }).click());
      await acknowledged(visitor, () => visitor.getByRole("link", { name: "Copper kettle" }).click());
      await acknowledged(
        visitor,
        () => visitor.getByRole("button", { name: "Add to cart" }).click(),
        "event",
      );
      await acknowledged(visitor, () => visitor.goto(`${server.site}stove/`));
      await visitor.evaluate(() => window.pqcrypta.consent(false));
      expect(await visitor.evaluate(() => sessionStorage.length)).toBe(0);
    });

    await expect
      .poll(async () => (await rows(server, "pages")).map((row) => row.id.split("\u001f")[0]).sort())
      .toEqual(["/", "/kettles/", "/kettles/copper/", "/stove/"]);
    await open(page, "traffic", { site: "shop.example" }, server.url);
    const figures = page.getByRole("region", { name: "Figures" });
    await expect(figures.locator(".card", { hasText: /^Visits/ }).locator(".card-value")).toHaveText("1");
    await expect(figures.locator(".card", { hasText: /^Views(?! per)/ }).locator(".card-value")).toHaveText(
      "4",
    );
    await scrollTo(page, page.locator("#table-traffic_pages"));
    await expect(page.locator("#table-traffic_pages")).toContainText("Copper kettle");
    await expect(page.locator("#table-traffic_devices")).toContainText("desktop");
    await unfold(page, "Pages:");
    for (const [table, text] of [
      ["entries", "/"],
      ["exits", "/stove/"],
      ["missing", "/stove/"],
    ]) {
      await scrollTo(page, page.locator(`#table-traffic_${table}`));
      await expect(page.locator(`#table-traffic_${table} tbody`)).toContainText(text ?? "");
    }
    await unfold(page, "Sources:");
    await scrollTo(page, page.locator("#table-traffic_campaigns"));
    await expect(page.locator("#table-traffic_campaigns tbody")).toContainText("spring");
    await unfold(page, "Visitors:");
    for (const [table, text] of [
      ["browsers", "Chrome"],
      ["languages", "de-DE"],
    ]) {
      await scrollTo(page, page.locator(`#table-traffic_${table}`));
      await expect(page.locator(`#table-traffic_${table} tbody`)).toContainText(text ?? "");
    }
    await scrollTo(page, page.locator("#table-traffic_consent"));
    const consent = page.locator("#table-traffic_consent tbody tr").first();
    await expect(consent).toContainText("1");
    const [told] = await rows(server, "consent");
    // Consented, cookieless, visits, views of nobody: the one before the question, and the one that the withdrawal counts anew.
    expect(told?.cells.slice(1, 4)).toEqual([1, 0, 1]);
    expect(Number(told?.cells[4])).toBeGreaterThanOrEqual(1);
    await unfold(page, "Goals:");
    await scrollTo(page, page.locator("#table-traffic_props"));
    await expect(page.locator("#table-traffic_props tbody")).toContainText("copper");
  });
});
