/** The top bar: host, verdict, range, live, search, link, display, help. */
import { useState } from "preact/hooks";
import { ageSecs, freshness, meta, now, problemCount, shownNow, trusted, verdict } from "../api/store";
import { formatDuration } from "../format/time";
import { missed, pausedByHand, pauseReason, refreshNow } from "../state/live";
import { basePath, place, range, setRange, zone } from "../state/location";
import { preferences } from "../state/preferences";
import { freezeRange, isLive } from "../state/range";
import { formatPlace, withParams } from "../state/url";
import { Dialogs, openHelp, openPalette, rangeOpener } from "./dialogs";
import { ViewLink } from "./link";
import { Menu } from "./menu";
import { Part } from "./part";
import { rangeLabel } from "./range-label";
import { SEVERITY_WORD, SeverityMark } from "./shape";

export function Bar() {
  return (
    <header class="bar">
      <ViewLink view="now" class="brand">
        pqcrypta
      </ViewLink>
      <Host />
      <VerdictPill />
      <span class="grow" />
      <Menu
        label={<>{rangeLabel(range.value)} ▾</>}
        name={`Time range: ${rangeLabel(range.value)}`}
        openWhen={rangeOpener.value}
        class="range-button"
      >
        {(close) => <Part load={() => import("./range-form")} close={close} />}
      </Menu>
      <LivePill />
      <button type="button" class="button" onClick={openPalette} aria-keyshortcuts="Control+K">
        Search <kbd>Ctrl K</kbd>
      </button>
      <CopyLink />
      <Menu label="Display ▾" name="Display">
        {(close) => <Part load={() => import("./display-form")} close={close} />}
      </Menu>
      <button type="button" class="button" onClick={openHelp} aria-label="Help" aria-keyshortcuts="?">
        ?
      </button>
      <Dialogs />
    </header>
  );
}

/** Several hosts are chosen from by what a single one does not load. */
function Host() {
  return (
    <span class="host clip">
      {meta.value?.hosts[1] ? <Part load={() => import("./host-picker")} /> : now.value?.host.name}
    </span>
  );
}

function VerdictPill() {
  const { severity } = verdict.value;
  const age = ageSecs.value;
  const isOld = freshness.value === "late" || freshness.value === "stale";
  const problems = problemCount.value;
  const word = SEVERITY_WORD[severity];
  return (
    <>
      <ViewLink view="now" class={`pill ${severity}`}>
        <span class="unseen">Verdict: </span>
        <SeverityMark
          severity={severity}
          text={problems > 1 && trusted.value ? `${word} · ${problems}` : word}
        />
      </ViewLink>
      {isOld && age !== null && (
        <span class="pill warn old">
          <SeverityMark severity="warn" text={`data ${formatDuration(age)} old`} />
        </span>
      )}
    </>
  );
}

function LivePill() {
  const reason = pauseReason.value;
  const count = missed.value;
  const isFixed = reason === "fixed range";
  const isFlowing = reason === "" && trusted.value;
  const paused = `${isFixed ? "Fixed" : "Paused"}${count > 0 ? ` · ${count} new` : ""}`;
  const flowing = freshness.value === "late" ? "Late" : "Live";
  const label = reason !== "" ? paused : isFlowing ? flowing : "Waiting";
  return (
    <button
      type="button"
      class={`button live${isFlowing ? " on" : ""}`}
      aria-pressed={reason === ""}
      aria-label={reason === "" ? `${label}, press to pause` : `${label} (${reason}), press to resume`}
      title={reason === "" ? "Pause (space)" : `${reason}: press to resume`}
      onClick={toggleLive}
    >
      <i class="dot" aria-hidden="true" />
      {label}
    </button>
  );
}

export function toggleLive(): void {
  if (pauseReason.peek() === "") pausedByHand.value = true;
  else if (pausedByHand.peek()) pausedByHand.value = false;
  else if (!isLive(range.peek())) {
    const held = preferences.peek().range;
    setRange(isLive(held) ? held : { from: "now-1h", to: "now" });
  } else document.getSelection()?.removeAllRanges();
  if (pauseReason.peek() === "") refreshNow();
}

/** The address of what is shown, with the range as it is at this moment. */
export function frozenLink(): string {
  const fixed = freezeRange(range.peek(), shownNow.peek());
  const host = now.peek()?.host.id;
  const frozen = withParams(place.peek(), {
    from: fixed.from,
    to: fixed.to,
    zone: zone.peek(),
    ...(host === undefined ? {} : { host: String(host) }),
  });
  return location.origin + formatPlace(basePath, frozen);
}

function CopyLink() {
  const [state, setState] = useState<"" | "copied" | string>("");
  const copy = async (): Promise<void> => {
    const link = frozenLink();
    try {
      await navigator.clipboard.writeText(link);
      setState("copied");
    } catch {
      // No clipboard without a secure origin: show the link to be copied by hand.
      setState(link);
    }
    setTimeout(() => setState(""), 8000);
  };
  return (
    <>
      <button
        type="button"
        class="button"
        onClick={() => void copy()}
        title="A link to exactly this, with fixed times"
      >
        {state === "copied" ? "Copied" : "Copy link"}
      </button>
      {state !== "" && state !== "copied" && (
        <input class="link-text" readOnly value={state} aria-label="Link" ref={(field) => field?.select()} />
      )}
    </>
  );
}
