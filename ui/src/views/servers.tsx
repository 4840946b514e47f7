/** All PostgreSQL servers, where there is more than one. */
import { tablesByName } from "../api/store";
import { setParams } from "../state/location";
import { DataTable } from "../tables/table";
import { cellOf, useRows } from "./pick";

export default function Servers({ instance }: { instance: string }) {
  const servers = tablesByName.value.get("db_servers");
  const { answer } = useRows("db_servers");
  if (!servers || (answer?.total ?? 0) < 2) return null;
  return (
    <DataTable
      name="db_servers"
      selected={instance}
      action={{
        label: "Show",
        run: (row) => setParams({ "f.instance": cellOf(servers, row.cells, "instance") }),
      }}
    />
  );
}
