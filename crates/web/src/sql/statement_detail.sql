-- One statement within a range, by role and whether a client sent it, with its text in full.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz), $4 its id in table statements (text).
-- Columns: those of table statement_detail, id. Rows: few.
-- Indexes: (host_id, ts) or (host_id, bucket) of each partition, statement_texts_queryid.
WITH summed AS (
    SELECT instance, database, queryid, role, toplevel, major,
           sum(calls)::int8 AS calls, sum(exec_ms) AS exec_ms, max(max_exec_ms) AS max_ms,
           max(stddev_exec_ms) AS stddev_ms, sum(rows)::int8 AS rows
    FROM {sums statement} sums
    WHERE instance || '.' || database || '.' || queryid = $4
    GROUP BY instance, database, queryid, role, toplevel, major
)
SELECT concat_ws('.', s.instance, s.database, s.queryid, s.role, s.toplevel, s.major) AS id,
       t.query, s.role, s.toplevel, s.calls, s.exec_ms, s.exec_ms / nullif(s.calls, 0) AS mean_ms, s.max_ms,
       s.stddev_ms, s.rows, s.queryid::text AS queryid, s.database, s.instance
FROM summed s
LEFT JOIN LATERAL (
    SELECT query
    FROM collector.statement_texts
    WHERE host_id = $1 AND instance = s.instance AND queryid = s.queryid
    ORDER BY major = s.major DESC, ts DESC
    LIMIT 1
) t ON true
