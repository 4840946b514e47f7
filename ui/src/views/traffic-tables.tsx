/** The tables of a site by topic: the first open, the others folded; a row is a filter. */
import { useMemo } from "preact/hooks";
import { tablesByName } from "../api/store";
import type { TableRow } from "../api/types.gen";
import { Fold } from "../app/fold";
import { Part } from "../app/part";
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";
import type { askedOf } from "./traffic-filters";
import { toggleChip } from "./traffic-question";

const SHARES: Look = {
  bars: [
    "share_pct",
    "bounce_pct",
    "exit_pct",
    "of_first_pct",
    "engaged_pct",
    "mean_pct",
    "conversion_pct",
    "consented_pct",
  ],
  parts: { country: () => import("./country") },
};

/** A table; what its rows are values of, if visits are filtered by it, and the column that has the value. */
type Named = readonly [table: string, dimension?: string, column?: string];

/** Beside each other there is room for what is compared most; the topics and the CSV have the rest. */
const BRIEF: Look = {
  ...SHARES,
  hide: ["visits", "capped_mean_secs", "compared_visitors", "exit_pct"],
};

interface Topic {
  id: string;
  title: string;
  tables: readonly Named[];
}

/** What is asked most stands first and is open. */
const OPEN: readonly Named[] = [
  ["pages", "page"],
  ["sources", "source"],
  ["countries", "country"],
  ["devices", "device"],
];

const TOPICS: readonly Topic[] = [
  {
    id: "traffic-pages",
    title: "Pages: entries, exits, engagement and depth",
    tables: [
      ["entries", "entry", "page"],
      ["exits", "exit", "page"],
      ["engaged", "page"],
      ["scroll", "page"],
      ["missing", "page"],
      ["flow", "page"],
    ],
  },
  {
    id: "traffic-sources",
    title: "Sources: channels, referrers, campaigns",
    tables: [
      ["channels", "channel"],
      ["referrers", "referrer"],
      ["campaigns", "utm_campaign", "campaign"],
      ["campaign_sources", "utm_source", "campaign"],
      ["campaign_mediums", "utm_medium", "campaign"],
    ],
  },
  {
    id: "traffic-visitors",
    title: "Visitors: browsers, networks, languages, widths, consent",
    tables: [
      ["browsers", "browser"],
      ["isps", "asn"],
      ["languages", "language"],
      ["widths", "width"],
      ["consent"],
    ],
  },
  {
    id: "traffic-goals",
    title: "Goals: events, goals and funnels",
    tables: [["events", "event"], ["props"], ["goals"], ["funnels"]],
  },
];

export default function TrafficTables({ asked }: { asked: ReturnType<typeof askedOf> }) {
  const site = String(asked.site);
  return (
    <>
      <div class="traffic-open">
        {OPEN.map((named) => (
          <TrafficTable key={named[0]} named={named} asked={asked} look={BRIEF} />
        ))}
      </div>
      {TOPICS.map(({ id, title, tables }) => (
        <Fold key={id} id={id} title={title}>
          {() =>
            tables.map((named) => <TrafficTable key={named[0]} named={named} asked={asked} look={SHARES} />)
          }
        </Fold>
      ))}
      <Fold id="traffic-receiver" title="Receiver: accepted, refused by reason, waiting">
        {() => <Part key={site} load={() => import("./traffic-receiver")} site={site} />}
      </Fold>
    </>
  );
}

interface TrafficTableProps {
  named: Named;
  asked: ReturnType<typeof askedOf>;
  look: Look;
}

function TrafficTable({ named: [name, dimension, column = dimension], asked, look }: TrafficTableProps) {
  const words = JSON.stringify(asked);
  const ask = useMemo(() => asked, [words]);
  const table = `traffic_${name}`;
  const at = tablesByName.value.get(table)?.columns.findIndex((one) => one.id === column) ?? -1;
  return (
    <DataTable
      name={table}
      ask={ask}
      look={look}
      {...(dimension === undefined
        ? {}
        : { onSelect: (row: TableRow) => toggleChip({ dimension, value: String(row.cells[at] ?? "") }) })}
    />
  );
}
