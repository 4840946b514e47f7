/** A generated host with an incident, through every view that an operator walks: one problem with its cause, and what will be full. */
import type { Page } from "@playwright/test";
import { type Generated, startGenerated } from "./support/generated";
import { expect, open, scrollTo, test } from "./support/page";

test.describe.configure({ mode: "serial" });

let generated: Generated;

test.beforeAll(async () => {
  // Nine days are stored, rolled up and learned from; nothing of it is asserted to be fast.
  test.setTimeout(600_000);
  generated = await startGenerated("generated");
});

test.afterAll(() => generated?.stop());

const region = (page: Page, name: string) => page.getByRole("region", { name, exact: true });

test("Now has the incident once, with its cause, since when and what to do", async ({ page }) => {
  await open(page, "now", { host: generated.id });
  const incident = page.locator(".problem", { hasText: "likely cause of" });
  await expect(incident).toHaveCount(1);
  // What waits for the disk is the cause, not the load that its waiting is counted as.
  await expect(incident).toContainText(
    /All tasks wait for disk I\/O|Disk sdb is busy|Tasks waiting for I\/O/,
  );
  await expect(incident).toContainText("Do next");
  await expect(incident).toContainText(/since \d\d:\d\d/);
  await incident.getByRole("link", { name: "Snapshot" }).click();
  await expect(page.getByRole("region", { name: "Finding" })).toContainText("likely cause of");
  await expect(region(page, "Most changed").locator("tbody tr").first()).toBeVisible();
});

test("Alerts has it as one", async ({ page }) => {
  await open(page, "alerts", { host: generated.id });
  const rows = page.locator("#table-findings tbody tr");
  await expect(rows.filter({ hasText: "likely cause of" })).toHaveCount(1);
});

test("Insights names the disk that will be full and when, and objectives that are missed", async ({
  page,
}) => {
  await open(page, "insights", { host: generated.id });
  const capacity = page.locator("#table-capacity");
  await scrollTo(page, capacity);
  await expect(capacity.locator("tbody tr")).toHaveCount(1);
  const row = capacity.locator("tbody tr").first();
  await expect(row).toContainText("/srv");
  await expect(row).toContainText(/in\s[1-4]\sd/);
  const objectives = page.locator("#table-slos");
  await scrollTo(page, objectives);
  await expect(objectives.locator("tbody tr", { hasText: "api_latency_p95" })).toContainText("missed");
});
