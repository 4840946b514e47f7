/** A link to a view that stays in the page; a middle or Ctrl click opens a tab as anywhere. */
import type { ComponentChildren } from "preact";
import { goToView, linkToView } from "../state/location";

interface LinkProps {
  view: string;
  class?: string;
  current?: boolean;
  /** Of the view, beyond host and time. */
  params?: Readonly<Record<string, string>>;
  /** The event that it leads to, for the keys that do. */
  step?: string;
  children: ComponentChildren;
}

export function ViewLink({ view, class: extra, current = false, params, step, children }: LinkProps) {
  return (
    <a
      href={linkToView(view, params)}
      class={extra}
      aria-current={current ? "page" : undefined}
      data-step={step}
      onClick={(event) => {
        if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        goToView(view, params);
      }}
    >
      {children}
    </a>
  );
}
