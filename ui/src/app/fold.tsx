/**
 * A topic that is folded until it is opened: nothing in it is loaded or requested before.
 *
 * Which ones are open is in the address (`open`); what is in which of them is in `views/folds.ts`.
 */
import type { ComponentChildren } from "preact";
import { place, setParams } from "../state/location";

interface FoldProps {
  id: string;
  title: string;
  children(): ComponentChildren;
}

export function Fold({ id, title, children }: FoldProps) {
  const open = place.value.params.open ?? [];
  const isOpen = open.includes(id);
  return (
    <details class="fold" open={isOpen}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a summary is a control, whatever the linter thinks */}
      <summary
        onClick={(event) => {
          event.preventDefault();
          setParams({ open: isOpen ? open.filter((one) => one !== id) : [...open, id] });
        }}
      >
        <h2>{title}</h2>
      </summary>
      {isOpen && <div class="stack">{children()}</div>}
    </details>
  );
}
