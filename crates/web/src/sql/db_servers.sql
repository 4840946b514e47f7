-- The newest row of every PostgreSQL server, with the size of its databases; where no samples are kept, the names of those that hours or days know.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table db_servers, and id (the metrics' key). Rows: one per server.
-- Indexes: (host_id, ts) of each partition; metric_hours and metric_days are read where there are no samples.
WITH newest AS (
    SELECT DISTINCT ON (instance) *
    FROM collector.db_metrics_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
    ORDER BY instance, ts DESC
), sizes AS (
    SELECT instance, sum(size_bytes)::int8 AS size_bytes
    FROM (SELECT DISTINCT ON (instance, database) instance, size_bytes
          FROM collector.database_metrics_raw
          WHERE host_id = $1 AND ts >= $2 AND ts < $3 AND size_bytes IS NOT NULL
          ORDER BY instance, database, ts DESC) d
    GROUP BY instance
), known AS (
    SELECT key AS instance
    FROM (SELECT key, metric FROM collector.metrics_hourly WHERE host_id = $1 AND bucket = date_bin('1 hour', $3, 'epoch'::timestamptz)
          UNION ALL
          SELECT key, metric FROM collector.metrics_daily WHERE host_id = $1 AND bucket = date_bin('24 hours', $3, 'epoch'::timestamptz)) m
    WHERE metric = 'db.up' AND NOT EXISTS (SELECT FROM newest)
)
SELECT instance AS id, instance,
       CASE WHEN in_recovery THEN 'standby' WHEN NOT in_recovery THEN 'primary' END AS role,
       version_num / 10000 || '.' || version_num % 10000 AS version,
       started_at AS started_ms, conn_total, conn_hidden, size_bytes, error, ts AS seen_ms,
       CASE WHEN error IS NOT NULL THEN CASE WHEN up THEN 'info' ELSE 'warn' END END AS sev_error
FROM (SELECT instance FROM newest UNION SELECT instance FROM known) servers
LEFT JOIN newest USING (instance)
LEFT JOIN sizes USING (instance)
