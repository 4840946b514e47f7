/** A statement or command to be copied: shown as it is, with a button that reports whether it was copied. */
import { useRef, useState } from "preact/hooks";

const SAID_MS = 4000;

interface CommandProps {
  text: string;
  name?: string;
  /** The button alone, where the text stands beside it. */
  brief?: boolean;
}

export default function Command({ text, name = "command", brief = false }: CommandProps) {
  const shown = useRef<HTMLElement>(null);
  const [label, setLabel] = useState("Copy");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setLabel("Copied");
    } catch {
      // No clipboard without a secure origin: marked, it can be copied by hand.
      if (shown.current) document.getSelection()?.selectAllChildren(shown.current);
      setLabel("Press Ctrl C");
    }
    setTimeout(() => setLabel("Copy"), SAID_MS);
  };
  return (
    <span class="command">
      <code ref={shown} class={brief ? "unseen" : undefined}>
        <bdi>{text}</bdi>
      </code>
      <button
        type="button"
        class="button small"
        aria-label={`Copy ${name}: ${text.slice(0, 80)}`}
        onClick={(event) => {
          event.stopPropagation();
          void copy();
        }}
      >
        <span role="status">{label}</span>
      </button>
    </span>
  );
}
