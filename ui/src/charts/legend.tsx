/**
 * The names and values of a chart's lines.
 *
 * Values follow the crosshair as text nodes, without drawing the component anew. A click shows one
 * line alone (again: all), Ctrl-click hides or shows one.
 */
import type { ReadonlySignal } from "@preact/signals";
import { useComputed } from "@preact/signals";
import { formatExact, formatValue } from "../format/value";
import { crosshairMs } from "./crosshair";
import { bucketAt, heldAt, type Model } from "./model";
import { DASHES } from "./palette";

interface LegendProps {
  model: ReadonlySignal<Model>;
  hidden: ReadonlySet<string>;
  onHide(next: ReadonlySet<string>): void;
}

export function Legend({ model, hidden, onHide }: LegendProps) {
  const lines = model.value.lines;
  const choose = (id: string, onlyToggle: boolean): void => {
    if (onlyToggle) {
      const next = new Set(hidden);
      if (!next.delete(id)) next.add(id);
      onHide(next.size === lines.length ? new Set() : next);
      return;
    }
    const others = lines.filter((line) => line.id !== id).map((line) => line.id);
    const isAlone = !hidden.has(id) && others.every((other) => hidden.has(other));
    onHide(new Set(isAlone ? [] : others));
  };
  return (
    <ul class="legend">
      {lines.map((line, at) => (
        <li key={line.id}>
          <button
            type="button"
            aria-pressed={!hidden.has(line.id)}
            title="Click: only this line. Ctrl-click: hide or show it."
            onClick={(event) => choose(line.id, event.ctrlKey || event.metaKey)}
          >
            <Swatch colour={line.colour} dash={line.dash} />
            <span class="name">{line.label}</span>
            <LegendValue model={model} at={at} />
          </button>
        </li>
      ))}
    </ul>
  );
}

export function Swatch({ colour, dash }: { colour: number; dash: number }) {
  return (
    <svg class={`swatch s${colour + 1}`} viewBox="0 0 18 8" aria-hidden="true">
      <path d="M0 4h18" stroke-dasharray={(DASHES[dash] ?? []).join(" ") || undefined} />
    </svg>
  );
}

function LegendValue({ model, at }: { model: ReadonlySignal<Model>; at: number }) {
  const text = useComputed(() => {
    const line = model.value.lines[at];
    if (!line) return "";
    const ms = crosshairMs.value;
    if (ms === null) return formatValue(line.last, line.unit);
    const held = heldAt(model.value, line, bucketAt(model.value, ms));
    return formatValue(line.avg[held] ?? null, line.unit);
  });
  const last = model.value.lines[at];
  return (
    <b
      class={`value ${last?.unit ?? ""}`}
      title={last ? `now ${formatExact(last.last, last.unit)}` : undefined}
    >
      {text}
    </b>
  );
}
