/// <reference path="../tracker/main.ts" />
/** The tracker in a real browser: what it counts, how it sends, and what it leaves alone. */
import { type BrowserContext, expect, type Page, test } from "@playwright/test";
import { Desk, Site, Unattended } from "./support/site";

let site: Site;
let desk: Desk;
let context: BrowserContext;

test.beforeAll(async () => {
  site = await Site.start();
  desk = await Desk.open("--disable-blink-features=AutomationControlled");
  context = desk.context;
});
test.afterAll(async () => {
  await desk.close();
  site.stop();
});
test.afterEach(async () => {
  site.answer = 202;
  site.release();
  // The first tab stays: without one the browser ends.
  for (const page of context.pages().slice(1)) await page.close();
});

/** Opens a page in a tab in front. */
async function visit(url: string, prepare?: (page: Page) => Promise<unknown>): Promise<Page> {
  const page = await context.newPage();
  await prepare?.(page);
  await page.bringToFront();
  await page.goto(url);
  return page;
}

/** Puts another tab in front, so that the page is hidden; returns how to come back. */
async function hide(page: Page): Promise<() => Promise<void>> {
  const [first] = context.pages();
  await first?.bringToFront();
  await becomes(page, () => document.hidden);
  return async () => {
    await page.bringToFront();
    await becomes(page, () => !document.hidden && document.hasFocus());
  };
}

/** Waits until something is true of a page. `waitForFunction` looks whenever a frame is drawn, and a hidden page draws none. */
async function becomes(page: Page, isTrue: () => boolean): Promise<void> {
  await expect.poll(() => page.evaluate(isTrue), { message: String(isTrue) }).toBe(true);
}

/** Waits until a path has so many events of a type, and returns them. */
async function arrived(path: string, type: string, count = 1) {
  await expect.poll(() => site.of(path, type).length, { message: `${type} of ${path}` }).toBe(count);
  return site.of(path, type);
}

/** Waits until a page has noted something so often; its notes and the tracker's messages come in any order. */
async function noted(path: string, what: string, count = 1) {
  const notes = () => site.notes.filter((note) => note.path === path && note.what === what);
  await expect.poll(() => notes().length, { message: `${what} of ${path}` }).toBe(count);
  return notes();
}

/** The same once more later, when what was sent before another page's view would have arrived. */
async function stays(path: string, type: string, count: number) {
  const mark = `/mark-${Math.random().toString(36).slice(2)}/`;
  // Its tab stays: closing it would bring another one to the front.
  await visit(site.page(mark));
  await arrived(mark, "view");
  return arrived(path, type, count);
}

const failures = (page: Page) => page.evaluate(() => (window as unknown as { failures: string[] }).failures);

const storage = (page: Page) =>
  page.evaluate(async () => ({
    session: Object.entries(sessionStorage),
    local: Object.entries(localStorage),
    cookies: document.cookie,
    databases: await indexedDB.databases(),
  }));
const EMPTY = { session: [], local: [], cookies: "", databases: [] };

test.describe("a view", () => {
  test("has address, title, width and status, and leaves the device empty", async () => {
    const url = site.page("/plain/a", { body: "<p>short" });
    const page = await visit(`${url}?utm_source=letter#part`);
    const [view] = await arrived("/plain", "view");
    // A busy machine may need a millisecond from a view to its message.
    expect({ ...view, age_ms: undefined }).toEqual({
      v: 1,
      site: "shop.test",
      url: `${url}?utm_source=letter`,
      title: "Page /plain/a",
      width: await page.evaluate(() => innerWidth),
      view: expect.stringMatching(/^[0-9a-f]{16}$/),
      type: "view",
      status: 200,
    });
    const [post] = site.posts.filter(({ body }) => body.view === view?.view);
    expect(post?.type).toBe("text/plain;charset=UTF-8");
    expect(await storage(page)).toEqual(EMPTY);
    expect(await failures(page)).toEqual([]);
  });

  test("names where the visitor came from, once", async () => {
    const target = site.page("/from/b", { body: "" });
    const start = site.page("/links/a", { body: `<a href="${target}">on</a>` }, "other.test");
    const page = await visit(start);
    await page.evaluate(() => document.querySelector("a")?.click());
    const [view] = await arrived("/from", "view");
    expect(view?.ref).toBe(new URL("/", start).href);
    await page.evaluate(() => history.pushState(null, "", "/from/c"));
    const [, next] = await arrived("/from", "view", 2);
    expect(next).not.toHaveProperty("ref");
  });

  test("waits until the page is seen", async () => {
    const page = await context.newPage();
    await page.bringToFront();
    await hide(page);
    await page.goto(site.page("/behind/"));
    await becomes(page, () => document.hidden && "pqcrypta" in window);
    await stays("/behind/", "view", 0);
    await page.bringToFront();
    await arrived("/behind/", "view");
  });

  test("waits until a prerendered page is shown", async () => {
    // Chromium does not prerender for pages that a test controls, so this one goes by itself.
    site.rules = { prerender: [{ urls: ["/rendered/"], eagerness: "immediate" }] };
    site.destination = "";
    site.page("/rendered/");
    const alone = await Unattended.open(
      site.page("/rendering/", {
        head: '<script defer src="/driver.js"></script>',
        headers: { "speculation-rules": '"/rules.json"' },
      }),
      "--disable-blink-features=AutomationControlled",
    );
    try {
      await arrived("/rendering/", "view");
      // The prerendered page and its script are loaded, and it runs.
      await noted("/rendered/", "began");
      await stays("/rendered/", "view", 0);
      site.destination = "/rendered/";
      await arrived("/rendered/", "view");
      expect(site.requests.filter((path) => path === "/rendered/")).toHaveLength(1);
      await noted("/rendered/", "activated");
    } finally {
      await alone.close();
    }
  });

  test("begins anew when the page comes back from the cache", async () => {
    const url = site.page("/cached/a", { body: '<a href="/cached/b">on</a>' });
    site.page("/cached/b");
    const page = await visit(url);
    await page.evaluate(() => document.querySelector("a")?.click());
    await arrived("/cached/b", "view");
    await page.evaluate(() => history.back());
    const [first, second] = await arrived("/cached/a", "view", 2);
    await noted("/cached/a", "restored");
    expect(second?.view).not.toBe(first?.view);
    await stays("/cached/a", "view", 2);
    await stays("/cached/b", "view", 1);
  });

  test("follows the router of a page", async () => {
    const url = site.page("/app/one");
    const page = await visit(url);
    await page.evaluate(() => {
      history.pushState(null, "", "?sort=name");
      history.replaceState(null, "", "#part");
      history.pushState(null, "", "/app/two");
      document.title = "Two";
      history.replaceState(null, "", "/app/three?x=1");
    });
    await arrived("/app/", "view", 3);
    await page.evaluate(() => history.back());
    await arrived("/app/", "view", 4);
    // Those that one script began were sent at once, over connections of their own; a status belongs to the page that was loaded.
    const statuses = site
      .of("/app/", "view")
      .map(({ url: seen, status }) => [seen.replace(/^.*\.test:\d+/, ""), status]);
    expect(statuses).toHaveLength(4);
    expect(Object.fromEntries(statuses)).toStrictEqual({
      "/app/one": 200,
      "/app/two": undefined,
      "/app/three?x=1": undefined,
      "/app/one?sort=name": undefined,
    });
    expect(new Set(site.of("/app/", "view").map(({ view }) => view)).size).toBe(4);
    expect(await failures(page)).toEqual([]);
  });

  test("counts fragments as paths if asked to", async () => {
    const page = await visit(`${site.page("/hash", { tracker: "data-test data-hash" })}#/users`);
    await arrived("/hash", "view");
    await page.evaluate(() => {
      location.hash = "#!/users/7";
    });
    await arrived("/hash", "view", 2);
    expect(site.of("/hash", "view").map(({ url }) => new URL(url).pathname)).toEqual([
      "/hash/users",
      "/hash/users/7",
    ]);

    const other = await visit(`${site.page("/nohash")}#/users`);
    await other.evaluate(() => {
      location.hash = "#/users/7";
    });
    await stays("/nohash", "view", 1);
  });

  test.describe("tells what is missing", () => {
    test("by the status of the answer", async () => {
      await visit(site.url("/missing/page"));
      expect((await arrived("/missing/page", "view"))[0]?.status).toBe(404);
    });
    test("by a meta tag", async () => {
      await visit(site.page("/meta", { head: '<meta name="pqcrypta-status" content="404">' }));
      expect((await arrived("/meta", "view"))[0]?.status).toBe(404);
    });
  });

  test("with a long title is cut to what a strict parser takes", async () => {
    await visit(site.page("/long/", { title: `${"a".repeat(299)}\u{1f600}${"b".repeat(3_000)}` }));
    const [view] = await arrived("/long/", "view");
    expect(view?.title).toBe(`${"a".repeat(299)}\ufffd`);
  });
});

test.describe("engagement", () => {
  /** What a page measured until it was hidden for the nth time. */
  const measuredBy = async (path: string, nth = 1) =>
    (await noted(path, "hidden", nth)).at(-1)?.measured ?? 0;

  test("is the time in which the page was visible and had the focus", async () => {
    const page = await visit(site.page("/read/"));
    for (let round = 1; round <= 3; round += 1) {
      await page.waitForTimeout(300);
      const back = await hide(page);
      const reported = (await arrived("/read/", "time", round)).at(-1)?.engaged_ms ?? 0;
      expect(Math.abs(reported - (await measuredBy("/read/", round)))).toBeLessThan(200);
      // Hidden time does not count.
      await page.waitForTimeout(300);
      await back();
    }
    const times = site.of("/read/", "time").map(({ engaged_ms = 0 }) => engaged_ms);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(new Set(site.events("/read/").map(({ view }) => view)).size).toBe(1);
    expect(times.at(-1)).toBeGreaterThan(600);
  });

  test("of a page that is left goes with it", async () => {
    const page = await visit(site.page("/left/", { body: '<a href="/next/">on</a>' }));
    site.page("/next/");
    await page.waitForTimeout(200);
    await page.evaluate(() => document.querySelector("a")?.click());
    const [time] = await arrived("/left/", "time");
    expect(Math.abs((time?.engaged_ms ?? 0) - (await measuredBy("/left/")))).toBeLessThan(200);
  });

  test("of a tab that is closed arrives", async () => {
    const page = await visit(site.page("/closed/"));
    await arrived("/closed/", "view");
    await page.close();
    await arrived("/closed/", "time");
  });

  test("goes at 10 s, 60 s, 5 and 15 min, and outlives a crash", async () => {
    const page = await visit(site.page("/stayed/"), (one) => one.clock.install());
    await arrived("/stayed/", "view");
    for (const [nth, seconds] of [10, 50, 240, 600].entries()) {
      await page.clock.runFor(seconds * 1_000 + 100);
      await arrived("/stayed/", "time", nth + 1);
    }
    await page.clock.runFor(3_600_000);
    await page.evaluate(() => window.pqcrypta.event("still here"));
    await arrived("/stayed/", "event");
    const cdp = await context.newCDPSession(page);
    void cdp.send("Page.crash").catch(() => undefined);
    await page.waitForEvent("crash");
    await stays("/stayed/", "time", 4);
    const minutes = site.of("/stayed/", "time").map(({ engaged_ms = 0 }) => engaged_ms / 1_000);
    for (const [nth, seconds] of [10, 60, 300, 900].entries()) {
      expect(minutes[nth]).toBeGreaterThanOrEqual(seconds);
      expect(minutes[nth]).toBeLessThan(seconds + 1);
    }
  });

  test("of a router's page begins at nothing", async () => {
    const page = await visit(site.page("/steps/one"));
    await page.waitForTimeout(400);
    await page.evaluate(() => history.pushState(null, "", "/steps/two"));
    await arrived("/steps/two", "view");
    const [first] = await arrived("/steps/one", "time");
    await hide(page);
    const [second] = await arrived("/steps/two", "time");
    expect(first?.engaged_ms).toBeGreaterThanOrEqual(300);
    const measured = await measuredBy("/steps/two");
    expect(Math.abs((first?.engaged_ms ?? 0) + (second?.engaged_ms ?? 0) - measured)).toBeLessThan(200);
  });

  test("has the share of the page that was seen", async () => {
    const page = await visit(site.page("/tall/", { body: '<canvas width="10" height="5000"></canvas>' }));
    const pct = await page.evaluate(() => {
      scrollTo(0, 1_000);
      return Math.round(((scrollY + innerHeight) / document.documentElement.scrollHeight) * 100);
    });
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    await page.evaluate(() => scrollTo(0, 0));
    await hide(page);
    const [time] = await arrived("/tall/", "time");
    expect(time?.scroll_pct).toBe(pct);

    const short = await visit(site.page("/short/"));
    await hide(short);
    expect((await arrived("/short/", "time"))[0]?.scroll_pct).toBe(100);
  });
});

test.describe("sending", () => {
  test("a click on a link is not delayed by a server that does not answer", async () => {
    const away = site.page("/away/", { body: "" }, "other.test");
    const page = await visit(site.page("/leaving/", { body: `<a href="${away}?token=secret#x">away</a>` }));
    await arrived("/leaving/", "view");
    site.isHolding = true;
    await page.click("a");
    await page.waitForURL("**/away/**");
    site.release();
    const [event] = await arrived("/leaving/", "event");
    expect(event).toMatchObject({ name: "outbound", props: { url: away } });
  });

  test("what happens without network waits, and goes with its age", async () => {
    const page = await visit(site.page("/tunnel/in"));
    await arrived("/tunnel/", "view");
    await page.context().setOffline(true);
    await page.evaluate(() => {
      history.pushState(null, "", "/tunnel/on");
      window.pqcrypta.event("shout", { loud: true });
    });
    const back = await hide(page);
    await back();
    await page.waitForTimeout(100);
    expect(site.of("/tunnel/on", "view")).toEqual([]);
    await page.context().setOffline(false);
    const [view] = await arrived("/tunnel/on", "view");
    const [event] = await arrived("/tunnel/on", "event");
    expect(event).toMatchObject({ name: "shout", props: { loud: true } });
    for (const { age_ms } of [view, event].map((one) => ({ age_ms: one?.age_ms })))
      expect(age_ms).toBeGreaterThanOrEqual(100);
    // None of it was lost, none came twice.
    await arrived("/tunnel/on", "time");
    await stays("/tunnel/on", "view", 1);
    await stays("/tunnel/on", "event", 1);
    expect(await failures(page)).toEqual([]);
  });

  test("what a server could not store comes again", async () => {
    const page = await visit(site.page("/busy/in"));
    await arrived("/busy/", "view");
    site.answer = 503;
    // Engagement of the view before is refused, too, and maybe earlier.
    const refused = page.waitForResponse(
      (one) => one.status() === 503 && (one.request().postData() ?? "").includes('"type":"view"'),
    );
    await page.evaluate(() => history.pushState(null, "", "/busy/on"));
    await refused;
    site.answer = 202;
    await page.evaluate(() => history.pushState(null, "", "/busy/out"));
    const [view] = await arrived("/busy/on", "view");
    expect(view?.age_ms).toBeGreaterThan(0);
    await stays("/busy/on", "view", 1);
  });
});

test.describe("events", () => {
  test("come from links, downloads, forms, marked elements and scripts", async () => {
    const page = await visit(
      site.page("/busy-page/", {
        body: `
          <a id="in" href="/busy-page/#x">here</a>
          <a id="file" href="/files/report.pdf" target="_blank">report</a>
          <a id="saved" href="/export" download target="_blank">export</a>
          <a id="mail" href="mailto:x@shop.test">mail</a>
          <a id="sign" href="https://other.test/up" data-event="signup" data-event-plan="pro"><b>up</b></a>
          <button type="button" data-event="menu">menu</button>
          <form id="search" action="/search"><input name="id" value="private"><button>go</button></form>
          <form data-event="order" data-event-step="2" action="/order"><input name="word" value="private"><button>go</button></form>`,
      }),
    );
    await page.evaluate(() => {
      addEventListener("click", (event) => {
        if ((event.target as Element).closest("a")) event.preventDefault();
      });
      addEventListener("submit", (event) => event.preventDefault());
      for (const what of [
        "#in",
        "#file",
        "#saved",
        "#mail",
        "#sign b",
        "button[data-event]",
        "#search button",
        "[data-event=order] button",
      ]) {
        document.querySelector<HTMLElement>(what)?.click();
      }
      const aux = (button: number) => new MouseEvent("auxclick", { button, bubbles: true, cancelable: true });
      document.querySelector("#file")?.dispatchEvent(aux(1));
      document.querySelector("#file")?.dispatchEvent(aux(2));
      window.pqcrypta.event("own", { count: 3, ok: true });
      window.pqcrypta.event("bare");
    });
    const events = await arrived("/busy-page/", "event", 9);
    const file = { name: "download", props: { url: site.url("/files/report.pdf") } };
    const known = events.map(({ name, props }) => ({ name, ...(props && { props }) }));
    expect(new Set(known.map((one) => JSON.stringify(one)))).toEqual(
      new Set(
        [
          file,
          { name: "download", props: { url: site.url("/export") } },
          { name: "signup", props: { plan: "pro" } },
          { name: "menu", props: {} },
          { name: "form", props: { form: "search" } },
          { name: "order", props: { form: "/order", step: "2" } },
          { name: "own", props: { count: 3, ok: true } },
          { name: "bare" },
        ].map((one) => JSON.stringify(one)),
      ),
    );
    expect(known.filter(({ name }) => name === "download")).toHaveLength(3);
    expect(JSON.stringify(events)).not.toContain("private");
    expect(await failures(page)).toEqual([]);
  });

  test("a script begins a view where the address says nothing", async () => {
    const page = await visit(site.page("/wizard/"));
    await page.evaluate(() => window.pqcrypta.view("/wizard/step-2"));
    await arrived("/wizard/step-2", "view");
  });
});

test.describe("consent", () => {
  const session = (path: string) => site.events(path).map((event) => event.session);

  test("without being asked for changes nothing", async () => {
    const page = await visit(site.page("/cookieless/"));
    await page.evaluate(() => window.pqcrypta.consent(true));
    await page.evaluate(() => window.pqcrypta.event("later"));
    await arrived("/cookieless/", "event");
    expect(await storage(page)).toEqual(EMPTY);
    expect(session("/cookieless/").every((one) => one === undefined)).toBe(true);
  });

  test("makes a visit of views, until it is withdrawn", async () => {
    const url = site.page("/asked/a", { tracker: 'data-test data-consent="ask"' });
    const page = await visit(url);
    const [anonymous] = await arrived("/asked/", "view");
    expect(anonymous).not.toHaveProperty("session");
    expect(await storage(page)).toEqual(EMPTY);

    await page.evaluate(() => window.pqcrypta.consent(true));
    const [, known] = await arrived("/asked/", "view", 2);
    expect(known?.session).toMatch(/^[0-9a-f]{32}$/);
    expect(known?.view).not.toBe(anonymous?.view);
    expect(await storage(page)).toEqual({ ...EMPTY, session: [["pqcrypta", known?.session]] });
    await page.evaluate(() => window.pqcrypta.consent(true));
    await page.goto(site.page("/asked/b", { tracker: 'data-test data-consent="ask"' }));
    const [next] = await arrived("/asked/b", "view");
    expect(next?.session).toBe(known?.session);

    await page.evaluate(() => window.pqcrypta.consent(false));
    const [, after] = await arrived("/asked/b", "view", 2);
    expect(after).not.toHaveProperty("session");
    expect(await storage(page)).toEqual(EMPTY);
    await page.goto(url);
    await arrived("/asked/a", "view", 3);
    expect(session("/asked/a").at(-1)).toBeUndefined();
    await stays("/asked/a", "view", 3);
  });

  test("may be presumed, but not against the browser's wish", async () => {
    const tracker = 'data-test data-consent="granted"';
    const page = await visit(site.page("/granted/", { tracker }));
    expect((await arrived("/granted/", "view"))[0]?.session).toMatch(/^[0-9a-f]{32}$/);
    await page.close();

    const wishes = (one: Page) =>
      one.addInitScript(() => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }));
    const private_ = await visit(site.page("/wish/", { tracker }), wishes);
    await private_.evaluate(() => window.pqcrypta.consent(true));
    await private_.evaluate(() => window.pqcrypta.event("later"));
    await arrived("/wish/", "event");
    expect(session("/wish/").every((one) => one === undefined)).toBe(true);
    expect(await storage(private_)).toEqual(EMPTY);

    await visit(site.page("/unheard/", { tracker: `${tracker} data-signals="ignore"` }), wishes);
    expect((await arrived("/unheard/", "view"))[0]?.session).toBeDefined();
    await visit(site.page("/silent-wish/", { tracker: `${tracker} data-signals="silent"` }), wishes);
    await stays("/silent-wish/", "view", 0);
  });
});

test.describe("silence", () => {
  test("without data-test a page elsewhere is counted", async () => {
    await visit(site.page("/live/", { tracker: "" }));
    await arrived("/live/", "view");
  });

  test.describe("on pages of the machine itself, in frames, and under automation", () => {
    const automated = (one: Page) =>
      one.addInitScript(() => Object.defineProperty(Navigator.prototype, "webdriver", { get: () => true }));
    for (const { name, host, prepare } of [
      { name: "address", host: "127.0.0.1", prepare: undefined },
      { name: "name", host: "localhost", prepare: undefined },
      { name: "webdriver", host: "shop.test", prepare: automated },
    ]) {
      test(name, async () => {
        const quiet = await visit(site.page(`/quiet-${name}/`, { tracker: "" }, host), prepare);
        await quiet.evaluate(() => window.pqcrypta.event("unheard"));
        await stays(`/quiet-${name}/`, "view", 0);
        expect(site.events(`/quiet-${name}/`)).toEqual([]);
        expect(await failures(quiet)).toEqual([]);
        await visit(site.page(`/tried-${name}/`, {}, host), prepare);
        await arrived(`/tried-${name}/`, "view");
      });
    }

    test("frame", async () => {
      site.page("/framed/");
      const page = await visit(site.page("/framing/", { body: '<iframe src="/framed/"></iframe>' }));
      await arrived("/framing/", "view");
      await page.frame({ url: /framed/ })?.waitForFunction(() => "pqcrypta" in window);
      await stays("/framed/", "view", 0);
    });
  });

  test("for a browser that asked for it, until it asks otherwise", async () => {
    const host = "ignore.test";
    const url = site.page(
      "/own/",
      { body: '<a href="#pqcrypta-ignore">no</a> <a id="yes" href="#pqcrypta-count">yes</a>' },
      host,
    );
    const page = await visit(url);
    await arrived("/own/", "view");
    await page.click("a");
    await page.evaluate(() => window.pqcrypta.event("unheard"));
    await page.goto(site.page("/own/two", {}, host));
    await stays("/own/two", "view", 0);
    expect(site.of("/own/", "event")).toEqual([]);
    await page.bringToFront();
    await page.goto(url);
    await page.click("#yes");
    await page.goto(site.url("/own/two", host));
    await arrived("/own/two", "view");
  });
});

test.describe("a page works where the browser refuses", () => {
  for (const [name, refuse] of Object.entries({
    storage: () => {
      for (const area of ["localStorage", "sessionStorage"]) {
        Object.defineProperty(window, area, {
          get() {
            throw new DOMException("refused", "SecurityError");
          },
        });
      }
    },
    network: () => {
      Object.assign(window, { fetch: undefined });
      Object.assign(Navigator.prototype, { sendBeacon: undefined });
    },
    randomness: () => Object.defineProperty(window, "crypto", { value: undefined }),
    history: () => Object.freeze(history),
    timing: () => Object.assign(Performance.prototype, { getEntriesByType: undefined }),
  })) {
    test(name, async () => {
      const page = await visit(
        site.page(`/refused-${name}/`, {
          tracker: 'data-test data-consent="ask"',
          body: '<a href="#x">x</a>',
        }),
        (one) => one.addInitScript(refuse),
      );
      await page.click("a");
      await page.evaluate(() => {
        history.pushState(null, "", "?x");
        window.pqcrypta?.event("x");
        window.pqcrypta?.view();
        window.pqcrypta?.consent(true);
      });
      const back = await hide(page);
      await back();
      expect(await failures(page)).toEqual([]);
      if (name === "storage") await arrived(`/refused-${name}/`, "view", 2);
    });
  }
});
