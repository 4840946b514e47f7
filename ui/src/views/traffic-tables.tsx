/** The tables of a site by topic: the first open, the others folded; a row is a filter. */
import { useMemo } from "preact/hooks";
import { Fold } from "../app/fold";
import { place } from "../state/location";
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";
import { type askedOf, chipsOf } from "./traffic-filters";
import { toggleChip } from "./traffic-question";

const SHARES: Look = {
  bars: ["share_pct", "bounce_pct", "exit_pct", "from_start_pct", "from_previous_pct", "engaged_pct"],
};

interface Topic {
  id: string;
  title: string;
  /** Tables, each with the dimension that its rows are values of, if they are. */
  tables: readonly (readonly [table: string, dimension: string | null])[];
}

/** What is asked most stands first and is open. */
const OPEN: Topic["tables"] = [
  ["pages", "page"],
  ["sources", "source"],
  ["countries", "country"],
  ["devices", "device"],
];

export const TOPICS: readonly Topic[] = [
  {
    id: "traffic-pages",
    title: "Pages: entries, exits, engagement and depth",
    tables: [
      ["entries", "entry"],
      ["exits", "exit"],
      ["engaged", "page"],
      ["scroll", "page"],
      ["missing", null],
      ["flow", null],
    ],
  },
  {
    id: "traffic-sources",
    title: "Sources: channels, referrers, campaigns",
    tables: [
      ["channels", "channel"],
      ["referrers", "referrer"],
      ["campaigns", "campaign"],
    ],
  },
  {
    id: "traffic-visitors",
    title: "Visitors: browsers, networks, languages, screens, consent",
    tables: [
      ["browsers", "browser"],
      ["isps", "isp"],
      ["languages", "language"],
      ["widths", "width"],
      ["consent", null],
    ],
  },
  {
    id: "traffic-goals",
    title: "Goals: events, goals and funnels",
    tables: [
      ["events", "event"],
      ["props", null],
      ["goals", null],
      ["funnels", null],
    ],
  },
];

export default function TrafficTables({ asked }: { asked: ReturnType<typeof askedOf> }) {
  return (
    <>
      <div class="traffic-open">
        {OPEN.map(([table, dimension]) => (
          <TrafficTable key={table} table={table} dimension={dimension} asked={asked} />
        ))}
      </div>
      {TOPICS.map(({ id, title, tables }) => (
        <Fold key={id} id={id} title={title}>
          {() =>
            tables.map(([table, dimension]) => (
              <TrafficTable key={table} table={table} dimension={dimension} asked={asked} />
            ))
          }
        </Fold>
      ))}
    </>
  );
}

interface TrafficTableProps {
  table: string;
  dimension: string | null;
  asked: ReturnType<typeof askedOf>;
}

function TrafficTable({ table, dimension, asked }: TrafficTableProps) {
  const words = JSON.stringify(asked);
  const ask = useMemo(() => asked, [words]);
  const chosen = chipsOf(place.value).find((chip) => chip.dimension === dimension)?.value ?? null;
  return (
    <DataTable
      name={`traffic_${table}`}
      ask={ask}
      look={SHARES}
      quiet
      {...(dimension === null
        ? {}
        : { selected: chosen, onSelect: (row) => toggleChip({ dimension, value: row.id }) })}
    />
  );
}
