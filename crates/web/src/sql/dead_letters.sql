-- Rows of a host that the database refused.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz, of when it was noticed).
-- Columns: noticed_at, ts timestamptz, table_name, sqlstate, error, row text (cut to 2000 characters).
-- Rows: at most 1000, newest first. Index: dead_letter_noticed.
SELECT noticed_at, ts, table_name, sqlstate, error, left(row, 2000) AS row
FROM collector.dead_letter
WHERE host_id = $1 AND noticed_at >= $2 AND noticed_at < $3
ORDER BY noticed_at DESC
LIMIT 1000
