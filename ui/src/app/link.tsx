/** A link to a view that stays in the page; a middle or Ctrl click opens a tab as anywhere. */
import type { ComponentChildren } from "preact";
import { goToView, linkToView } from "../state/location";

interface LinkProps {
  view: string;
  class?: string;
  current?: boolean;
  children: ComponentChildren;
}

export function ViewLink({ view, class: extra, current = false, children }: LinkProps) {
  return (
    <a
      href={linkToView(view)}
      class={extra}
      aria-current={current ? "page" : undefined}
      onClick={(event) => {
        if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        goToView(view);
      }}
    >
      {children}
    </a>
  );
}
