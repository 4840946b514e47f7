/**
 * Which of several servers or targets a view is about.
 *
 * With one there is nothing to pick. With more the worst at the first look is picked, written to the
 * address so that a link shows the same, and kept for the next view of its kind; it never changes by
 * itself while somebody looks.
 */
import { useEffect } from "preact/hooks";
import { loadJson } from "../api/client";
import { rankSeverity } from "../api/judge";
import { type Resource, useResource } from "../api/resource";
import { tablesByName, trusted } from "../api/store";
import type { Severity, TableAnswer, TableMeta } from "../api/types.gen";
import { FailureNote, Skeleton } from "../app/panel";
import { SEVERITY_WORD, Shape } from "../app/shape";
import { place, setParams } from "../state/location";
import { param } from "../state/url";
import { type TableQuestion, tablePath } from "../tables/query";

export interface Option {
  name: string;
  /** As `proxy`; empty where things are of one kind. */
  kind: string;
  severity: Severity;
  /** Why it does not answer; null when it does. */
  down: string | null;
}

export interface Pick {
  /** Null while not known. */
  options: readonly Option[] | null;
  chosen: string | null;
  /** Of the address. */
  name: string;
  resource: Resource<TableAnswer>;
}

const remembered = new Map<string, string>();

/** The rows of a small table, unfiltered, as long as a view needs them; `id` for those of one thing. */
export function useRows(
  table: string,
  only: Readonly<Record<string, string>> = {},
  id?: string,
): { meta: TableMeta | undefined; answer: TableAnswer | null; resource: Resource<TableAnswer> } {
  const meta = tablesByName.value.get(table);
  const question: TableQuestion = { sort: meta?.default_sort ?? "", q: "", filters: {}, page: 0, limit: 100 };
  const about = id === undefined ? "" : `&id=${encodeURIComponent(id)}`;
  const resource = useResource<TableAnswer>(
    meta ? tablePath(meta, question, only) + about : null,
    loadJson<TableAnswer>,
  );
  return { meta, answer: resource.data.value, resource };
}

export function cellOf(meta: TableMeta, cells: TableAnswer["rows"][number]["cells"], column: string): string {
  const at = meta.columns.findIndex((one) => one.id === column);
  const cell = cells[at];
  return cell === null || cell === undefined ? "" : String(cell);
}

/** Shows this one of what there is to pick. */
export function choose(pick: Pick, name: string): void {
  remembered.set(pick.name, name);
  setParams({ [pick.name]: name, sel: null, page: null });
}

/** Options are the values of `column`. */
export function usePick(table: string, column: string, name: string): Pick {
  const { meta, answer, resource } = useRows(table);
  const asked = param(place.value, name);
  const options =
    meta && answer
      ? answer.rows
          .map(
            (row): Option => ({
              name: cellOf(meta, row.cells, column),
              kind: cellOf(meta, row.cells, "kind"),
              severity: row.severity,
              down: /^(0|false)$/.test(cellOf(meta, row.cells, "up"))
                ? cellOf(meta, row.cells, "error")
                : null,
            }),
          )
          .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }))
      : null;
  const isKnown = (value: string | null | undefined): value is string =>
    value !== null && value !== undefined && (options?.some((one) => one.name === value) ?? false);
  // A link of a problem names what it is about, which begins with the name of its server.
  const owner = options?.find((one) => asked?.startsWith(`${one.name}.`))?.name;
  const held = remembered.get(name);
  const worst = options?.reduce<Option | null>(
    (most, one) => (most && rankSeverity(most.severity) >= rankSeverity(one.severity) ? most : one),
    null,
  );
  const chosen = isKnown(asked) ? asked : (owner ?? (isKnown(held) ? held : (worst?.name ?? null)));
  const isMany = (options?.length ?? 0) > 1;
  useEffect(() => {
    if (chosen === null || !isMany) return;
    remembered.set(name, chosen);
    if (param(place.peek(), name) !== chosen) setParams({ [name]: chosen });
  }, [chosen, name, isMany]);
  return { options, chosen, name, resource };
}

/** Instead of a view as long as it is not known what there is to pick. */
export function Unpicked({ pick }: { pick: Pick }) {
  return pick.resource.failure.value ? <FailureNote resource={pick.resource} /> : <Skeleton height={320} />;
}

/** Why what is picked does not answer, or null. */
export function downOf(pick: Pick): string | null {
  return pick.options?.find((one) => one.name === pick.chosen)?.down ?? null;
}

export function Down({ name, why }: { name: string; why: string | null }) {
  if (why === null) return null;
  return (
    <div class={`banner ${trusted.value ? "critical" : "unknown"}`} role="status">
      <Shape severity={trusted.value ? "critical" : "unknown"} />
      <span>
        <strong>
          <bdi>{name.slice(0, 80)}</bdi> does not answer.
        </strong>{" "}
        <bdi>{why.slice(0, 400)}</bdi>
      </span>
    </div>
  );
}

export function Picker({ pick, legend }: { pick: Pick; legend: string }) {
  if (!pick.options || pick.options.length < 2) return null;
  return (
    <div class="filters picker">
      <fieldset>
        <legend>{legend}</legend>
        {pick.options.map(({ name, severity }) => {
          const shown = trusted.value ? severity : "unknown";
          return (
            <button
              key={name}
              type="button"
              aria-pressed={name === pick.chosen}
              onClick={() => choose(pick, name)}
            >
              {shown !== "ok" && (
                <span class={`severity ${shown}`}>
                  <Shape severity={shown} />
                  <span class="unseen">{SEVERITY_WORD[shown]} </span>
                </span>
              )}
              <bdi class="clip">{name.slice(0, 80)}</bdi>
            </button>
          );
        })}
      </fieldset>
    </div>
  );
}
