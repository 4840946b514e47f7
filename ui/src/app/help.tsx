/** The sheet of keys and gestures. */
import { meta } from "../api/store";
import { VIEWS } from "../views/registry";

const KEYS: readonly [string, string][] = [
  ["Ctrl K", "Search views, metrics, tables, hosts and more"],
  ["/", "Search in the table"],
  ["t", "Time range"],
  ["z", "Previous range"],
  ["← →", "Earlier or later; on a chart: move the cursor (Shift: ten steps, Home, End)"],
  ["Enter", "On a chart: pin the cursor, then its snapshot"],
  ["[ ]", "In a snapshot: the event before or after"],
  ["Space", "Pause or resume"],
  ["r", "Refresh now"],
  ["?", "This help"],
];

const GESTURES: readonly [string, string][] = [
  ["Drag", "Select time, then Zoom, Compare or Snapshot; with Alt: zoom at once"],
  ["Double click", "Previous range"],
  ["Ctrl wheel, pinch", "Zoom"],
  ["Click, tap", "Pin the cursor on all charts; again: the snapshot of that instant"],
  ["Legend", "Click: only this line; Ctrl-click: hide or show it"],
];

export default function Help({ close }: { close: () => void }) {
  const views = VIEWS.map((view): [string, string] => [`g ${view.key}`, view.title]);
  return (
    <div class="sheet">
      <header>
        <h2>Keyboard shortcuts and gestures</h2>
        <button type="button" class="button" onClick={close}>
          Close
        </button>
      </header>
      <div class="columns">
        <Keys title="Views" rows={views} />
        <Keys title="Keys" rows={KEYS} />
        <Keys title="Charts" rows={GESTURES} />
      </div>
      <p class="muted">
        Single-letter shortcuts can be switched off under Display. A line is the mean of each bucket, the band
        around it the minimum and maximum; the area behind it is what is usual at that hour. Server{" "}
        {meta.value?.version ?? "unknown"}.
      </p>
    </div>
  );
}

function Keys({ title, rows }: { title: string; rows: readonly [string, string][] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl class="keys">
        {rows.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
