/** What the tests have in common: pages that watch themselves, hosts by name, and how to read charts. */

import { env } from "node:process";
import { test as base, expect, type Locator, type Page } from "@playwright/test";
import { mergeSeries } from "../../src/api/merge";
import type { Now, SeriesAnswer, TableAnswer } from "../../src/api/types.gen";
import { sql as runSql } from "./server";

export { expect };

export const monitorUrl = (): string => env.MONITOR_URL ?? "";
export const sql = (text: string): string[][] => runSql(env.DATABASE_URL ?? "", text);

const hosts = new Map<string, number>();

/** The id of a made-up host. */
export function host(name: string): number {
  const known = hosts.get(name);
  if (known !== undefined) return known;
  const id = Number(sql(`SELECT host_id FROM collector.hosts WHERE hostname = '${name}'`)[0]?.[0]);
  if (!Number.isInteger(id)) throw new Error(`there is no host ${name}`);
  hosts.set(name, id);
  return id;
}

/** A host of one test alone. */
export function addHost(
  name: string,
  isAlive: boolean,
  changes: Partial<Record<"system" | "mount" | "agent" | "processes", unknown>> = {},
): number {
  const id = Number(sql(`SELECT e2e.add_host('${name}', false)`)[0]?.[0]);
  for (const [column, value] of Object.entries(changes)) {
    sql(
      `UPDATE e2e.host SET ${column} = '${JSON.stringify(value).replace(/'/g, "''")}' WHERE host_id = ${id}`,
    );
  }
  sql(`SELECT e2e.fill(${id}, '5 minutes')`);
  if (isAlive) sql(`UPDATE e2e.host SET is_alive = true WHERE host_id = ${id}`);
  return id;
}

/** Opens an alert of a host, as its collector would. */
export function addFinding(
  id: number,
  rule: string,
  target: string,
  severity: string,
  message: string,
  change: object = {},
): void {
  const words = [rule, target, severity, message, JSON.stringify(change)];
  const list = words.map((word) => `'${word.replace(/'/g, "''")}'`).join(", ");
  sql(`SELECT e2e.find(${id}, ${list})`);
}

/** The address of a view. */
export function at(view: string, params: Record<string, string | number> = {}, base = monitorUrl()): string {
  const query = new URLSearchParams(Object.entries(params).map(([name, value]) => [name, String(value)]));
  return `${base}v/${view}?${query}`;
}

export async function api<T = Now>(path: string, base = monitorUrl()): Promise<T> {
  const answer = await fetch(`${base}api/v1/${path}`);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}
export type { Now, SeriesAnswer, TableAnswer };

/** Faults that no page may have, whatever the test is about; the browser reports a CSP violation on the console. */
export interface Watch {
  faults: string[];
  /** Faults that a test causes on purpose. */
  allow(pattern: RegExp): void;
}

export const test = base.extend<{ watch: Watch }>({
  watch: [
    async ({ context }, use) => {
      const faults: string[] = [];
      const allowed: RegExp[] = [];
      context.on("weberror", (error) => faults.push(`error: ${error.error().message}`));
      context.on("console", (message) => {
        if (message.type() === "error") faults.push(`console: ${message.text()} ${message.location().url}`);
      });
      context.on("request", (request) => {
        const { hostname, protocol } = new URL(request.url());
        if (protocol.startsWith("http") && hostname !== "127.0.0.1") faults.push(`foreign: ${request.url()}`);
      });
      await use({ faults, allow: (pattern) => void allowed.push(pattern) });
      // What a test still holds back belongs to a page that goes away.
      for (const page of context.pages()) await page.unrouteAll({ behavior: "ignoreErrors" });
      expect(faults.filter((fault) => !allowed.some((pattern) => pattern.test(fault)))).toEqual([]);
    },
    { auto: true },
  ],
});

/** A refresh of charts, the one of the processor among them: alone, or with others in a batch. */
export const REFRESH = /[/=]series\?m=system\.cpu.*since=/;

/** Changes every answer of an address on its way to the page. */
export async function rewrite<T>(page: Page, pattern: RegExp, change: (answer: T) => T): Promise<void> {
  await page.route(pattern, async (route) => {
    // The page may hold an answer already, and one that has not changed comes without a body.
    const { "if-none-match": _, ...headers } = await route.request().allHeaders();
    const response = await route.fetch({ headers });
    await route.fulfill({ response, json: change((await response.json()) as T) });
  });
}

/** Opens a view and waits until all that is on the screen has its data. */
export async function open(
  page: Page,
  view: string,
  params: Record<string, string | number> = {},
  base = monitorUrl(),
): Promise<void> {
  await page.goto(at(view, params, base));
  await settled(page);
}

/** Nothing on the screen is loading any more; what is far from it is not asked for. */
export async function settled(page: Page): Promise<void> {
  await expect(page.locator("h1")).toBeVisible();
  await page.waitForFunction(() =>
    [...document.querySelectorAll(".skeleton")].every((one) => {
      const { top, bottom } = one.getBoundingClientRect();
      return bottom < 0 || top > innerHeight;
    }),
  );
}

/**
 * Scrolls to a part of the page until it stays on the screen with nothing around it loading, so that it is
 * asked for and a click meets what it aims at. What loads above it may push it off the screen again.
 */
export async function scrollTo(page: Page, part: Locator): Promise<void> {
  await expect(async () => {
    await part.scrollIntoViewIfNeeded();
    await settled(page);
    await expect(part).toBeInViewport({ timeout: 250 });
    await expect(part.locator(".skeleton")).toHaveCount(0, { timeout: 250 });
  }).toPass();
}

/** Opens a topic that is folded away. */
export async function unfold(page: Page, title: string): Promise<void> {
  await page.locator("details.fold > summary", { hasText: title }).click();
  await settled(page);
}

/** Merges as the page does. */
export function loadSeriesLike(held: SeriesAnswer | null, answer: SeriesAnswer): SeriesAnswer {
  if (!held) return answer;
  const merged = mergeSeries(held, answer, answer.now_ms - 300_000);
  if (!merged) throw new Error("an answer could not be merged");
  return merged;
}
