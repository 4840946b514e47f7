/** Several pages of one browser, and pages that nobody sees. */
import type { BrowserContext, Page, Request } from "@playwright/test";
import { at, expect, host, open, REFRESH, settled, sql, test } from "./support/page";

/** Lets a page be hidden and shown: a headless browser never hides one by itself. */
async function makeHideable(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    let state: DocumentVisibilityState = "visible";
    Object.defineProperty(document, "visibilityState", { get: () => state });
    Object.assign(window, {
      setVisibility: (next: DocumentVisibilityState) => {
        state = next;
        document.dispatchEvent(new Event("visibilitychange"));
      },
    });
  });
}
const show = (page: Page, state: DocumentVisibilityState): Promise<void> =>
  page.evaluate(
    (next) => (window as unknown as { setVisibility(state: string): void }).setVisibility(next),
    state,
  );

const isStream = (request: Request): boolean => request.url().includes("/events");

test("a hidden page asks nothing while samples arrive; shown again it catches up", async ({
  page,
  context,
}) => {
  await makeHideable(context);
  await open(page, "now", { host: host("calm") });
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await show(page, "hidden");
  const watcher = await context.newPage();
  await open(watcher, "now", { host: host("calm") });
  requests.length = 0;
  // Three samples, as the other page sees them arrive.
  for (let round = 0; round < 3; round += 1) {
    const answer = watcher.waitForResponse((one) => REFRESH.test(one.url()));
    sql(`SELECT e2e.put(${host("calm")}, ARRAY[clock_timestamp()])`);
    await answer;
  }
  expect(requests).toEqual([]);
  const caughtUp = page.waitForResponse((one) => /\/now/.test(one.url()));
  await show(page, "visible");
  await caughtUp;
});

test("eight pages load and share one stream; when its holder closes another takes over", async ({
  context,
}) => {
  test.slow();
  const streams: Request[] = [];
  context.on("request", (request) => {
    if (isStream(request)) streams.push(request);
  });
  const pages: Page[] = [];
  for (let count = 0; count < 8; count += 1) {
    const page = await context.newPage();
    await page.goto(at("now", { host: host("calm") }));
    pages.push(page);
  }
  for (const page of pages) await settled(page);
  expect(streams).toHaveLength(1);
  const leader = pages.find((page) => streams[0]?.frame().page() === page);
  const takeover = context.waitForEvent("request", isStream);
  await leader?.close();
  await takeover;
  expect(streams).toHaveLength(2);
  for (const page of pages.filter((one) => one !== leader)) {
    await expect(page.locator("button.live.on")).toBeVisible();
  }
});

test("a stream that breaks off is not a failure: polling goes on", async ({ page, watch }) => {
  watch.allow(/events|ERR_FAILED/);
  await page.route(/\/events/, (route) => route.abort());
  await open(page, "now", { host: host("calm") });
  const polls = page.waitForResponse((one) => /\/api\/v1\/now/.test(one.url()), { timeout: 20_000 });
  await polls;
  await expect(page.locator("button.live.on")).toBeVisible();
});
