/** What is below the charts of a PostgreSQL server: further values, databases, checks, settings, servers. */
import { useMemo } from "preact/hooks";
import { tablesByName } from "../api/store";
import { FactCards } from "../app/card";
import { setParams } from "../state/location";
import { DataTable } from "../tables/table";
import { cellOf } from "./pick";

const MORE_CARDS: readonly [string, readonly string[]][] = [
  [
    "Transactions and locks",
    [
      "db.xact_commit_per_sec",
      "db.xact_rollback_per_sec",
      "db.rollback_pct",
      "db.longest_query_secs",
      "db.conn_idle_in_xact",
      "db.oldest_idle_in_xact_secs",
      "db.locks_waiting",
      "db.longest_lock_wait_secs",
    ],
  ],
  [
    "Ages and what holds vacuum back",
    [
      "db.wraparound_pct",
      "db.multixact_wraparound_pct",
      "db.oldest_xmin_age",
      "db.prepared_xacts",
      "db.conn_total",
      "db.conn_hidden",
      "db.temp_bytes_per_sec",
      "db.answer_ms",
    ],
  ],
  [
    "Checkpoints and buffers",
    [
      "db.checkpoints_req_pct",
      "db.checkpoint_write_pct",
      "db.checkpoint_sync_pct",
      "db.buffers_checkpoint_per_sec",
      "db.buffers_clean_per_sec",
      "db.maxwritten_clean_per_sec",
      "db.buffers_backend_per_sec",
      "db.buffers_alloc_per_sec",
    ],
  ],
  [
    "WAL",
    [
      "db.wal_bytes_per_sec",
      "db.wal_records_per_sec",
      "db.wal_fpi_per_sec",
      "db.wal_buffers_full_per_sec",
      "db.wal_write_ms",
      "db.wal_sync_ms",
      "db.wal_write_per_sec",
      "db.archive_failing",
    ],
  ],
];

export default function PostgresMore({ instance, isDown }: { instance: string; isDown: boolean }) {
  const only = useMemo(() => ({ instance }), [instance]);
  const servers = tablesByName.value.get("db_servers");
  return (
    <>
      {!isDown &&
        MORE_CARDS.map(([title, metrics]) => (
          <section key={title} class="stack">
            <h2>{title}</h2>
            <FactCards metrics={metrics} of={instance} label={title} />
          </section>
        ))}
      <DataTable name="databases" only={only} />
      <DataTable name="checks" only={only} />
      <DataTable name="settings_db" only={only} />
      <DataTable
        name="db_servers"
        selected={instance}
        {...(servers && {
          action: {
            label: "Show",
            run: (row) => setParams({ "f.instance": cellOf(servers, row.cells, "instance") }),
          },
        })}
      />
    </>
  );
}
