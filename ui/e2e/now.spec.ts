/** The first screen: is anything wrong, what, since when, what to do. */
import {
  addFinding,
  addHost,
  api,
  at,
  expect,
  host,
  type Now,
  open,
  scrollTo,
  sql,
  test,
} from "./support/page";

test("a seeded problem is named with value, threshold, since and next step", async ({ page }) => {
  await open(page, "now", { host: host("sick") });
  const now = await api<Now>(`now?host=${host("sick")}`);
  const memory = now.problems.find((problem) => problem.metric === "system.mem_used_pct");
  expect(memory).toMatchObject({ severity: "critical", level: 85, view: "system" });
  const began = sql(
    `SELECT floor(extract(epoch FROM opened_at) * 1000) FROM collector.findings
     WHERE host_id = ${host("sick")} AND rule = 'system.mem_used_pct'`,
  );
  expect(memory?.since_ms).toBe(Number(began[0]?.[0]));

  const row = page.locator(".problem", { hasText: "Memory usage is high" });
  await expect(row).toContainText("Critical");
  await expect(row).toContainText("92 %");
  await expect(row).toContainText("threshold 85 %");
  await expect(row).toContainText(/since \d\d:\d\d:\d\d \(\d+\smin/);
  await expect(row).toContainText("Do next: ");
  // Who holds it, and what shows more of that process.
  await expect(row).toContainText(/Most memory: .+ \(PID \d+/);
  await expect(row.getByRole("button", { name: /^Copy command: ps / })).toBeVisible();
  await expect(page.locator(".problem", { hasText: "/var" })).toContainText("Warning");
  await expect(page.locator(".problem", { hasText: "CPU usage" })).toContainText("Critical");
  await expect(page.locator(".verdict")).toHaveClass(/critical/);
  await expect(page.locator(".verdict")).toContainText(/\d problems/);
  await expect(page).toHaveTitle(/^\(2\) Now · sick/);
});

test("the verdict shows its time in the zone of the page, once", async ({ page }) => {
  await open(page, "now", { host: host("sick"), zone: "utc" });
  const verdict = page.locator(".verdict");
  const problem = page.locator(".problem time").first();
  for (const zone of ["utc", "browser"]) {
    await open(page, "now", { host: host("sick"), zone });
    const clock = /\d\d:\d\d:\d\d/.exec(await problem.innerText())?.[0] ?? "none";
    await expect(verdict.locator("time")).toContainText(`Since ${clock}`);
    expect((await verdict.innerText()).match(/\d\d:\d\d/g)).toHaveLength(1);
  }
});

test("a problem leads to its view in one click, and back", async ({ page }) => {
  await open(page, "now", { host: host("sick") });
  await page
    .locator(".problem", { hasText: "Memory usage" })
    .getByRole("link", { name: "Go to System" })
    .click();
  await expect(page.locator("h1")).toHaveText("System");
  await expect(page.locator("h1")).toBeFocused();
  await page.goBack();
  await expect(page.locator("h1")).toHaveText("Now");
});

test("a healthy host is all normal", async ({ page }) => {
  await open(page, "now", { host: host("calm") });
  await expect(page.locator(".verdict")).toHaveClass(/ok/);
  await expect(page.locator(".verdict")).toContainText("All 6 areas normal");
  await expect(page.locator(".problem")).toHaveCount(0);
  await expect(page.locator(".area")).toHaveCount(6);
  await expect(page.locator(".area:not(.ok)")).toHaveCount(0);
  await expect(page).toHaveTitle(/^Now · calm/);
});

test("the host picker changes the host everywhere and keeps it in the address", async ({ page }) => {
  await open(page, "now", { host: host("calm") });
  await page.getByLabel("Host", { exact: true }).selectOption({ label: "sick" });
  await expect(page).toHaveURL(new RegExp(`host=${host("sick")}\\b`));
  await expect(page.locator(".verdict")).toHaveClass(/critical/);
  await page
    .getByRole("link", { name: /^System/ })
    .first()
    .click();
  await expect(page).toHaveURL(new RegExp(`v/system\\?host=${host("sick")}\\b`));
  await expect(page.locator(".card", { hasText: "Memory used" })).toContainText("92 %");
});

test("without a choice the host with the newest data is shown", async ({ page }) => {
  await page.goto(at("now"));
  const { host: shown } = await api<Now>("now");
  await expect(page.getByLabel("Host", { exact: true })).toHaveValue(/\d+/);
  expect(shown.name).not.toBe("silent");
});

// One below, at, and above each level of three metrics: the same severity wherever it is shown.
const EDGES: [string, string, "system" | "mount", (value: number) => object, number, string][] = [
  [
    "system.mem_used_pct",
    "Memory used",
    "system",
    (v) => ({ mem_total: 1_000_000, mem_used: Math.round(v * 10_000) }),
    75,
    "warn",
  ],
  [
    "system.mem_used_pct",
    "Memory used",
    "system",
    (v) => ({ mem_total: 1_000_000, mem_used: Math.round(v * 10_000) }),
    85,
    "critical",
  ],
  [
    "system.cpu_busy_pct",
    "CPU busy",
    "system",
    (v) => ({ cpu_idle: 100 - v, cpu_iowait: 0, cpu_user: v, cpu_system: 0 }),
    70,
    "warn",
  ],
  ["mount.used_pct", "Disk used", "mount", (v) => ({ usage_pct: v }), 90, "critical"],
];

test("what follows from a problem is folded under it, and what ended is listed below", async ({ page }) => {
  await open(page, "now", { host: host("broken") });
  const lock = page.locator(".problem", { hasText: "PID 4100" });
  await expect(lock).toContainText("SELECT pg_terminate_backend(4100);");
  const effect = page.getByText("6 sessions are waiting for a lock on main");
  await expect(effect).toBeHidden();
  await lock.getByText("2 effects").click();
  await expect(effect).toBeVisible();
  await expect(page.locator(".problem", { hasText: "6 sessions are waiting" })).toHaveCount(1);

  const ended = page.getByRole("region", { name: "Recently ended" });
  await expect(ended.getByRole("listitem")).toHaveCount(2);
  await expect(ended.getByRole("listitem").first()).toContainText(
    "A transaction on main has been open for 12 min",
  );
  await expect(ended.getByRole("listitem").first()).toContainText(/\d\d:\d\d, after 1\sh/);
  await expect(ended.getByRole("listitem").last()).toContainText("Critical");
  await ended.getByRole("link", { name: "API errors" }).click();
  await expect(page.locator("h1")).toHaveText("API & Proxy");
});

test("a mean is shown beside the newest value", async ({ page }) => {
  await open(page, "now", { host: host("sick") });
  const row = page.locator(".problem", { hasText: "CPU usage" });
  await expect(row).toContainText(/(now|last) 95\s%, mean 95\.2\s%, threshold 80\s%/);
  await expect(row.getByText("1 effect", { exact: true })).toBeVisible();
});

/** How a title begins. */
const CONDITION: Record<string, string> = {
  "Memory used": "Memory usage",
  "CPU busy": "CPU usage",
  "Disk used": "File system",
};
const LOWER: Record<string, string> = { warn: "ok", critical: "warn" };

for (const [metric, label, column, change, level, severity] of EDGES) {
  test(`${metric} at its ${severity} level: card, problem list, table and chart agree`, async ({ page }) => {
    test.slow();
    for (const [name, value, expected] of [
      ["below", level - 0.1, LOWER[severity] ?? ""],
      ["at", level, severity],
      ["above", level + 0.1, severity],
    ] as const) {
      const id = addHost(`edge ${metric} ${severity} ${name}`, true, { [column]: change(value) });
      if (expected !== "ok") {
        const target = column === "mount" ? "/var" : "";
        addFinding(id, metric, target, expected, `${CONDITION[label]} is high: ${value} %`, { value });
      }
      await open(page, "system", { host: id, from: "now-15m", to: "now" });
      const card = page.locator(".card", { hasText: label }).first();
      await expect(card, `${name}: card`).toHaveClass(new RegExp(`\\b${expected}\\b`));
      const chartId =
        column === "mount" ? "mounts" : metric === "system.cpu_busy_pct" ? "cpu" : "memory-used";
      const figure = page.locator(`#chart-${chartId}`);
      if (await figure.count()) {
        await scrollTo(page, figure);
        const caption = expected === "ok" ? /^(?!.*at or above)/s : new RegExp(`at or above ${expected} \\(`);
        if (chartId === "mounts")
          await expect(figure.locator("figcaption"), `${name}: chart`).toHaveText(caption);
      }
      if (column === "mount") {
        const row = page.locator("#table-mounts tbody tr", { hasText: "/var" });
        await scrollTo(page, page.locator("#table-mounts"));
        await expect(row, `${name}: table`).toHaveClass(new RegExp(`\\b${expected}\\b`));
      }
      await open(page, "now", { host: id });
      const problem = page.locator(".problem", { hasText: CONDITION[label] ?? label });
      if (expected === "ok") await expect(problem).toHaveCount(0);
      else await expect(problem, `${name}: problem`).toHaveClass(new RegExp(`\\b${expected}\\b`));
      sql(`UPDATE e2e.host SET is_alive = false WHERE host_id = ${id}`);
    }
  });
}
