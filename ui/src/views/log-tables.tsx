/** What is below the lines of logs: what they have in common, what concerns security, where they come from. */
import type { Look } from "../tables/look";
import { DataTable } from "../tables/table";

const TRENDS: Look = { parts: { trend: () => import("../tables/trend") } };

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
      <DataTable name="security_events" />
      <DataTable name="log_sources" />
    </>
  );
}
