/**
 * The tracker: counts views, engaged time and events of a site, and sends them to `pqcrypta-analytics`.
 *
 *     <script defer src="/stats/pqcrypta-analytics.js" data-site="example.org"></script>
 *
 * One classic script without dependency; the server's folder, `/stats/` here, is that of the script. Nothing is read
 * from the device that a request does not carry anyway, but for one mark: that this browser shall not be counted. Nothing is
 * stored on it, unless `data-consent` says that visitors are asked and the visitor agreed; then an id lies in
 * sessionStorage. Rules that need a memory (when a session ends, what a page is called) are the server's.
 *
 * A view begins when the page is visible for the first time, when a script changes the path, and when the browser
 * brings the page back from its cache. What happens is sent as it happens; engagement (`engaged.ts`) when the page is
 * hidden or left, and at a few lengths of time. No listener prevents, delays or throws anything: each failure
 * of the tracker stays in the tracker.
 */
import { scrolledPct, stopwatch, untilReport } from "./engaged";
import { linkEvent, markedProps, type Props } from "./links";
import { type Body, outbox, type TrackedEvent } from "./outbox";
import { asksForPrivacy, isLocal, type Signals } from "./silence";

declare global {
  interface Window {
    pqcrypta: Api;
  }
}

/** What pages may call. */
interface Api {
  /** Counts an event of the page's own. */
  event(name: string, props?: Props): void;
  /** Begins a view, by default of the present address. */
  view(url?: string): void;
  /** Notes what the visitor answered; without `data-consent` on the script it does nothing. */
  consent(granted: boolean): void;
}

/** The server takes no longer address and cuts longer titles. */
const MAX_URL = 2048;
const MAX_TITLE = 300;

/** Makes a function that throws nothing: a page works without being counted. */
const guard =
  <Args extends unknown[]>(body: (...args: Args) => void) =>
  (...args: Args): void => {
    try {
      body(...args);
    } catch {}
  };

/** Listens before the page does; what happens to the document passes the window, too. */
const listen = (names: string, body: (event: never) => void): void => {
  for (const name of names.split(" ")) addEventListener(name, guard(body) as EventListener, true);
};

const clock = (): number => performance.now();

const randomHex = (bytes: number): string =>
  [...crypto.getRandomValues(new Uint8Array(bytes))]
    .map((byte) => (byte + 256).toString(16).slice(1))
    .join("");

guard(() => {
  const script = document.currentScript as HTMLScriptElement;
  const { site = location.hostname, base = "", hash, test, consent: asks, signals } = script.dataset;
  const endpoint = new URL(`${base}e`, script.src).href;
  const wantsPrivacy = signals !== "ignore" && asksForPrivacy(navigator as Signals);
  const isOff =
    window !== top ||
    (test === undefined && (isLocal(location.hostname) || navigator.webdriver)) ||
    (wantsPrivacy && signals === "silent");

  const deliver = outbox(
    clock,
    // Without network the browser would take it and drop it.
    (text) => navigator.onLine && navigator.sendBeacon(endpoint, text),
    (body) => fetch(endpoint, { method: "POST", body, keepalive: true, credentials: "omit" }),
  );

  // With `data-hash` the fragment is the path of a page's own router.
  const place = (): string =>
    location.pathname + (hash === undefined ? "" : location.hash.replace(/^#!?\/?/, "/"));

  let path = place();
  // Both belong to the page that was loaded, not to those that its scripts show.
  let answered = (performance.getEntriesByType("navigation") as PerformanceNavigationTiming[])[0]
    ?.responseStatus;
  let ref: string | undefined = document.referrer || undefined;
  let session: string | undefined;
  /** This browser shall not be counted. */
  let isIgnored = false;
  /** The view waits to be seen. */
  let isPending = true;
  let view = "";
  let url: string | undefined;
  let engaged = stopwatch(clock);
  let deepest = 0;
  /** Both figures of the last report together: each only grows. */
  let reported = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const send = (event: TrackedEvent, isLast?: boolean): void => {
    if (isOff || isIgnored) return;
    const body: Body = {
      v: 1,
      site,
      url,
      ref,
      title: document.title.slice(0, MAX_TITLE),
      width: innerWidth,
      view,
      session,
      events: [event],
    };
    deliver(isLast, body);
  };

  /** Sends an event of the page, which may be left right after. */
  const happened = (name: string, props?: Props): void => send({ type: "event", name, props }, true);

  /** Runs or stops the clock as the page is used now, sets when it reports by itself, and returns its time. */
  const look = (): number => {
    const runs = !isPending && !document.hidden && document.hasFocus();
    const ms = engaged(runs);
    const rest = untilReport(ms);
    clearTimeout(timer);
    if (runs && rest) timer = setTimeout(guard(report), rest);
    return Math.round(ms);
  };

  const seen = (): void => {
    deepest = Math.max(deepest, scrollY + innerHeight);
  };

  /** Sends what engagement has grown to. */
  const report = (isLast?: boolean): void => {
    seen();
    const ms = look();
    const pct = scrolledPct(deepest, document.documentElement.scrollHeight);
    if (isPending || ms + pct <= reported) return;
    reported = ms + pct;
    send({ type: "time", engaged_ms: ms, scroll_pct: pct }, isLast);
  };

  /** Returns what a meta tag says of the page, or else the status of the answer that it came with. */
  const status = (): number | undefined => {
    const tag = document.querySelector<HTMLMetaElement>("meta[name=pqcrypta-status]");
    return (tag ? +tag.content : answered) || undefined;
  };

  const show = (): void => {
    if (isPending && !document.hidden && !(document as { prerendering?: boolean }).prerendering) {
      isPending = false;
      engaged = stopwatch(clock);
      deepest = reported = 0;
      send({ type: "view", status: status() });
    }
    look();
  };

  /** Makes a view that waits to be seen. */
  const renew = (): void => {
    isPending = true;
    view = randomHex(8);
  };

  const begin = (as = location.origin + place() + location.search): void => {
    renew();
    url = new URL(as, location.href).href.slice(0, MAX_URL);
    show();
  };

  const moved = (): void => {
    if (place() === path) return;
    path = place();
    report();
    ref = answered = undefined;
    begin();
  };

  /** Stores or removes the id, as the visitor answered now or, without an argument, before. */
  const remember = guard((isGranted?: boolean) => {
    session = undefined;
    if ((isGranted ?? sessionStorage.pqcrypta) && !wantsPrivacy) {
      session = sessionStorage.pqcrypta ||= randomHex(16);
    } else delete sessionStorage.pqcrypta;
  });

  /** `#pqcrypta-ignore` takes this browser out of the figures, `#pqcrypta-count` back into them. */
  const heed = guard(() => {
    const [, wish] = location.hash.split("#pqcrypta-");
    if (wish === "ignore") localStorage.pqcrypta = wish;
    if (wish === "count") delete localStorage.pqcrypta;
    isIgnored = !!localStorage.pqcrypta;
  });

  const click = ({ button, target }: { button: number; target: Element }): void => {
    const marked = target.closest<HTMLElement>("[data-event]:not(form)");
    const link = target.closest<HTMLAnchorElement>("a[href]");
    // 0 and 1 follow a link; others open a menu.
    if (button > 1) return;
    if (marked) happened(marked.dataset.event as string, markedProps(marked.dataset));
    else if (link) {
      const followed = linkEvent(link, location.host, link.hasAttribute("download"));
      if (followed) happened(...followed);
    }
  };

  const submit = ({ target: form }: { target: HTMLFormElement }): void => {
    // Fields of the form may hide its properties.
    const name = form.getAttribute("id") || form.getAttribute("action");
    happened(form.dataset.event || "form", { form: name || "", ...markedProps(form.dataset) });
  };

  window.pqcrypta = {
    event: guard(happened),
    view: guard((as) => {
      report();
      begin(as);
    }),
    consent: guard((isGranted) => {
      if (isOff || !asks) return;
      const before = session;
      if (isGranted) report();
      remember(isGranted);
      // The same page once more, as part of a visit: what came before stays anonymous.
      if (session !== before) begin();
    }),
  };
  if (isOff) return;

  heed();
  if (asks) remember(asks === "granted" || undefined);

  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    history[name] = function (...args) {
      original.apply(this, args);
      guard(moved)();
    };
  }
  listen("popstate hashchange", () => {
    heed();
    moved();
  });
  listen("pagehide", () => {
    report(true);
    // If the browser brings the page back from its cache, that is a new view; nobody linked to it.
    ref = undefined;
    renew();
  });
  listen("online", () => deliver());
  listen("focus blur", () => look());
  listen("visibilitychange prerenderingchange pageshow", () => {
    show();
    if (document.hidden) {
      report(true);
      deliver(true);
    }
  });
  listen("scroll", seen);
  listen("click auxclick", click);
  listen("submit", submit);
  begin();
})();
