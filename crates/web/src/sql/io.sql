-- What kinds of process read and wrote within a range: positive steps of the counters, added up. A
-- step is exact however long it took; across a reset it is unknown and left out.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz).
-- Columns: those of table io, id. Rows: one per server, kind of process, object and context.
-- Indexes: (host_id, ts) of each partition.
WITH steps AS (
    SELECT instance, backend_type, object, context,
           CASE WHEN reads >= lag(reads) OVER w THEN reads - lag(reads) OVER w END AS reads,
           CASE WHEN read_bytes >= lag(read_bytes) OVER w THEN read_bytes - lag(read_bytes) OVER w END AS read_bytes,
           CASE WHEN read_ms_total >= lag(read_ms_total) OVER w THEN read_ms_total - lag(read_ms_total) OVER w END AS read_ms_total,
           CASE WHEN writes >= lag(writes) OVER w THEN writes - lag(writes) OVER w END AS writes,
           CASE WHEN write_bytes >= lag(write_bytes) OVER w THEN write_bytes - lag(write_bytes) OVER w END AS write_bytes,
           CASE WHEN write_ms_total >= lag(write_ms_total) OVER w THEN write_ms_total - lag(write_ms_total) OVER w END AS write_ms_total,
           CASE WHEN extend_bytes >= lag(extend_bytes) OVER w THEN extend_bytes - lag(extend_bytes) OVER w END AS extend_bytes,
           CASE WHEN hits >= lag(hits) OVER w THEN hits - lag(hits) OVER w END AS hits,
           CASE WHEN evictions >= lag(evictions) OVER w THEN evictions - lag(evictions) OVER w END AS evictions,
           CASE WHEN reuses >= lag(reuses) OVER w THEN reuses - lag(reuses) OVER w END AS reuses,
           CASE WHEN fsyncs >= lag(fsyncs) OVER w THEN fsyncs - lag(fsyncs) OVER w END AS fsyncs,
           CASE WHEN fsync_ms_total >= lag(fsync_ms_total) OVER w THEN fsync_ms_total - lag(fsync_ms_total) OVER w END AS fsync_ms_total
    FROM collector.io_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    WINDOW w AS (PARTITION BY instance, backend_type, object, context, epoch ORDER BY ts)
), summed AS (
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
    FROM steps
    GROUP BY instance, backend_type, object, context
)
SELECT concat_ws('.', instance, backend_type, object, context) AS id, backend_type, object, context,
       reads, read_bytes, read_ms_total / nullif(reads, 0) AS read_ms, read_ms_total,
       writes, write_bytes, write_ms_total / nullif(writes, 0) AS write_ms, write_ms_total, extend_bytes,
       hits, 100.0::float8 * hits / nullif(hits + reads, 0) AS hit_pct, evictions, reuses,
       fsyncs, fsync_ms_total / nullif(fsyncs, 0) AS fsync_ms, instance
FROM summed
