/** The views, each with the count and the shape of what is worst in it, whatever is filtered. */
import { useEffect, useRef } from "preact/hooks";
import { now, trusted } from "../api/store";
import { VIEWS, type View } from "../views/registry";
import { ViewLink } from "./link";
import { SeverityMark } from "./shape";

/** Neighbours of one group stand together. */
const GROUPS = VIEWS.reduce<{ group: string; views: View[] }[]>((groups, view) => {
  const last = groups[groups.length - 1];
  if (last?.group === view.group) last.views.push(view);
  else groups.push({ group: view.group, views: [view] });
  return groups;
}, []);

export function Rail({ current }: { current: string }) {
  const badges = now.value?.badges ?? {};
  const areas = now.value?.areas ?? [];
  const root = useRef<HTMLElement>(null);
  // On a narrow screen the rail is a line that may be longer than the screen.
  useEffect(() => {
    const link = root.current?.querySelector<HTMLElement>("[aria-current]");
    root.current?.scrollTo({ left: (link?.offsetLeft ?? 0) - 40 });
  }, [current]);
  return (
    <nav ref={root} class="rail" aria-label="Views">
      {GROUPS.map(({ group, views }) => (
        <div key={views[0]?.id} class="group">
          {group && <span class="group-name">{group}</span>}
          <ul>
            {views.map((view) => {
              // One host has no use for the view of all.
              if (view.id === "fleet" && !now.value?.fleet) return null;
              const badge = badges[view.id];
              // Whether something is used is unknown while nothing of now is known.
              const own = trusted.value ? areas.filter((area) => area.view === view.id) : [];
              return (
                <li key={view.id}>
                  <ViewLink view={view.id} current={view.id === current}>
                    <span>{view.title}</span>
                    {own.length > 0 && !own.some((area) => area.present) && (
                      <span class="unused">not used</span>
                    )}
                    {badge && badge.count > 0 && (
                      <span class={`badge${trusted.value ? "" : " grey"}`}>
                        <SeverityMark severity={badge.severity} short />
                        {badge.count}
                      </span>
                    )}
                  </ViewLink>
                </li>
              );
            })}
          </ul>
        </div>
      ))}
    </nav>
  );
}
