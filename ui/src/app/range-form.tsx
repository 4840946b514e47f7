/** The range picker: presets, typed expressions, absolute times, zone. */
import { useEffect, useRef, useState } from "preact/hooks";
import { serverNow } from "../api/store";
import { range, setChoice, setRange, utc, zone } from "../state/location";
import { formatAbsolute, parseInstant } from "../state/range";
import { PRESETS, readRange } from "../state/typed-range";
import { Choice } from "./choice";

/** An end as it may be typed again: relative as is, absolute in the zone shown. */
function typed(text: string, isUtc: boolean): string {
  const instant = parseInstant(text);
  if (instant?.kind !== "absolute") return text;
  if (isUtc) return formatAbsolute(instant.atMs).replace("T", " ").replace("Z", "");
  const local = new Date(instant.atMs - new Date(instant.atMs).getTimezoneOffset() * 60_000);
  return formatAbsolute(local.getTime()).replace("T", " ").replace("Z", "");
}

export default function RangeForm({ close }: { close: () => void }) {
  const [from, setFrom] = useState(typed(range.value.from, utc.value));
  const [to, setTo] = useState(typed(range.value.to, utc.value));
  const [fault, setFault] = useState("");
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("input")?.select(), []);
  const apply = (): void => {
    const read = readRange(from, to, serverNow(), utc.value);
    if ("fault" in read) {
      setFault(read.fault);
      return;
    }
    setRange(read);
    close();
  };
  return (
    <form
      ref={form}
      class="form range-form"
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <fieldset class="presets">
        <legend>Last</legend>
        {PRESETS.map((preset) => (
          <button
            key={preset}
            type="button"
            aria-pressed={range.value.from === `now-${preset}` && range.value.to === "now"}
            onClick={() => {
              setRange({ from: `now-${preset}`, to: "now" });
              close();
            }}
          >
            {preset}
          </button>
        ))}
      </fieldset>
      <label>
        From
        <input value={from} spellcheck={false} onInput={(event) => setFrom(event.currentTarget.value)} />
      </label>
      <label>
        To
        <input value={to} spellcheck={false} onInput={(event) => setTo(event.currentTarget.value)} />
      </label>
      <p class="muted hint">now-6h, now-2d, or 2026-03-01 14:00</p>
      {fault && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      <Choice
        legend="Time zone"
        value={zone.value}
        options={[
          ["browser", "Browser"],
          ["utc", "UTC"],
        ]}
        onChoose={(value) => {
          setChoice({ zone: value });
          setFrom(typed(range.value.from, value === "utc"));
          setTo(typed(range.value.to, value === "utc"));
        }}
      />
      <button type="submit" class="button primary">
        Apply
      </button>
    </form>
  );
}
