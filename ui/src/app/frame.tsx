/**
 * What is around every view: bar, rail, banners, and the view itself.
 *
 * A view is loaded when it is first opened. Moving to another one puts the focus on its heading; the
 * live region announces only when the verdict changes, at most once in 30 s.
 */
import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { meta, metaFailure, now, trusted, verdict } from "../api/store";
import { density, fitDefaultRange, place, theme } from "../state/location";
import { param } from "../state/url";
import { type View, viewById } from "../views/registry";
import { Banners } from "./banners";
import { Bar } from "./bar";
import { listenForKeys } from "./keys";
import { Skeleton, Unloaded } from "./panel";
import { Part } from "./part";
import { Rail } from "./rail";
import { Tip } from "./tip";

export function Frame() {
  const view = viewById(place.value.view);
  useEffect(listenForKeys, []);
  const host = now.value?.host;
  useEffect(() => {
    const state = now.peek();
    if (state) fitDefaultRange(state.now_ms - (state.host.first_ms ?? 0));
  }, [host?.id]);
  useEffect(() => void import("./title").then((title) => title.showInTitle()), []);
  document.documentElement.dataset.theme = theme.value;
  document.documentElement.dataset.density = density.value;
  document.documentElement.dataset.trusted = trusted.value ? "yes" : "no";
  return (
    <>
      <button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>("h1")?.focus()}>
        Skip to content
      </button>
      <Bar />
      <Rail current={view?.id ?? ""} />
      <main>
        <Banners />
        {param(place.value, "compare") && <Part load={() => import("../views/compare")} />}
        {view ? <ViewSlot key={view.id} view={view} /> : <Part load={() => import("./no-such-view")} />}
      </main>
      <Tip />
      <Announcer />
    </>
  );
}

const loaded = signal<Readonly<Record<string, ComponentType>>>({});
let isFirst = true;

function ViewSlot({ view }: { view: View }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const [failed, setFailed] = useState(false);
  const Content = loaded.value[view.id];
  useEffect(() => {
    if (!isFirst) {
      heading.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    isFirst = false;
    if (loaded.peek()[view.id]) return;
    view.load().then(
      (module) => {
        loaded.value = { ...loaded.peek(), [view.id]: module.default };
      },
      () => setFailed(true),
    );
  }, [view]);
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        {view.title}
      </h1>
      {failed ? (
        <Unloaded what="This part of the dashboard" />
      ) : Content && (meta.value || metaFailure.value) ? (
        <Content />
      ) : (
        <Skeleton height={320} />
      )}
    </>
  );
}

const QUIET_MS = 30_000;

function Announcer() {
  const [announced, setAnnounced] = useState("");
  const text = verdict.value.text;
  const lastMs = useRef(Number.NEGATIVE_INFINITY);
  const severity = verdict.value.severity;
  useEffect(() => {
    const wait = Math.max(1000, lastMs.current + QUIET_MS - performance.now());
    const timer = setTimeout(() => {
      lastMs.current = performance.now();
      setAnnounced(verdict.peek().text);
    }, wait);
    return () => clearTimeout(timer);
  }, [severity, text === ""]);
  return (
    <div class="unseen" role="status" aria-live="polite">
      {announced}
    </div>
  );
}
