/** Now stands still: ten minutes of problems that come, change and go move nothing on the screen. */
import type { Page, Route } from "@playwright/test";
import { api, at, expect, host, type Now, settled, test } from "./support/page";

type Problem = Now["problems"][number];
type Ended = Now["ended"][number];

interface Shift {
  value: number;
  sources: string[];
}

/** Notes every shift, those after an input too: there is none in these tests. */
async function watchShifts(page: Page): Promise<() => Promise<Shift[]>> {
  await page.addInitScript(() => {
    const shifts: Shift[] = [];
    Object.assign(window, { shifts });
    interface Entry {
      value: number;
      sources: { node: Node | null; previousRect: DOMRect; currentRect: DOMRect }[];
    }
    const name = (node: Node | null): string => {
      const element = node instanceof Element ? node : node?.parentElement;
      return element ? `${element.tagName} ${element.className} ${element.textContent?.slice(0, 40)}` : "?";
    };
    const box = ({ x, y, width, height }: DOMRect): string => [x, y, width, height].map(Math.round).join();
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries() as unknown as Entry[]) {
        shifts.push({
          value,
          sources: sources.map(
            (one) => `${name(one.node)}: ${box(one.previousRect)} to ${box(one.currentRect)}`,
          ),
        });
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  return () =>
    page.evaluate(async () => {
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      return (window as unknown as { shifts: Shift[] }).shifts.splice(0);
    });
}

const TITLES = [
  "CPU usage is high: {} %",
  "Load is high: {} per core",
  "{} sessions are waiting for a lock on store",
  "A session on the-database-of-the-whole-company has been idle in a transaction for {} min",
  "File system /var/lib/postgresql is {} % full",
  "Recurring message: connection to <*> on port <*> was refused by its peer <*> times",
  "Cache hit ratio of store is low: {} %",
];
const CAUSES = [
  "",
  "Most CPU: node (PID {}, app.service) with 98 % of a core.",
  "PID {} (application shop, user web, database app) blocks 2 sessions. It has been idle in a transaction for {} s; last statement: UPDATE orders SET note = $1 WHERE id = $2 AND shop_id = $3",
];
const SEVERITIES = ["info", "warn", "critical"] as const;

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/** What `now` answers, step by step: every part of it that may change by itself does. */
class Script {
  readonly #random = seeded(20_261_129);
  readonly #open = new Map<string, Problem>();
  readonly #ended: Ended[] = [];
  step = 0;

  constructor(
    readonly base: Now,
    readonly beganMs: number,
  ) {}

  advance(): void {
    this.step += 1;
    const random = this.#random;
    for (const [at, title] of TITLES.entries()) {
      const id = `scripted.${at}`;
      const figure = String(Math.round(10 ** (random() * 3)));
      const held = this.#open.get(id);
      if (held ? random() < 0.25 : random() > 0.15) {
        if (held) {
          this.#open.delete(id);
          this.#ended.unshift({
            ...held,
            id: `${id} ${this.step}`,
            since_ms: held.since_ms ?? 0,
            ended_ms: this.#nowMs,
          });
        }
        continue;
      }
      this.#open.set(id, {
        id,
        severity: SEVERITIES[Math.floor(random() * 3)] ?? "warn",
        title: title.replaceAll("{}", figure),
        metric: at % 2 === 0 ? "system.cpu_busy_pct" : "",
        key: null,
        value: at % 2 === 0 ? Number(figure) / 10 : null,
        current: at % 4 === 0 ? Number(figure) / 20 : null,
        level: at % 2 === 0 ? 80 : null,
        since_ms: held?.since_ms ?? this.#nowMs,
        as_of_ms: held?.since_ms ?? this.#nowMs,
        unknown_since_ms: random() < 0.1 ? this.#nowMs : null,
        finding: null,
        view: "system",
        fix: at % 3 === 0 ? "" : "See what it does, and whether it can wait or needs a limit:",
        cause: (CAUSES[(at + (random() < 0.1 ? 1 : 0)) % 3] ?? "").replaceAll("{}", figure),
        command: at % 3 === 1 ? `ps -o pid,user,etime,%cpu,rss,args -p ${figure}` : "",
        effects: TITLES.slice(0, at % 4).map((effect, n) => ({
          id: `effect.${n}`,
          severity: SEVERITIES[n] ?? "warn",
          title: effect.replaceAll("{}", figure),
          metric: "",
          key: null,
          view: "system",
        })),
      });
    }
  }

  get #nowMs(): number {
    return this.beganMs + this.step * 10_000;
  }

  answer(): Now {
    const problems = [...this.#open.values()].sort(
      (a, b) => SEVERITIES.indexOf(b.severity as "warn") - SEVERITIES.indexOf(a.severity as "warn"),
    );
    const worst = problems[0];
    // For a minute no sample comes: late, then stale with its banner, then live again.
    const isQuiet = this.step % 30 >= 20 && this.step % 30 < 27;
    const newest = isQuiet ? this.beganMs + (this.step - (this.step % 30) + 19) * 10_000 : this.#nowMs;
    return {
      ...this.base,
      now_ms: this.#nowMs,
      freshness: { ...this.base.freshness, newest_ms: newest, age_secs: 0 },
      verdict: worst
        ? {
            severity: worst.severity,
            text: `${problems.length} problems. ${worst.title}`,
            since_ms: worst.since_ms,
          }
        : this.base.verdict,
      problems,
      ended: this.#ended.slice(0, 10),
      areas: this.base.areas.map((area, at) =>
        at % 2 === 0 && worst
          ? { ...area, severity: worst.severity, count: problems.length, worst: worst.title }
          : area,
      ),
      badges: { ...this.base.badges, system: { severity: worst?.severity ?? "ok", count: problems.length } },
      facts: this.base.facts.map((fact) => ({
        ...fact,
        value: fact.value === null ? null : fact.value * (0.5 + this.#random()),
        severity: worst?.severity ?? "ok",
      })),
    };
  }
}

for (const width of [1280, 390]) {
  test(`nothing moves by itself for ten minutes, ${width} px wide`, async ({ page }) => {
    test.slow();
    await page.setViewportSize({ width, height: 900 });
    const shifts = await watchShifts(page);
    const base = await api<Now>(`now?host=${host("calm")}`);
    await page.clock.install({ time: base.now_ms });
    const script = new Script(base, base.now_ms);
    await page.route(/\/api\/v1\/now/, (route: Route) => route.fulfill({ json: script.answer() }));
    await page.goto(at("now", { host: host("calm") }));
    await settled(page);
    await expect(page.locator(".chart canvas").first()).toBeVisible();
    await page.waitForTimeout(500);
    const atLoad = (await shifts()).reduce((sum, one) => sum + one.value, 0);
    process.stdout.write(`    ${width} px: shift while loading ${atLoad}\n`);
    let most = 0;
    for (let step = 0; step < 60; step += 1) {
      script.advance();
      await page.clock.runFor(10_000);
      await page.waitForTimeout(40);
      most = Math.max(most, await page.locator(".problem").count());
    }
    expect(most).toBeGreaterThan(4);
    await expect(page.locator(".ended li")).not.toHaveCount(0);
    expect(await shifts()).toEqual([]);
  });
}

test("rows keep their places until they are asked to change", async ({ page }) => {
  const base = await api<Now>(`now?host=${host("sick")}`);
  const [first, second] = base.problems;
  if (!first || !second) throw new Error("the host has fewer than two problems");
  let problems = [second];
  await page.route(/\/api\/v1\/now/, (route: Route) =>
    route.fulfill({ json: { ...base, now_ms: Date.now(), problems } }),
  );
  await page.goto(at("now", { host: host("sick") }));
  await settled(page);
  const rows = page.locator(".problem");
  const apply = page.getByRole("button", { name: "List changed" });
  await expect(rows).toHaveCount(1);
  await expect(apply).toHaveCount(0);
  problems = [first, second];
  await expect(rows).toHaveCount(2, { timeout: 20_000 });
  await expect(rows.first()).toContainText(second.title);
  await apply.click();
  await expect(rows.first()).toContainText(first.title);
  problems = [second];
  await expect(rows.first()).toContainText("Resolved", { timeout: 20_000 });
  await expect(rows.first()).toHaveClass(/grey/);
  await apply.click();
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText(second.title);
});
