-- The newest row of every PostgreSQL server, with the size of its databases.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table db_servers, and id (the metrics' key). Rows: one per server.
-- Indexes: (host_id, ts) of each partition.
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
)
SELECT instance AS id, instance,
       CASE WHEN in_recovery THEN 'standby' WHEN NOT in_recovery THEN 'primary' END AS role,
       version_num / 10000 || '.' || version_num % 10000 AS version,
       started_at AS started_ms, conn_total, conn_hidden, size_bytes, error, ts AS seen_ms,
       CASE WHEN error IS NOT NULL THEN CASE WHEN up THEN 'info' ELSE 'warn' END END AS sev_error
FROM newest
LEFT JOIN sizes USING (instance)
