/** What is below the lines of logs: what they have in common, what concerns security, where they come from. */
import type { ColumnMeta } from "../api/types.gen";
import { CellText } from "../tables/cell";
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";
import { wordsOf } from "./event-details";

const TRENDS: Look = {
  parts: { trend: () => import("../tables/trend") },
  // What is wanted first is in view without scrolling.
  move: { last_seen_ms: 6 },
};
const EVENTS: Look = { parts: { details: async () => ({ default: EventDetails }) } };
const TEXT: ColumnMeta = { id: "details", label: "Details", unit: "text", metric: null, primary: false };

function EventDetails({ text }: { text: string }) {
  return <CellText cell={text === "null" ? null : wordsOf(text)} column={TEXT} severity={null} />;
}

interface LogTablesProps {
  /** Leads to the lines with these filters and no others. */
  show(filters: Readonly<Record<string, string>>): void;
}

export default function LogTables({ show }: LogTablesProps) {
  return (
    <>
      <DataTable
        name="log_patterns"
        look={TRENDS}
        action={{ label: "Lines", run: (row) => show({ pattern: row.id }) }}
      />
      <DataTable name="security_events" look={EVENTS} />
      <DataTable name="log_sources" />
    </>
  );
}
