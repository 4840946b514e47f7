/** A small table that is read as it stands: without pages, search or export. */
import type { ComponentChildren } from "preact";

export interface SimpleRow {
  key: string;
  /** A text, or a figure that is aligned to its head. */
  cells: readonly ComponentChildren[];
}

interface SimpleTableProps {
  title: string;
  /** Below the title. */
  said?: ComponentChildren;
  heads: readonly string[];
  rows: readonly SimpleRow[];
  children?: ComponentChildren;
}

export function SimpleTable({ title, said, heads, rows, children }: SimpleTableProps) {
  return (
    <section class="panel simple" aria-label={title}>
      <h2>{title}</h2>
      {said && <p class="muted">{said}</p>}
      {rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label={`${title}, rows`}>
          <table>
            <thead>
              <tr>
                {heads.map((head) => (
                  <th key={head} scope="col">
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ key, cells }) => (
                <tr key={key}>
                  {cells.map((cell, at) => (
                    <td key={heads[at]} class={typeof cell === "string" ? "number" : undefined}>
                      {cell}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {children}
    </section>
  );
}

/** The name of a series. */
export function SeriesName({ label, name }: { label: string; name: string | null }) {
  return <bdi>{name === null ? label : `${label}, ${name.slice(0, 80)}`}</bdi>;
}
