/** API and proxy: what users get, what failed, and a target that is gone. */
import { expect, host, open, scrollTo, settled, test, unfold } from "./support/page";

test("errors, latency and the database behind are judged by the registry", async ({ page }) => {
  await open(page, "api", { host: host("broken"), "f.target": "api" });
  for (const label of ["Error ratio", "p95", "Database response time", "Database cache hit ratio"]) {
    const card = page
      .getByRole("region", { name: "API, latest values" })
      .locator(".card", { hasText: label });
    await expect(card.first()).toHaveClass(/critical/);
  }
  await expect(page.locator("#chart-api-status .legend")).toContainText("5xx");
  await page.getByRole("tab", { name: /^proxy/ }).click();
  await expect(page).toHaveURL(/f\.target=proxy/);
  await scrollTo(page, page.locator("#chart-protocols"));
  await expect(page.locator("#chart-protocols .legend")).toContainText("HTTP/3");
  await expect(page.getByRole("region", { name: "Proxy, latest values" })).toContainText("75 %");
});

test("a histogram is shown as shares between its bounds, and as shares within each", async ({ page }) => {
  await open(page, "api", { host: host("broken"), "f.target": "api" });
  await unfold(page, "Response time distribution");
  const spread = page.locator("#chart-api-spread");
  await scrollTo(page, spread);
  // Of 50 answers 30 within 50 ms, 42 within 100 ms, 48 within a second.
  await expect(spread.getByRole("slider")).toHaveAttribute(
    "aria-valuetext",
    /> 1\ss 4\s% \(100\s% in total\), ≤ 1\ss 2\s% .*≤ 100\sms 24\s% \(84\s% in total\), ≤ 50\sms 60\s% \(60\s% in total\)$/,
  );
  await page.getByRole("tab", { name: /^proxy/ }).click();
  await unfold(page, "Response time distribution");
  const none = page.locator("#chart-proxy-spread");
  await scrollTo(page, none);
  await expect(none).toContainText("no latency histogram");
});

test("endpoints by status: only statuses that occur have a column, under their class", async ({ page }) => {
  await open(page, "api", { host: host("broken"), "f.target": "api" });
  const table = page.locator("#table-endpoints");
  await scrollTo(page, table);
  const head = table.locator("thead tr").last().locator("th button");
  await expect(head.filter({ hasText: /^(4|5)\d\d/ })).toHaveText([/401/, /404/, /429/, /500/, /503/]);
  await expect(table.locator("thead .groups th")).toHaveText(["Client errors", "Server errors"]);
  await expect(table.locator("td.shade").first()).toBeVisible();
  await expect(table.locator("tbody tr").first()).toContainText("/v1/orders");
  await expect(table).toContainText("<script>alert(1)</script>");
  await table.locator(".filters").getByRole("button", { name: /^503/ }).click();
  await expect(page).toHaveURL(/f\.status=503/);
  await expect(table.locator("tbody tr")).toHaveCount(1);
});

test("recent failures are filtered by a click on a status", async ({ page }) => {
  await open(page, "api", { host: host("broken"), "f.target": "api" });
  const table = page.locator("#table-failures");
  await scrollTo(page, table);
  await expect(table.locator(".count")).toHaveText("100");
  await table.locator(".filters").getByRole("button", { name: /^401/ }).click();
  await expect(table.locator("tbody tr").first()).toContainText("/v1/login");
  await expect(table.locator("tbody")).not.toContainText("/v1/orders");
});

test("a target that is gone shows why and shows no figure", async ({ page }) => {
  await open(page, "api", { host: host("broken"), "f.target": "edge" });
  await expect(page.locator(".banner.critical")).toContainText(
    "edge does not answer. no answer from 127.0.0.1:9182",
  );
  await expect(page.getByRole("region", { name: "Proxy, latest values" })).toHaveCount(0);
  await expect(page.locator("figure.chart")).toHaveCount(0);
  await page.getByRole("tab", { name: /edge/ }).press("ArrowRight");
  await expect(page.getByRole("tab", { name: /^proxy/ })).toHaveAttribute("aria-selected", "true");
  await expect(page.getByRole("region", { name: "Proxy, latest values" })).toBeVisible();
});

test("without any target or server the views say what to do", async ({ page }) => {
  await open(page, "api", { host: host("calm") });
  await expect(page.locator("main")).toContainText("No API or proxy is scraped");
  for (const view of ["postgres", "tables", "queries", "replication"]) {
    await open(page, view, { host: host("calm") });
    await settled(page);
    await expect(page.locator("main")).toContainText("No PostgreSQL server is monitored on this host");
  }
});
