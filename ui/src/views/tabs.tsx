/** One tab per thing to look at; arrow keys move between them. */
import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";
import { trusted } from "../api/store";
import { SeverityMark } from "../app/shape";
import type { Pick } from "./pick";
import { choose } from "./pick";

interface TabsProps {
  pick: Pick;
  label: string;
  /** The text beside a name. */
  kindOf(name: string): string;
  children: ComponentChildren;
}

export function Tabs({ pick, label, kindOf, children }: TabsProps) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const options = pick.options ?? [];
  const move = (by: number): void => {
    const at = options.findIndex(({ name }) => name === pick.chosen);
    const next = (at + by + options.length) % options.length;
    const name = options[next]?.name;
    if (name === undefined) return;
    choose(pick, name);
    list.current?.querySelectorAll("button")[next]?.focus();
  };
  return (
    <>
      <div ref={list} class="tabs" role="tablist" aria-label={label}>
        {options.map(({ name, severity }) => {
          const shown = trusted.value ? severity : "unknown";
          const isChosen = name === pick.chosen;
          return (
            <button
              key={name}
              type="button"
              role="tab"
              id={`${id}-${name}`}
              aria-selected={isChosen}
              aria-controls={`${id}-panel`}
              tabIndex={isChosen ? 0 : -1}
              onClick={() => choose(pick, name)}
              onKeyDown={(event) => {
                const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
                if (by === 0) return;
                event.preventDefault();
                event.stopPropagation();
                move(by);
              }}
            >
              {shown !== "ok" && <SeverityMark severity={shown} short />}
              <bdi class="clip">{name.slice(0, 80)}</bdi> <span class="muted">{kindOf(name)}</span>
            </button>
          );
        })}
      </div>
      <div
        class="tab-panel"
        role="tabpanel"
        id={`${id}-panel`}
        aria-labelledby={pick.chosen === null ? undefined : `${id}-${pick.chosen}`}
      >
        {children}
      </div>
    </>
  );
}
