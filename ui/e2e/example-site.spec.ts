/** The example site of `pqcrypta up --demo`, clicked through by a visitor, appears in *Traffic* as it was. */
import type { Browser, Page } from "@playwright/test";
import { expect, open, scrollTo, type TableAnswer, test, unfold } from "./support/page";
import { type Server, startServer, stopServer } from "./support/server";

test.describe.configure({ mode: "serial" });

let server: Server;
test.beforeAll(async () => {
  server = await startServer("site", "", true);
});
test.afterAll(() => stopServer(server));

/** Windows of a person: without a window, a browser says so, and is taken for a program. */
const PERSON =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36";

/** What reaches the server is acknowledged before the next step, so that order is not left to chance. */
async function acknowledged(page: Page, step: () => Promise<unknown>): Promise<void> {
  const answer = page.waitForResponse((one) => new URL(one.url()).pathname === "/e" && one.status() === 202);
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

async function rows(table: string): Promise<TableAnswer["rows"]> {
  const answer = await fetch(`${server.url}api/v1/table/traffic_${table}?site=shop.example&limit=100`);
  return ((await answer.json()) as TableAnswer).rows;
}

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
    await acknowledged(visitor, () => visitor.getByRole("button", { name: "Add to cart" }).click());
    await acknowledged(visitor, () => visitor.goto(`${server.site}stove/`));
    expect(await visitor.evaluate(() => [localStorage.length, sessionStorage.length])).toEqual([0, 0]);
  });
  // A browser without a window is a program.
  const program = await (await browser.newContext()).newPage();
  await acknowledged(program, () => program.goto(server.site));
  await program.context().close();

  await expect
    .poll(async () => (await rows("pages")).map((row) => row.id.split("\u001f")[0]).sort())
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
  // The program was refused, and is told about.
  const live = await fetch(`${server.url}api/v1/traffic/live?site=shop.example`);
  expect(await live.text()).toContain("headless");
});
