-- I/O by kind of process within a span: positive steps of the counters, added up. A step is exact however long it took, up to an hour;
-- across a reset it is unknown and left out.
-- Parameters: $1 host_id int4; in braces the span, and an hour before it (timestamptz).
-- Columns: those of io_hours from instance on. Rows: one per server, kind of process, object and context.
-- Indexes: (host_id, ts) of each partition.
SELECT instance, backend_type, object, context,
       sum(reads) FILTER (WHERE is_known)::int8 AS reads,
       sum(read_bytes) FILTER (WHERE is_known)::int8 AS read_bytes,
       sum(read_ms_total) FILTER (WHERE is_known) AS read_ms_total,
       sum(writes) FILTER (WHERE is_known)::int8 AS writes,
       sum(write_bytes) FILTER (WHERE is_known)::int8 AS write_bytes,
       sum(write_ms_total) FILTER (WHERE is_known) AS write_ms_total,
       sum(extend_bytes) FILTER (WHERE is_known)::int8 AS extend_bytes,
       sum(hits) FILTER (WHERE is_known)::int8 AS hits,
       sum(evictions) FILTER (WHERE is_known)::int8 AS evictions,
       sum(reuses) FILTER (WHERE is_known)::int8 AS reuses,
       sum(fsyncs) FILTER (WHERE is_known)::int8 AS fsyncs,
       sum(fsync_ms_total) FILTER (WHERE is_known) AS fsync_ms_total
FROM (SELECT instance, backend_type, object, context, ts, lag(ts) OVER w >= ts - interval '1 hour' AS is_known,
             {step reads} AS reads, {step read_bytes} AS read_bytes, {step read_ms_total} AS read_ms_total,
             {step writes} AS writes, {step write_bytes} AS write_bytes, {step write_ms_total} AS write_ms_total,
             {step extend_bytes} AS extend_bytes, {step hits} AS hits, {step evictions} AS evictions, {step reuses} AS reuses,
             {step fsyncs} AS fsyncs, {step fsync_ms_total} AS fsync_ms_total
      FROM collector.io_metrics_raw
      WHERE host_id = $1 AND ts >= {early} AND ts < {to}
      WINDOW w AS (PARTITION BY instance, backend_type, object, context, epoch ORDER BY ts)) steps
WHERE ts >= {from}
GROUP BY instance, backend_type, object, context
