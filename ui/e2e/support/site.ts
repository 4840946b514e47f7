/**
 * A web site whose pages load the tracker, the server that collects what it sends, and a browser to visit it.
 *
 * The pages have a strict policy and a script of their own, which measures engagement by itself. The browser is one that
 * behaves as on a desk: tabs that are behind others are hidden, pages lie in the back-forward cache, no page has the
 * focus by emulation. Names below `.test` lead to this machine, so that no page is a local one.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env } from "node:process";
import { createInterface } from "node:readline";
import { type Browser, type BrowserContext, chromium } from "@playwright/test";
import { build } from "vite";

/** One message of the tracker. */
export interface Post {
  host: string;
  type: string;
  body: {
    v: number;
    site: string;
    url: string;
    ref?: string;
    title?: string;
    width: number;
    view: string;
    session?: string;
    events: {
      type: string;
      age_ms?: number;
      engaged_ms?: number;
      scroll_pct?: number;
      status?: number;
      name?: string;
      props?: Record<string, unknown>;
    }[];
  };
}

interface PageSetup {
  /** Attributes of the script. */
  tracker?: string;
  title?: string;
  head?: string;
  body?: string;
  status?: number;
  headers?: Record<string, string>;
}

const POLICY =
  "default-src 'none'; script-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'";

/** Measures engagement as the tracker shall: `measured` returns the milliseconds, `isFocused` whether they run. */
const PAGE_SCRIPT = `
  let total = 0, from = performance.now(), was = false;
  const measure = () => {
    const at = performance.now();
    if (was) total += at - from;
    from = at;
    was = document.visibilityState === "visible" && document.hasFocus();
    return total;
  };
  for (const name of ["focus", "blur"]) window.addEventListener(name, measure);
  document.addEventListener("visibilitychange", measure);
  const fail = ({ type, message, violatedDirective }) => window.failures.push([type, message ?? violatedDirective].join(" "));
  window.failures = [];
  window.addEventListener("error", fail);
  window.addEventListener("unhandledrejection", fail);
  document.addEventListener("securitypolicyviolation", fail);
  window.measured = measure;
  const note = (what) => {
    const said = { what, path: location.pathname, measured: measure(), failures: window.failures };
    navigator.sendBeacon?.("/note", JSON.stringify(said));
  };
  window.addEventListener("pageshow", (event) => { if (event.persisted) note("restored"); });
  window.addEventListener("pagehide", () => note("left"));
  document.addEventListener("visibilitychange", () => note(document.visibilityState));
  document.addEventListener("prerenderingchange", () => note("activated"));
  // The tracker begins once it is loaded, right before this event.
  document.addEventListener("DOMContentLoaded", () => { measure(); total = 0; });
  measure();
  if (document.prerendering) window.addEventListener("load", () => fetch("/note", {
    method: "POST",
    body: JSON.stringify({ what: "began", path: location.pathname, measured: 0, failures: [] }),
  }));
`;

/** Goes where it is told, in a browser that nobody controls. */
const DRIVER = `
  const ask = async () => {
    const destination = await (await fetch("/destination")).text();
    if (destination) location.assign(destination);
    else setTimeout(ask, 50);
  };
  ask();
`;

async function buildTracker(): Promise<string> {
  const config = join(import.meta.dirname, "../../tracker/vite.config.ts");
  const [made] = (await build({
    configFile: config,
    logLevel: "warn",
    build: { write: false },
  })) as unknown as {
    output: { code: string }[];
  }[];
  return made?.output[0]?.code ?? "";
}

export class Site {
  readonly posts: Post[] = [];
  /** What the pages themselves report. */
  readonly notes: { what: string; path: string; measured: number; failures: string[] }[] = [];
  /** The paths that were asked for. */
  readonly requests: string[] = [];
  /** Speculation rules, served at `/rules.json`. */
  rules: unknown = {};
  /** Where a page with `/driver.js` goes once this is set. */
  destination = "";
  /** What the collecting server answers. */
  answer = 202;
  readonly #pages = new Map<string, PageSetup>();
  readonly #held: ServerResponse[] = [];
  isHolding = false;
  readonly #server;
  #port = 0;

  constructor(tracker: string) {
    this.#server = createServer((request, response) => {
      const path = new URL(request.url ?? "/", "http://any.test").pathname;
      this.requests.push(path);
      const send = (type: string, text: string, status = 200, headers = {}): void => {
        response.writeHead(status, { "content-type": type, ...headers }).end(text);
      };
      let text = "";
      request.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      if (path === "/note") {
        request.on("end", () => {
          this.notes.push(JSON.parse(text));
          response.writeHead(204).end();
        });
      } else if (request.method === "POST" && path === "/stats/e") {
        request.on("end", () => {
          if (this.answer < 300) {
            const { host = "", "content-type": type = "" } = request.headers;
            this.posts.push({ host, type, body: JSON.parse(text) });
          }
          response.statusCode = this.answer;
          if (this.isHolding) this.#held.push(response);
          else response.end();
        });
      } else if (path === "/stats/pqcrypta-analytics.js") send("text/javascript", tracker);
      else if (path === "/page.js") send("text/javascript", PAGE_SCRIPT);
      else if (path === "/rules.json") send("application/speculationrules+json", JSON.stringify(this.rules));
      else if (path === "/driver.js") send("text/javascript", DRIVER);
      else if (path === "/destination") send("text/plain", this.destination);
      else if (path === "/favicon.ico") send("image/png", "", 204);
      else {
        const { tracker: attributes = "data-test", ...page } = this.#pages.get(path) ?? { status: 404 };
        const html = `<!doctype html><meta charset="utf-8"><title>${page.title ?? `Page ${path}`}</title>${page.head ?? ""}
          <script src="/page.js"></script>
          <script defer src="/stats/pqcrypta-analytics.js" ${attributes}></script>
          <body>${page.body ?? ""}</body>`;
        send("text/html", html, page.status ?? 200, {
          "content-security-policy": POLICY,
          ...page.headers,
        });
      }
    });
  }

  static async start(): Promise<Site> {
    const site = new Site(await buildTracker());
    await new Promise<void>((done) => site.#server.listen(0, "127.0.0.1", done));
    site.#port = (site.#server.address() as AddressInfo).port;
    return site;
  }

  /** Adds a page and returns its address. */
  page(path: string, setup: PageSetup = {}, host = "shop.test"): string {
    this.#pages.set(path, setup);
    return this.url(path, host);
  }

  url(path: string, host = "shop.test"): string {
    return `http://${host}:${this.#port}${path}`;
  }

  /** The messages of pages whose path begins so, each as its event with what belongs to the view. */
  events(path: string) {
    return this.posts
      .filter(({ body }) => new URL(body.url).pathname.startsWith(path))
      .map(({ body: { events, ...body } }) => ({ ...body, ...events[0] }));
  }

  of(path: string, type: string) {
    return this.events(path).filter((event) => event.type === type);
  }

  /** Answers what was held back. */
  release(): void {
    this.isHolding = false;
    for (const response of this.#held.splice(0)) response.end();
  }

  stop(): void {
    this.release();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** A browser in a profile of its own that nothing controls. */
export class Unattended {
  readonly child: ChildProcess;
  readonly #profile: string;

  private constructor(child: ChildProcess, profile: string) {
    this.child = child;
    this.#profile = profile;
  }

  static async open(url: string, ...more: string[]): Promise<Unattended> {
    const profile = await mkdtemp(join(tmpdir(), "desk-"));
    const flags = [
      "--headless=new",
      `--user-data-dir=${profile}`,
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--host-resolver-rules=MAP *.test 127.0.0.1",
    ];
    const child = spawn(env.CHROMIUM ?? "/usr/bin/chromium", [...flags, ...more, url], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    return new Unattended(child, profile);
  }

  async close(): Promise<void> {
    const ended = new Promise((done) => this.child.once("exit", done));
    this.child.kill();
    await ended;
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** One that a test controls, without any of the defaults that make tests easy and tabs unlike those of a visitor. */
export class Desk {
  readonly #chromium: Unattended;
  readonly #browser: Browser;

  private constructor(unattended: Unattended, browser: Browser) {
    this.#chromium = unattended;
    this.#browser = browser;
  }

  static async open(...more: string[]): Promise<Desk> {
    const unattended = await Unattended.open("about:blank", "--remote-debugging-port=0", ...more);
    const output = unattended.child.stderr as NodeJS.ReadableStream;
    let address = "";
    for await (const line of createInterface({ input: output })) {
      address = /listening on (ws:\S+)/.exec(line)?.[1] ?? "";
      if (address) break;
    }
    output.resume();
    return new Desk(unattended, await chromium.connectOverCDP(address, { noDefaults: true }));
  }

  /** The browser's own context, with its first tab. */
  get context(): BrowserContext {
    const [context] = this.#browser.contexts();
    if (!context) throw new Error("the browser has no context");
    return context;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#chromium.close();
  }
}
