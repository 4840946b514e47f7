/** What a page may cost. Bytes, requests, nodes and memory are limits; times are only printed. */
import type { CDPSession, Page } from "@playwright/test";
import { expect, host, open, REFRESH, settled, sql, test } from "./support/page";

interface Cost {
  requests: number;
  bytes: number;
  byKind: Record<string, number>;
  countOf: Record<string, number>;
}

/** Counts what goes over the wire, headers included. */
async function meter(page: Page): Promise<{ cost: Cost; cdp: CDPSession; reset(): void }> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Network.enable");
  const cost: Cost = { requests: 0, bytes: 0, byKind: {}, countOf: {} };
  const urls = new Map<string, string>();
  cdp.on("Network.requestWillBeSent", ({ requestId, request }) => {
    if (request.url.startsWith("http")) urls.set(requestId, new URL(request.url).pathname);
  });
  cdp.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const path = urls.get(requestId);
    if (path === undefined) return;
    const kind = /\.(js|css)$/.exec(path)?.[1] ?? /v1\/(\w+)/.exec(path)?.[1] ?? "html";
    cost.requests += 1;
    cost.bytes += encodedDataLength;
    cost.byKind[kind] = (cost.byKind[kind] ?? 0) + encodedDataLength;
    cost.countOf[kind] = (cost.countOf[kind] ?? 0) + 1;
  });
  return { cost, cdp, reset: () => Object.assign(cost, { requests: 0, bytes: 0, byKind: {}, countOf: {} }) };
}

const print = (what: string, value: unknown): void =>
  void process.stdout.write(`    ${what}: ${JSON.stringify(value)}\n`);

test("the first screen: bytes, requests and layout", async ({ page }) => {
  const { cost } = await meter(page);
  // A stream without events: a sample that arrives meanwhile is asked for like any later one, and belongs to no first screen.
  await page.route(/\/events/, (route) =>
    route.fulfill({ contentType: "text/event-stream", body: "retry: 600000\n\n: listening\n\n" }),
  );
  await page.addInitScript(() => {
    const shifts = { sum: 0 };
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as unknown as { value: number; hadRecentInput: boolean }[]) {
        if (!entry.hadRecentInput) shifts.sum += entry.value;
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  await open(page, "now", { host: host("calm") });
  // What is drawn behind the lines comes after the charts: with it, the count does not depend on who is faster.
  await page.waitForLoadState("networkidle");
  const times = await page.evaluate(() => ({
    paintMs: Math.round(performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0),
    shift: (window as unknown as { shifts: { sum: number } }).shifts.sum,
  }));
  print("first screen", { ...cost, ...times });
  const { js = 0, css = 0, html = 0, now = 0 } = cost.byKind;
  // With headers: all that the first view runs, and what draws bands behind its charts.
  expect(js).toBeLessThan(61_500);
  expect(css).toBeLessThan(10_500);
  expect(html).toBeLessThan(3_000);
  expect(now).toBeLessThan(6 * 1024 + 1000);
  // Twenty until the charts are drawn, then what draws bands and the bands of up to two charts.
  expect(cost.requests - (cost.countOf.events ?? 0)).toBeLessThanOrEqual(23);
  expect(times.shift).toBeLessThan(0.05);
});

test("a refresh asks for the state and for increments, and little else", async ({ page }) => {
  // Four refreshes, each up to the interval of polling apart.
  test.slow();
  await open(page, "now", { host: host("calm") });
  const { cost, reset } = await meter(page);
  let refreshes = 0;
  page.on("request", (request) => {
    if (REFRESH.test(request.url())) refreshes += 1;
  });
  const asked = (): Promise<unknown> => page.waitForResponse((one) => REFRESH.test(one.url()));
  // The other charts of a refresh are answered right after the one that is looked for.
  const answered = async (one: Promise<unknown>): Promise<void> => {
    await one;
    await page.waitForTimeout(700);
  };
  await answered(asked());
  reset();
  refreshes = 0;
  for (let round = 0; round < 3; round += 1) {
    const next = asked();
    sql(`SELECT e2e.put(${host("calm")}, ARRAY[clock_timestamp()])`);
    await answered(next);
  }
  const { series: alone = 0, batch = 0 } = cost.byKind;
  const series = (alone + batch) / refreshes;
  print("per refresh", {
    refreshes,
    requests: cost.requests / refreshes,
    seriesBytes: Math.round(series),
    byKind: cost.byKind,
  });
  expect(cost.requests / refreshes).toBeLessThanOrEqual(4);
  // One refresh is one answer of the state and the increments of all charts.
  const { now = 0 } = cost.byKind;
  const { now: states = 1 } = cost.countOf;
  expect(series + now / states).toBeLessThan(5 * 1024);
});

test("idle data answer 304", async ({ page }) => {
  // A host that is silent: nothing changes, so nothing is sent.
  await open(page, "now", { host: host("silent") });
  const refresh = async (): Promise<number[]> => {
    const answered = page.waitForResponse((one) => REFRESH.test(one.url()));
    await page.keyboard.press("r");
    const answer = await answered;
    const { answers = [{ status: answer.status() }] } = (await answer.json().catch(() => ({}))) as {
      answers?: { status: number }[];
    };
    return answers.map(({ status }) => status);
  };
  // The first question with a cursor has no tag to compare yet.
  await refresh();
  const statuses: number[] = [];
  for (let round = 0; round < 12; round += 1) statuses.push(...(await refresh()));
  const unchanged = statuses.filter((status) => status === 304).length;
  print("idle", { answers: statuses.length, unchanged });
  expect(statuses.length).toBeGreaterThanOrEqual(24);
  expect(unchanged / statuses.length).toBeGreaterThan(0.8);
});

test("120 refreshes leave nodes, listeners and memory where they were", async ({ page }) => {
  test.setTimeout(300_000);
  await open(page, "system", { host: host("calm") });
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable");
  const measure = async (): Promise<{ heap: number; nodes: number; listeners: number }> => {
    for (let round = 0; round < 3; round += 1) await cdp.send("HeapProfiler.collectGarbage");
    const { metrics } = await cdp.send("Performance.getMetrics");
    const value = (name: string): number => metrics.find((one) => one.name === name)?.value ?? 0;
    return { heap: value("JSHeapUsedSize"), nodes: value("Nodes"), listeners: value("JSEventListeners") };
  };
  const refresh = async (): Promise<void> => {
    const answered = page.waitForResponse((one) => REFRESH.test(one.url()));
    await page.keyboard.press("r");
    await answered;
  };
  for (let round = 0; round < 20; round += 1) await refresh();
  const before = await measure();
  for (let round = 0; round < 120; round += 1) await refresh();
  const after = await measure();
  print("120 refreshes", { before, after });
  expect(after.heap - before.heap).toBeLessThan(3_000_000);
  expect(after.heap).toBeLessThan(25_000_000);
  expect(after.nodes - before.nodes).toBeLessThan(150);
  expect(after.listeners - before.listeners).toBeLessThan(20);
});

test("going through all views again and again keeps nothing", async ({ page }) => {
  test.setTimeout(240_000);
  await open(page, "now", { host: host("calm") });
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable");
  const nodes = async (): Promise<number> => {
    // As much of the view as is on the screen: all that its last round drew, not what was drawn so far.
    await settled(page);
    await expect(page.locator("#chart-cpu canvas")).toBeVisible();
    for (let round = 0; round < 3; round += 1) await cdp.send("HeapProfiler.collectGarbage");
    const { metrics } = await cdp.send("Performance.getMetrics");
    return metrics.find((one) => one.name === "Nodes")?.value ?? 0;
  };
  const tour = async (): Promise<void> => {
    for (const [key, title] of [
      ["s", "System"],
      ["p", "Processes"],
      ["c", "Collector"],
      ["n", "Now"],
    ] as const) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await expect(page.locator("h1")).toHaveText(title);
      await page.waitForFunction(() => document.querySelector("canvas, table") !== null);
    }
  };
  for (let round = 0; round < 2; round += 1) await tour();
  const before = await nodes();
  for (let round = 0; round < 6; round += 1) await tour();
  const after = await nodes();
  print("six tours, nodes", { before, after });
  expect(after - before).toBeLessThan(400);
});

test("a wall of rows stays within its nodes", async ({ page }) => {
  await open(page, "processes", { host: host("crowd") });
  const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
  print("processes view, elements", nodes);
  expect(nodes).toBeLessThan(2_500);
});
