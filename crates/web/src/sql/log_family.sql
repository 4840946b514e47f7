-- A pattern with its family: the pattern it was merged into, and all that were merged into that.
-- Parameters: $1 host_id int4, $2 fingerprint text. Columns: fingerprint text.
WITH RECURSIVE up (fingerprint, alias_of, depth) AS (
    SELECT fingerprint, alias_of, 0 FROM collector.log_patterns WHERE host_id = $1 AND fingerprint = $2::text
    UNION ALL
    SELECT p.fingerprint, p.alias_of, u.depth + 1
    FROM up u JOIN collector.log_patterns p ON p.host_id = $1 AND p.fingerprint = u.alias_of
    WHERE u.depth < 32
), family (fingerprint, depth) AS (
    SELECT coalesce((SELECT fingerprint FROM up WHERE alias_of IS NULL LIMIT 1), $2::text), 0
    UNION ALL
    SELECT p.fingerprint, f.depth + 1
    FROM collector.log_patterns p JOIN family f ON p.alias_of = f.fingerprint
    WHERE p.host_id = $1 AND f.depth < 32
)
SELECT DISTINCT fingerprint FROM family
