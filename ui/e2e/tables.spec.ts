/** Tables: exports, and text that means harm. */
import { readFile } from "node:fs/promises";
import { expect, host, open, scrollTo, test } from "./support/page";

/** RFC 4180, strictly. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] ?? "";
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (sign === '"') quoted = true;
    else if (sign === ",") {
      row.push(cell);
      cell = "";
    } else if (sign === "\r" && text[at + 1] === "\n") {
      rows.push([...row, cell]);
      row = [];
      cell = "";
      at += 1;
    } else cell += sign;
  }
  return rows;
}

test("CSV holds exactly the filtered rows, raw", async ({ page }) => {
  await open(page, "processes", { host: host("crowd"), "f.issue": "cpu", q: "task-7", sort: "-cpu_pct" });
  const table = page.locator("#table-processes");
  await expect(table.locator(".count")).toHaveText("10 of 80");
  const names = await table.locator("tbody .row-button").allInnerTexts();
  const download = page.waitForEvent("download");
  await table.getByRole("link", { name: "CSV" }).click();
  const rows = parseCsv(await readFile(await (await download).path(), "utf8"));
  expect(rows.slice(1).map((row) => row[0])).toEqual(names.map((name) => name.trim()));
  expect(rows).toHaveLength(11);
  expect(rows[0]).toContain("rss_bytes");
  const cpu = rows[0]?.indexOf("cpu_pct") ?? -1;
  expect(Number(rows[1]?.[cpu])).toBe(79);
});

test("formulas in names are neutralised in CSV", async ({ page }) => {
  await open(page, "processes", { host: host("hostile") });
  const answer = await page.request.get(
    `../api/v1/table/processes?host=${host("hostile")}&format=csv`.replace(
      "../",
      new URL(".", page.url()).href.replace(/v\/$/, ""),
    ),
  );
  expect(answer.headers()["content-type"]).toContain("text/csv");
  const rows = parseCsv(await answer.text());
  expect(rows).toHaveLength(7);
  for (const row of rows.slice(1)) {
    for (const cell of row)
      expect(
        /^[=+@\t\r]/.test(cell) || (/^-/.test(cell) && Number.isNaN(Number(cell))),
        cell.slice(0, 40),
      ).toBe(false);
  }
  expect(rows.some((row) => row[0]?.startsWith("'=HYPERLINK"))).toBe(true);
});

test("hostile names are inert text: no element, no script, no foreign request, no page too wide", async ({
  page,
}) => {
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 900 });
    await open(page, "processes", { host: host("hostile") });
    const table = page.locator("#table-processes");
    await scrollTo(page, table);
    await expect(table.locator("tbody tr")).toHaveCount(6);
    await expect(table).toContainText("<img src=x onerror=");
    expect(await page.locator("img, iframe, script:not([src])").count()).toBe(0);
    expect(await page.evaluate(() => "hacked" in window)).toBe(false);
    // A name of 100 KB is cut on the screen.
    expect((await table.innerText()).length).toBeLessThan(8000);
    // Text that runs right to left stays within its own cell.
    await expect(table.locator("bdi").first()).toBeAttached();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await table.locator("tbody tr", { hasText: "<img" }).locator(".row-button").click();
    await expect(page.locator("h2", { hasText: "<img" })).toBeVisible();
    expect(await page.evaluate(() => "hacked" in window)).toBe(false);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }
});

test("a host and a search in the address that mean harm are text or refused", async ({ page, watch }) => {
  watch.allow(/status of 4\d\d/);
  await open(page, "processes", { host: host("crowd"), q: '"><script>window.hacked=1</script>' });
  await expect(page.getByText("None of 80 rows match.")).toBeVisible();
  await page.goto(page.url().replace(/v\/.*/, "v/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"));
  await expect(page.locator("h1")).toHaveText("No such view");
  expect(await page.locator("img").count()).toBe(0);
  expect(await page.evaluate(() => "hacked" in window)).toBe(false);
});

test("a process's own history opens beside its row and closes to where it was", async ({ page }) => {
  await open(page, "processes", { host: host("crowd") });
  const button = page.locator("#table-processes tbody tr", { hasText: "task-80" }).locator(".row-button");
  await button.focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/sel=1080\.5080/);
  await expect(page.locator("#chart-one-cpu canvas")).toBeVisible();
  await page.getByRole("button", { name: "Close" }).click();
  await expect(button).toBeFocused();
});

test("columns can be hidden, and stay so", async ({ page }) => {
  await open(page, "processes", { host: host("crowd") });
  const head = page.locator("#table-processes thead");
  await expect(head).toContainText("Parent");
  await page.getByRole("button", { name: "Columns of Processes" }).click();
  await page.getByRole("checkbox", { name: /^Parent/ }).uncheck();
  await page.keyboard.press("Escape");
  await expect(head).not.toContainText("Parent");
  await page.reload();
  await expect(page.locator("#table-processes tbody tr").first()).toBeVisible();
  await expect(head).not.toContainText("Parent");
});
