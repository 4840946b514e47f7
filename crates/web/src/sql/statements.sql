-- Costs of statements within a range: sums of its samples, hours, days and months (store::sums), added up.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz), $4 mean time from which a statement is slow, ms (float8).
-- Columns: those of table statements, id (the metrics' key), tag_issue text[].
-- Rows: one per server, database and statement, at most the 2000 that took longest; share_pct is of all.
-- Indexes: (host_id, ts) or (host_id, bucket) of each partition, statement_texts_queryid.
-- Summed by role first, as string_agg of distinct roles would sort every row of the range.
WITH by_role AS (
    SELECT instance, database, queryid, role,
           sum(calls) AS calls, sum(exec_ms) AS exec_ms, max(max_exec_ms) AS max_ms, sum(rows) AS rows,
           sum(shared_blks_hit) AS shared_blks_hit, sum(shared_blks_read) AS shared_blks_read,
           sum(temp_blks_read) AS temp_blks_read, sum(temp_blks_written) AS temp_blks_written,
           sum(blk_read_ms) AS blk_read_ms, sum(blk_write_ms) AS blk_write_ms,
           sum(wal_records) AS wal_records, sum(wal_bytes) AS wal_bytes,
           sum(plan_ms) AS plan_ms, sum(jit_ms) AS jit_ms, max(last_seen) AS last_seen, bool_or(evicted) AS evicted
    FROM {sums statement} sums
    GROUP BY instance, database, queryid, role
), summed AS (
    SELECT instance, database, queryid,
           sum(calls)::int8 AS calls, sum(exec_ms) AS exec_ms, max(max_ms) AS max_ms, sum(rows)::int8 AS rows,
           sum(shared_blks_hit)::int8 AS shared_blks_hit, sum(shared_blks_read)::int8 AS shared_blks_read,
           sum(temp_blks_read)::int8 AS temp_blks_read, sum(temp_blks_written)::int8 AS temp_blks_written,
           sum(blk_read_ms) AS blk_read_ms, sum(blk_write_ms) AS blk_write_ms,
           sum(wal_records)::int8 AS wal_records, sum(wal_bytes)::int8 AS wal_bytes,
           sum(plan_ms) AS plan_ms, sum(jit_ms) AS jit_ms, max(last_seen) AS last_seen, bool_or(evicted) AS evicted,
           string_agg(role, ', ' ORDER BY role) AS roles
    FROM by_role
    GROUP BY instance, database, queryid
), ranked AS (
    SELECT *, 100 * exec_ms / nullif(sum(exec_ms) OVER (PARTITION BY instance), 0) AS share_pct
    FROM summed
    ORDER BY exec_ms DESC
    LIMIT 2000
), texts AS (
    SELECT instance, queryid, min(ts) AS first_seen, (array_agg(query ORDER BY ts DESC))[1] AS query
    FROM collector.statement_texts
    WHERE host_id = $1 AND queryid = ANY (ARRAY(SELECT queryid FROM ranked))
    GROUP BY instance, queryid
)
SELECT r.instance || '.' || r.database || '.' || r.queryid AS id,
       left(t.query, 400) AS query, r.share_pct, r.exec_ms, r.calls, r.exec_ms / nullif(r.calls, 0) AS mean_ms, r.max_ms,
       r.rows, 100.0::float8 * r.shared_blks_hit / nullif(r.shared_blks_hit + r.shared_blks_read, 0) AS hit_pct,
       r.shared_blks_hit, r.shared_blks_read, r.temp_blks_read + r.temp_blks_written AS temp_blks,
       r.temp_blks_read, r.temp_blks_written, r.blk_read_ms, r.blk_write_ms, r.wal_records, r.wal_bytes,
       r.plan_ms, r.jit_ms, r.roles, t.first_seen AS first_seen_ms, r.last_seen AS last_seen_ms, r.evicted,
       r.queryid::text AS queryid, r.database, r.instance,
       array_remove(ARRAY[CASE WHEN r.exec_ms >= $4 * r.calls THEN 'slow' END,
                          CASE WHEN r.temp_blks_read + r.temp_blks_written > 0 THEN 'temp' END,
                          CASE WHEN t.first_seen >= $2 THEN 'new' END], NULL) AS tag_issue
FROM ranked r
LEFT JOIN texts t ON t.instance = r.instance AND t.queryid = r.queryid
