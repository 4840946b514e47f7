-- The statements that took most time within a range.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz), $4 how many (int8).
-- Columns: id (the metrics' key), instance, database, query text, calls int8, exec_ms, share_pct float8 (of its server).
-- Rows: the costliest first. Indexes: (host_id, ts) of each partition, statement_texts_queryid.
WITH summed AS (
    SELECT instance, database, queryid, sum(calls)::int8 AS calls, sum(exec_ms) AS exec_ms
    FROM collector.statement_metrics_raw_all
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
      AND sample_hour >= date_bin('1 hour', $2, 'epoch'::timestamptz) AND sample_hour < $3
    GROUP BY instance, database, queryid
), ranked AS (
    SELECT *, 100 * exec_ms / nullif(sum(exec_ms) OVER (PARTITION BY instance), 0) AS share_pct
    FROM summed
    ORDER BY exec_ms DESC, queryid
    LIMIT $4
)
SELECT r.instance || '.' || r.database || '.' || r.queryid AS id, r.instance, r.database, r.calls, r.exec_ms, r.share_pct,
       (SELECT left(t.query, 1000) FROM collector.statement_texts t
        WHERE t.host_id = $1 AND t.instance = r.instance AND t.queryid = r.queryid
        ORDER BY t.ts DESC LIMIT 1) AS query
FROM ranked r
WHERE r.exec_ms > 0
ORDER BY r.exec_ms DESC, r.queryid
