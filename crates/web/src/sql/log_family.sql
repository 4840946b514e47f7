-- A pattern and those that were merged into it.
-- Parameters: $1 host_id int4, $2 fingerprint text. Columns: fingerprint text.
WITH RECURSIVE family (fingerprint, depth) AS (
    SELECT $2::text, 0
    UNION ALL
    SELECT p.fingerprint, f.depth + 1
    FROM collector.log_patterns p JOIN family f ON p.alias_of = f.fingerprint
    WHERE p.host_id = $1 AND f.depth < 32
)
SELECT DISTINCT fingerprint FROM family
