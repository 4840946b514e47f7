-- I/O by kind of process within a range: sums of its samples, hours, days and months (store::sums), added up.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz).
-- Columns: those of table io, id. Rows: one per server, kind of process, object and context.
-- Indexes: (host_id, ts) or (host_id, bucket) of each partition.
WITH summed AS (
    SELECT instance, backend_type, object, context,
           sum(reads)::int8 AS reads,
           sum(read_bytes)::int8 AS read_bytes,
           sum(read_ms_total) AS read_ms_total,
           sum(writes)::int8 AS writes,
           sum(write_bytes)::int8 AS write_bytes,
           sum(write_ms_total) AS write_ms_total,
           sum(extend_bytes)::int8 AS extend_bytes,
           sum(hits)::int8 AS hits,
           sum(evictions)::int8 AS evictions,
           sum(reuses)::int8 AS reuses,
           sum(fsyncs)::int8 AS fsyncs,
           sum(fsync_ms_total) AS fsync_ms_total
    FROM {sums io} sums
    GROUP BY instance, backend_type, object, context
)
SELECT concat_ws('.', instance, backend_type, object, context) AS id, backend_type, object, context,
       reads, read_bytes, read_ms_total / nullif(reads, 0) AS read_ms, read_ms_total,
       writes, write_bytes, write_ms_total / nullif(writes, 0) AS write_ms, write_ms_total, extend_bytes,
       hits, 100.0::float8 * hits / nullif(hits + reads, 0) AS hit_pct, evictions, reuses,
       fsyncs, fsync_ms_total / nullif(fsyncs, 0) AS fsync_ms, instance
FROM summed
