-- What statements cost within a span, by role and version: amounts of the slow ticks in it, added up.
-- Parameters: $1 host_id int4; in braces the span, and the hour that it begins in (timestamptz).
-- Columns: those of statement_hours from instance on. Rows: one per statement, role, origin and version.
-- Indexes: (host_id, ts) of each partition.
SELECT instance, database, queryid, role, toplevel, major, sum(calls)::int8 AS calls, sum(rows)::int8 AS rows,
       sum(exec_ms) AS exec_ms, max(max_exec_ms) AS max_exec_ms, max(stddev_exec_ms) AS stddev_exec_ms, sum(plan_ms) AS plan_ms,
       sum(shared_blks_hit)::int8 AS shared_blks_hit, sum(shared_blks_read)::int8 AS shared_blks_read,
       sum(temp_blks_read)::int8 AS temp_blks_read, sum(temp_blks_written)::int8 AS temp_blks_written,
       sum(blk_read_ms) AS blk_read_ms, sum(blk_write_ms) AS blk_write_ms,
       sum(wal_records)::int8 AS wal_records, sum(wal_bytes)::int8 AS wal_bytes, sum(jit_ms) AS jit_ms,
       max(ts) AS last_seen, bool_or(evicted) AS evicted
FROM collector.statement_metrics_raw_all
WHERE host_id = $1 AND ts >= {from} AND ts < {to} AND sample_hour >= {hour} AND sample_hour < {to}
GROUP BY instance, database, queryid, role, toplevel, major
