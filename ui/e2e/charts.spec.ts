/** What a chart must not hide and must not invent. */
import { api, expect, host, open, type SeriesAnswer, scrollTo, sql, test } from "./support/page";

/** Whether the colour of a chart's first line is found in columns of its plot: one answer per column. */
function columnsWithLine(figure: Element, shares: [number, number]): boolean[] {
  const canvas = figure.querySelector("canvas");
  const over = figure.querySelector(".u-over");
  const context = canvas?.getContext("2d");
  if (!canvas || !over || !context) throw new Error("the chart has no canvas");
  const ratio = canvas.width / canvas.clientWidth;
  const base = canvas.getBoundingClientRect();
  const box = over.getBoundingClientRect();
  const probe = document.createElement("i");
  probe.style.color = "var(--s1)";
  document.body.append(probe);
  const [red = 0, green = 0, blue = 0] = (getComputedStyle(probe).color.match(/\d+/g) ?? []).map(Number);
  probe.remove();
  const left = Math.round((box.left - base.left + box.width * shares[0]) * ratio);
  const width = Math.round(box.width * (shares[1] - shares[0]) * ratio);
  const top = Math.round((box.top - base.top) * ratio);
  const height = Math.round(box.height * ratio);
  const { data } = context.getImageData(left, top, width, height);
  return Array.from({ length: width }, (_, x) => {
    for (let y = 0; y < height; y += 1) {
      const at = (y * width + x) * 4;
      const far =
        Math.abs((data[at] ?? 0) - red) +
        Math.abs((data[at + 1] ?? 0) - green) +
        Math.abs((data[at + 2] ?? 0) - blue);
      if (far < 30 && (data[at + 3] ?? 0) > 80) return true;
    }
    return false;
  });
}

/** The least share of the plot's height, from its top, at which the first line's colour is found. */
function topOfLine(figure: Element): number {
  const canvas = figure.querySelector("canvas");
  const over = figure.querySelector(".u-over");
  const context = canvas?.getContext("2d");
  if (!canvas || !over || !context) throw new Error("the chart has no canvas");
  const ratio = canvas.width / canvas.clientWidth;
  const base = canvas.getBoundingClientRect();
  const box = over.getBoundingClientRect();
  const probe = document.createElement("i");
  probe.style.color = "var(--s1)";
  document.body.append(probe);
  const [red = 0, green = 0, blue = 0] = (getComputedStyle(probe).color.match(/\d+/g) ?? []).map(Number);
  probe.remove();
  const width = Math.round(box.width * ratio);
  const height = Math.round(box.height * ratio);
  const { data } = context.getImageData(
    Math.round((box.left - base.left) * ratio),
    Math.round((box.top - base.top) * ratio),
    width,
    height,
  );
  for (let at = 0; at < data.length; at += 4) {
    const far =
      Math.abs((data[at] ?? 0) - red) +
      Math.abs((data[at + 1] ?? 0) - green) +
      Math.abs((data[at + 2] ?? 0) - blue);
    if (far < 60 && (data[at + 3] ?? 0) > 80) return Math.floor(at / 4 / width) / height;
  }
  return 1;
}

test("one high sample in seven days is seen in the picture, the table and the sentence", async ({ page }) => {
  await open(page, "system", { host: host("spiky"), from: "now-7d", to: "now" });
  const figure = page.locator("#chart-load");
  await scrollTo(page, figure);
  await expect(figure.locator("canvas")).toBeVisible();
  await expect(figure.locator("figcaption")).toContainText("highest 77");
  // The scale ends just above the spike, so its stroke begins in the uppermost tenth.
  await expect.poll(() => figure.evaluate(topOfLine)).toBeLessThan(0.12);
  await figure.getByRole("button", { name: /as table/ }).click();
  await expect(figure.locator(".chart-table")).toContainText("– 77");
});

const start = (): number =>
  Number(
    sql(
      `SELECT extract(epoch FROM min(ts)) * 1000 FROM collector.system_metrics_raw WHERE host_id = ${host("ragged")}`,
    )[0]?.[0],
  );
const MINUTE = 60_000;

test("a gap is shown as a gap: not joined, marked, and named", async ({ page }) => {
  const from = start();
  await open(page, "now", {
    host: host("ragged"),
    from: new Date(from).toISOString(),
    to: new Date(from + 60 * MINUTE).toISOString(),
  });
  const figure = page.locator("#chart-load");
  await scrollTo(page, figure);
  await expect(figure.locator("figcaption")).toContainText("1 gap without samples");
  await expect(figure.locator("canvas")).toBeVisible();
  await expect
    .poll(
      async () =>
        (await figure.evaluate(columnsWithLine, [0.02, 0.3] as [number, number])).filter(Boolean).length,
    )
    .toBeGreaterThan(50);
  expect(
    (await figure.evaluate(columnsWithLine, [0.35, 0.49] as [number, number])).filter(Boolean),
  ).toHaveLength(0);
  expect(
    (await figure.evaluate(columnsWithLine, [0.52, 0.95] as [number, number])).filter(Boolean).length,
  ).toBeGreaterThan(50);
  const answer = await api<SeriesAnswer>(
    `series?m=system.load_1&from=${from}&to=${from + 60 * MINUTE}&px=360&host=${host("ragged")}`,
  );
  expect(answer.gaps).toHaveLength(1);
  const [gap] = answer.gaps;
  expect(Math.abs((gap?.[0] ?? 0) - (from + 20 * MINUTE - 10_000))).toBeLessThanOrEqual(10_000);
  expect(gap?.[1]).toBe(from + 30 * MINUTE);
});

test("a counter that begins anew is neither negative nor a spike, and rates use the time that passed", async ({
  page,
}) => {
  const from = start();
  const to = from + 60 * MINUTE;
  const answer = await api<SeriesAnswer>(
    `series?m=${encodeURIComponent("network.rx_bytes_per_sec@eth0")}&from=${from}&to=${to}&px=360&host=${host("ragged")}`,
  );
  const [series] = answer.series;
  const values = [...(series?.lo ?? []), ...(series?.hi ?? []), ...(series?.avg ?? [])].filter(
    (value) => value !== null,
  );
  expect(values.length).toBeGreaterThan(600);
  for (const value of values) expect(value).toBeCloseTo(2000, 3);
  await open(page, "system", {
    host: host("ragged"),
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
  });
  const figure = page.locator("#chart-network-rx");
  await scrollTo(page, figure);
  await expect(figure.locator("figcaption")).toContainText(
    /eth0 now 1\.95.KiB\/s, lowest 1\.95.KiB\/s, highest 1\.95.KiB\/s/,
  );
});

/** The last half hour, from a fixed instant on: of one that moves the first bucket leaves every ten seconds, and those behind it move up. */
const halfAnHour = (): { from: string; to: string } => ({
  from: new Date(Date.now() - 30 * MINUTE).toISOString(),
  to: "now",
});

test("a chart is read by keyboard: arrows move, Home and End jump, Enter pins, Esc lets go", async ({
  page,
}) => {
  await open(page, "now", { host: host("calm"), ...halfAnHour() });
  const reader = page.getByRole("slider", { name: /^CPU, 30 min/ });
  await reader.focus();
  const slider = page.locator("#chart-cpu .reader");
  await page.keyboard.press("Home");
  await expect(slider).toHaveAttribute("aria-valuenow", "0");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+ArrowRight");
  await expect(slider).toHaveAttribute("aria-valuenow", "11");
  await expect(slider).toHaveAttribute("aria-valuetext", /^\d\d:\d\d:\d\d: User [\d.]+\s%, System/);
  await page.keyboard.press("Enter");
  await expect(page.locator(".chart-tip")).toContainText("pinned");
  await expect(page.getByRole("button", { name: /point pinned/ })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.locator(".chart-tip")).toHaveCount(0);
});

test("an instant that the keys chose stays while the plot is still to be drawn, and after new data", async ({
  page,
}) => {
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await page.route("**/assets/*.js", async (route) => {
    const response = await route.fetch();
    const isPlot = (await response.text()).includes("u-cursor-x");
    if (isPlot) await held;
    await route.fulfill({ response });
  });
  await open(page, "now", { host: host("calm"), from: "now-30m", to: "now" });
  const slider = page.locator("#chart-cpu .reader");
  await slider.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("Shift+ArrowRight");
  // The tenth, and one less for each that has left the range since.
  await expect(slider).toHaveAttribute("aria-valuenow", /^([6-9]|10)$/);
  const read = await slider.getAttribute("aria-valuetext");
  letGo();
  const cursor = page.locator("#chart-cpu .u-cursor-x");
  const left = (): Promise<number> =>
    cursor.evaluate((line) => new DOMMatrix(getComputedStyle(line).transform).m41);
  // A thirtieth of the way from the first of 180 buckets to the last, and the border's fraction of one.
  await expect.poll(left).toBeGreaterThan(5);
  const drawn = await left();
  await expect(slider).toHaveAttribute("aria-valuetext", read ?? "");
  await page.setViewportSize({ width: 1180, height: 900 });
  await expect.poll(left).not.toBe(drawn);
  await expect(slider).toHaveAttribute("aria-valuetext", read ?? "");
});

test("the legend isolates a line and brings all back", async ({ page }) => {
  await open(page, "now", { host: host("calm") });
  const legend = page.locator("#chart-cpu .legend button");
  await legend.first().click();
  await expect(page.locator('#chart-cpu .legend button[aria-pressed="true"]')).toHaveCount(1);
  await legend.first().click();
  await expect(page.locator('#chart-cpu .legend button[aria-pressed="false"]')).toHaveCount(0);
});
