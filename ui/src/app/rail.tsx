/** The views, each with the count and the shape of what is worst in it, whatever is filtered. */
import { now, trusted } from "../api/store";
import { VIEWS } from "../views/registry";
import { ViewLink } from "./link";
import { SeverityMark } from "./shape";

export function Rail({ current }: { current: string }) {
  const badges = now.value?.badges ?? {};
  const groups = [...new Set(VIEWS.map((view) => view.group))];
  return (
    <nav class="rail" aria-label="Views">
      {groups.map((group) => (
        <div key={group} class="group">
          {group && <span class="group-name">{group}</span>}
          <ul>
            {VIEWS.filter((view) => view.group === group).map((view) => {
              const badge = badges[view.id];
              return (
                <li key={view.id}>
                  <ViewLink view={view.id} current={view.id === current}>
                    <span>{view.title}</span>
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
