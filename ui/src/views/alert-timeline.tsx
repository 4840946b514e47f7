/**
 * The range as lanes, one per rule and target, with a bar from opening to resolution.
 *
 * The whole is one stop of the Tab key; arrow keys move between bars and lanes, Enter opens the finding. Severities differ in
 * height as well as in colour, and each bar reads itself out.
 */
import { useRef, useState } from "preact/hooks";
import { now, serverNow, trusted } from "../api/store";
import type { AlertLane, AlertsAnswer } from "../api/types.gen";
import { Empty } from "../app/panel";
import { SEVERITY_WORD, SeverityMark } from "../app/shape";
import { chooseTimeStep, labelTimes, splitTime } from "../charts/time-axis";
import { formatDateTime, formatDuration } from "../format/time";
import { keepUnits } from "../format/value";
import { place, range, utc } from "../state/location";
import { resolveRange } from "../state/range";
import { type DrawnBar, drawBar, passes } from "./alert-lanes";

interface TimelineProps {
  answer: AlertsAnswer;
  onSelect(id: string): void;
}

/** About as wide as the tracks are, and as a label is. */
const WIDTH_PX = 800;
const LABEL_PX = 130;
/** Share of the range that the last label may begin at. */
const LAST_LABEL = 0.9;
const percent = (share: number): string => `${Math.round(share * 1e5) / 1e3}%`;

export default function AlertTimeline({ answer, onSelect }: TimelineProps) {
  const root = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState("");
  const { fromMs, toMs } = resolveRange(range.value, serverNow());
  const chosen = (filter: string): readonly string[] => place.value.params[`f.${filter}`] ?? [];
  const filter = {
    kind: chosen("kind"),
    severity: chosen("severity"),
    state: chosen("state"),
    rule: chosen("rule"),
    domain: chosen("domain"),
  };
  const knownMs = trusted.value ? null : (now.value?.freshness.newest_ms ?? null);
  const lanes = answer.lanes
    .map((lane) => ({
      lane,
      bars: lane.bars.flatMap((bar) => drawBar(bar, fromMs, toMs, answer.now_ms, knownMs) ?? []).reverse(),
    }))
    .filter(({ bars }) => bars.length > 0);
  const ids = lanes.flatMap(({ bars }) => bars.map(({ bar }) => bar.id));
  const stop = ids.includes(current) ? current : ids[0];
  const step = chooseTimeStep(toMs - fromMs, WIDTH_PX, LABEL_PX);
  const ticks = splitTime(fromMs, toMs, step, utc.value);
  const labels = labelTimes(ticks, step, utc.value);
  const move = (event: KeyboardEvent): void => {
    const next = neighbour(root.current, event.key);
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    setCurrent(next.dataset.id ?? "");
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  return (
    <section class="panel timeline" aria-label="Timeline">
      <header>
        <h2>Timeline</h2>
        {answer.more_lanes > 0 && <span class="muted">{`${answer.more_lanes} more in the table`}</span>}
      </header>
      {lanes.length === 0 ? (
        <Empty height={80}>No alerts in this range.</Empty>
      ) : (
        // biome-ignore lint/a11y/noStaticElementInteractions: the bars inside have the focus
        <div ref={root} class="lanes" onKeyDown={move}>
          <ul>
            {lanes.map(({ lane, bars }) => (
              // Lanes that the table leaves out stay where they are: nothing below them moves.
              <li key={`${lane.rule} ${lane.target}`} class={passes(lane, filter) ? undefined : "dim"}>
                <LaneName lane={lane} />
                <div class="track">
                  {bars.map((drawn) => (
                    <BarParts key={drawn.bar.id} drawn={drawn} />
                  ))}
                  {bars.map((drawn) => (
                    <button
                      key={drawn.bar.id}
                      type="button"
                      data-id={drawn.bar.id}
                      tabIndex={drawn.bar.id === stop ? 0 : -1}
                      aria-label={readBar(lane, drawn, answer.now_ms)}
                      title={readBar(lane, drawn, answer.now_ms)}
                      style={{
                        left: `min(${percent(drawn.left)}, 100% - 24px)`,
                        width: percent(drawn.width),
                      }}
                      onFocus={() => setCurrent(drawn.bar.id)}
                      onClick={() => onSelect(drawn.bar.id)}
                    />
                  ))}
                </div>
              </li>
            ))}
          </ul>
          <div class="axis" aria-hidden="true">
            {ticks.map((at, index) => {
              const left = (at - fromMs) / (toMs - fromMs);
              // A label that would be cut is left out.
              return (
                left <= LAST_LABEL && (
                  <span key={at} style={{ left: percent(left) }}>
                    {labels[index]}
                  </span>
                )
              );
            })}
          </div>
        </div>
      )}
    </section>
  );
}

function LaneName({ lane }: { lane: AlertLane }) {
  const isUnknown = lane.state === "unknown" || !trusted.value;
  const severity = lane.state === "resolved" ? "ok" : isUnknown ? "unknown" : lane.severity;
  return (
    <span class="lane-name" title={`${lane.title} (${lane.rule})`}>
      <SeverityMark severity={severity} short />
      <bdi class="clip">{keepUnits(lane.title)}</bdi>
    </span>
  );
}

function BarParts({ drawn }: { drawn: DrawnBar }) {
  return (
    <>
      {drawn.segments.map(({ left, width, severity }) => (
        <i key={`${left}`} class={severity} style={{ left: percent(left), width: percent(width) }} />
      ))}
    </>
  );
}

/** `Memory usage is high: critical, from 22 Nov 14:02:11, 12 min, still firing`. */
function readBar(lane: AlertLane, { bar, segments }: DrawnBar, nowMs: number): string {
  const words = [...new Set(segments.map(({ severity }) => SEVERITY_WORD[severity].toLowerCase()))];
  const end = bar.resolved_ms ?? nowMs;
  const isUnknown = segments[segments.length - 1]?.severity === "unknown";
  const state = bar.resolved_ms !== null ? "resolved" : isUnknown ? "no data" : "still firing";
  const since = formatDateTime(bar.opened_ms, utc.value, nowMs);
  return `${lane.title}: ${words.join(", then ")}, from ${since}, ${formatDuration((end - bar.opened_ms) / 1000)}, ${state}`;
}

/** The bar that a key leads to from the one with the focus: along its lane, or the nearest one of the next lane. */
function neighbour(root: HTMLElement | null, key: string): HTMLElement | null {
  const from = document.activeElement;
  if (!root || !(from instanceof HTMLElement) || from.dataset.id === undefined) return null;
  const all = [...root.querySelectorAll<HTMLElement>("button[data-id]")];
  const at = all.indexOf(from);
  if (key === "Home") return all[0] ?? null;
  if (key === "End") return all[all.length - 1] ?? null;
  if (key === "ArrowLeft") return all[at - 1] ?? null;
  if (key === "ArrowRight") return all[at + 1] ?? null;
  const by = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
  if (by === 0) return null;
  const tracks = [...root.querySelectorAll<HTMLElement>(".track")];
  const track = tracks[tracks.findIndex((one) => one.contains(from)) + by];
  const bars = [...(track?.querySelectorAll<HTMLElement>("button[data-id]") ?? [])];
  const distance = (one: HTMLElement): number => Math.abs(one.offsetLeft - from.offsetLeft);
  return bars.sort((a, b) => distance(a) - distance(b))[0] ?? null;
}
