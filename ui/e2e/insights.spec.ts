/** Insights: what is unusual, health, objectives, baselines and forecasts; and nothing of it yet. */
import { addFinding, addHost, expect, open, scrollTo, settled, sql, test } from "./support/page";

test("what was learned, judged and computed is shown, and the worst stands out", async ({ page }) => {
  const id = addHost("learned", true);
  const since = "now() - interval '7 days'";
  const halfHour = (): number => Math.floor(Date.now() / 1_800_000);
  const scored = halfHour();
  sql(`
    INSERT INTO collector.baselines VALUES
      (${id}, 'system', 'cpu_busy_pct', '', '7d', 21, 6, 9, 17, 20, 26, 35, 5, 168, ${since}, now()),
      (${id}, 'mount', 'used_pct', '/', '7d', 70, 1, 68, 69, 70, 71, 72, 1, 168, ${since}, now());
    INSERT INTO collector.trend_forecasts VALUES
      (${id}, 'system', 'cpu_busy_pct', '', 82, 0.1, 0.2, 'stable', 0.4, 30, 28, 25, 20, 40, 18, 38, 15, 35, 0.8, 10, now()),
      (${id}, 'mount', 'used_pct', '/', 70.5, 0.3, 0.9, 'rising', 0.99, 71, 72, 78, 70, 72, 71, 74, 75, 81, 0.6, 10, now());
    SELECT collector.ensure_partition(t, (now() AT TIME ZONE 'UTC')::date) FROM unnest(ARRAY['slo_tracking', 'health_scores']) t;
    INSERT INTO collector.slo_tracking VALUES
      (now(), ${id}, 'api_uptime', 'shop', 'api', 'events', 99.9, 99.2, 99.9, 99.2, false, 800, 800, 100000, 40000, 20, 9, 2),
      (now(), ${id}, 'system_cpu', '', 'system', 'minutes', 80, 20, 95, 99.9, true, 2, 10, 40000, 40000, 0, 0, 0);
    INSERT INTO collector.health_scores VALUES
      (now(), ${id}, 'system', 39, 92, '<i>File system</i> is full', 12, '[{"name": "mount.used_pct", "key": "/", "score": 0}]'),
      (now(), ${id}, 'db', 100, 100, NULL, 9, '[]');
    INSERT INTO collector.capacity_alerts VALUES
      (${id}, 'mount', 'used_pct', '/srv', 'warn', 78, 85, 100, 72, 0.999, '', now() + interval '60 hours', now() + interval '90 hours',
       78, 0.3, ARRAY[70, 72, NULL, 76, 78], now());
  `);
  addFinding(id, "check.unused_indexes", "m.d.public.<i>", "info", "Index <i> is not used", {
    kind: "recommendation",
  });
  addFinding(
    id,
    "unusual.system.cpu_busy_pct",
    "",
    "warn",
    "CPU busy: 82 %, unusually high for Monday 10:00",
    {
      kind: "insight",
      metric: "system.cpu_busy_pct",
      expected: 21,
      z_score: 8.2,
      drift_pct: 290,
    },
  );
  await open(page, "insights", { host: id });
  await expect(page.locator("#table-findings tbody tr").first()).toContainText(
    "CPU busy: 82 %, unusually high",
  );
  await expect(page.locator("#table-findings tbody tr").first()).toContainText("8.2290 %");
  const health = page.locator("#table-health");
  await scrollTo(page, health);
  await expect(health.locator("tbody tr")).toHaveCount(2);
  // Text of others is text.
  await expect(health).toContainText("<i>File system</i> is full");
  // A day of half hours, of which only that has a score which was the last when it was written.
  const day = health.locator("tbody tr").first().locator(".strip i");
  await expect(day).toHaveCount(48);
  await expect(day.and(page.locator(".none"))).toHaveCount(47);
  const behind = (): Promise<number> =>
    day.evaluateAll((all) => all.length - 1 - all.findIndex((one) => one.className === "critical"));
  await expect.poll(async () => (await behind()) - (halfHour() - scored)).toBe(0);
  await expect(health.getByRole("link", { name: "lowest in 24 h: 39" })).toHaveAttribute(
    "href",
    /snapshot\?/,
  );
  await scrollTo(page, page.locator("#table-slos"));
  const objectives = page.locator("#table-slos tbody tr");
  await expect(objectives.filter({ hasText: "api_uptime" })).toContainText("missed");
  await expect(objectives.filter({ hasText: "system_cpu" })).toContainText("met");
  // One without data is not met.
  await expect(objectives.filter({ hasText: "db_cache_hit" })).toContainText("no data");
  await scrollTo(page, page.locator("#table-recommendations"));
  const advice = page.locator("#table-recommendations tbody");
  await expect(advice).toContainText("Index <i> is not used");
  await expect(advice).toContainText("pqcrypta alerts ack");
  await expect(advice).not.toContainText("null");
  await scrollTo(page, page.locator("#table-capacity"));
  const capacity = page.locator("#table-capacity tbody");
  await expect(capacity).toContainText("3 d");
  await expect(capacity.locator("svg.cone path.fan")).toHaveCount(1);
  // What is far below is read when it is seen.
  await scrollTo(page, page.locator("#table-baselines"));
  await expect(page.locator("#table-baselines tbody tr")).toHaveCount(2);
  await expect(page.locator("#table-baselines tbody")).toContainText("82 %");
  await scrollTo(page, page.locator("#table-forecasts"));
  await expect(page.locator("#table-forecasts tbody")).toContainText("rising");
});

test("a host that is new has nothing unusual, and says when there will be baselines", async ({ page }) => {
  for (const width of [1360, 390]) {
    await page.setViewportSize({ width, height: 900 });
    await open(page, "insights", { host: addHost(`new-${width}`, true) });
    await settled(page);
    for (const [table, text] of [
      ["findings", "No findings in this range."],
      ["recommendations", "Nothing is recommended."],
      ["capacity", "Nothing will be full within 30 days."],
      ["baselines", "from six hours on"],
    ] as const) {
      const part = page.locator(`#table-${table}`);
      await scrollTo(page, part);
      await expect(part).toContainText(text);
    }
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }
});

test("problems that began together are one, with the likely cause and its evidence", async ({ page }) => {
  const id = addHost("related", true);
  const member = { cause_rule: "correlation", cause_target: "x" };
  const sentence =
    "File system /srv is 96 % full, likely cause of 2 more problems, of which this sentence says all there is";
  addFinding(id, "correlation", "x", "critical", sentence, {
    kind: "insight",
    domain: "correlation",
    metric: null,
    steps: ["Remove what is not needed."],
    details: {
      cause: "Began first, 2 to 3 min before errors of the API.",
      hypotheses: [
        {
          says: "File system <b>/srv</b> is 96 % full",
          evidence: ["began first, 2 to 3 min before errors of the API"],
          step: "Remove what is not needed with `rm`.",
        },
        { says: "API errors of shop: 8.6 %", evidence: ["began after 1 of 2 others"], step: null },
      ],
    },
  });
  addFinding(id, "mount.used_pct", "/srv", "critical", "File system /srv is 96 % full", member);
  addFinding(id, "api.error_pct", "shop", "warn", "API errors of shop: 8.6 %", member);

  await open(page, "now", { host: id });
  const problem = page.locator(".problems > li");
  await expect(problem).toHaveCount(1);
  await expect(problem).toContainText("likely cause of 2 more problems");
  await expect(problem).toContainText("Began first, 2 to 3 min before errors of the API.");
  await expect(problem).toContainText("Do next: Remove what is not needed.");
  await problem.locator("summary").click();
  await expect(problem.locator(".effects li")).toHaveCount(2);

  for (const width of [1360, 390]) {
    await page.setViewportSize({ width, height: 900 });
    await open(page, "insights", { host: id });
    const row = page.locator("#table-findings tbody tr").first();
    // The sentence is not cut.
    await expect(row).toContainText(sentence);
    await row.locator(".row-button").click();
    const causes = page.getByRole("region", { name: "Possible causes" });
    await expect(causes.locator("ol > li")).toHaveCount(2);
    // Text of others is text.
    await expect(causes).toContainText("File system <b>/srv</b> is 96 % full");
    await expect(causes.locator("code")).toHaveText("rm");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }
});
