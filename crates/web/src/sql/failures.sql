-- The last failed requests reported by targets.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; a day).
-- Columns: those of table failures, id. Rows: at most 100, newest first.
-- Indexes: (host_id, ts) of each partition.
SELECT concat_ws('.', target, extract(epoch FROM failed_at), status, path,
                 row_number() OVER (PARTITION BY target, failed_at, status, path)) AS id,
       failed_at AS failed_ms, status::text AS status, method, path, duration_ms, target,
       CASE WHEN status >= 500 THEN 'warn' END AS sev_status
FROM collector.request_failures_raw
WHERE host_id = $1 AND ts >= $2 AND ts < $3
ORDER BY failed_at DESC
LIMIT 100
