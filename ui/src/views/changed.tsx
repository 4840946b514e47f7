/** What changed most between two times, as a table: series, values, distance, and the ways to each series. */
import type { Appearance, Changed, SnapshotChange } from "../api/types.gen";
import { ViewLink } from "../app/link";
import { formatClock } from "../format/time";
import { formatNumber, formatValue } from "../format/value";
import { utc } from "../state/location";
import { placeOf } from "./finding-place";
import { SeriesName, type SimpleRow, SimpleTable } from "./simple-table";

const HEADS = ["Series", "In the window", "Before", "Usual", "Distance", "At"];

export function ChangedTable({ changed, title = "Most changed" }: { changed: Changed; title?: string }) {
  const { rows, compared, more } = changed;
  const said =
    compared === 0
      ? "No series has values on both sides."
      : rows.length === 0
        ? `None of ${compared} series changed.`
        : `${rows.length + more} of ${compared} series, by how far each is from before and from what is usual at this hour, in multiples of the spread.`;
  return (
    <SimpleTable title={title} said={said} heads={HEADS} rows={rows.map(rowOf)}>
      <OneSided title="New in the window" list={changed.appeared} more={changed.more_appeared} />
      <OneSided title="Without a value in the window" list={changed.silent} more={changed.more_silent} />
    </SimpleTable>
  );
}

const DIRECTION = { true: "worse", false: "better", null: "" } as const;

function rowOf(row: SnapshotChange): SimpleRow {
  const value = (one: number | null): string => (one === null ? "unknown" : formatValue(one, row.unit));
  const way = placeOf(row.metric, row.key ?? "", row.domain);
  const name = <SeriesName label={row.label} name={row.key} />;
  return {
    key: `${row.metric} ${row.key}`,
    cells: [
      <>
        {way ? (
          <ViewLink view={way.view} params={way.params}>
            {name}
          </ViewLink>
        ) : (
          name
        )}
        {row.more_keys > 0 && <span class="muted"> and {row.more_keys} more</span>}
      </>,
      value(row.value),
      value(row.before),
      value(row.usual),
      <>
        {row.effect > 0 ? "▲" : "▼"} {formatNumber(Math.abs(row.effect))}{" "}
        <span class={row.is_worse ? "worse" : "muted"}>{DIRECTION[`${row.is_worse}`]}</span>
      </>,
      formatClock(row.at_ms, utc.value),
    ],
  };
}

function OneSided({ title, list, more }: { title: string; list: readonly Appearance[]; more: number }) {
  if (list.length === 0) return null;
  return (
    <details>
      <summary>
        {title}: {list.length + more}
      </summary>
      <ul>
        {list.map((one) => (
          <li key={`${one.metric} ${one.key}`}>
            <SeriesName label={one.label} name={one.key} />: {formatValue(one.value, one.unit)}
          </li>
        ))}
        {more > 0 && <li class="muted">{more} more</li>}
      </ul>
    </details>
  );
}
