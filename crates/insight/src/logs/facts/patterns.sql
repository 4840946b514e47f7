-- Patterns that were seen within a range, each with all that was merged into it.
-- $1 host int4, $2 from, $3 to (timestamptz). Indexes: log_patterns_last_seen, log_patterns_pkey,
-- log_fingerprint_hourly_fingerprint.
-- per_hour is the fuller of the hours that the range touches, so that one that has just begun counts
-- for no less. Rows: the 2000 with most lines; more kinds an hour are noise, whatever they say.
WITH RECURSIVE up (fingerprint, alias_of, depth) AS (
    SELECT fingerprint, alias_of, 0 FROM collector.log_patterns WHERE host_id = $1 AND last_seen >= $2
    UNION
    SELECT p.fingerprint, p.alias_of, u.depth + 1
    FROM up u JOIN collector.log_patterns p ON p.host_id = $1 AND p.fingerprint = u.alias_of
    WHERE u.depth < 32
), family (root, fingerprint, depth) AS (
    SELECT DISTINCT fingerprint, fingerprint, 0 FROM up WHERE alias_of IS NULL
    UNION
    SELECT f.root, p.fingerprint, f.depth + 1
    FROM family f JOIN collector.log_patterns p ON p.host_id = $1 AND p.alias_of = f.fingerprint
    WHERE f.depth < 32
), hour AS (
    SELECT root, max(lines) AS lines
    FROM (SELECT f.root, h.bucket, sum(h.count) AS lines
          FROM family f
          JOIN collector.log_fingerprint_hourly h ON h.host_id = $1 AND h.fingerprint = f.fingerprint
               AND h.bucket >= date_trunc('hour', $2, 'UTC') AND h.bucket < $3
          GROUP BY f.root, h.bucket) by_hour
    GROUP BY root
), life AS (
    SELECT f.root, min(m.first_seen) AS first, sum(m.occurrences)::int8 AS lines
    FROM family f JOIN collector.log_patterns m ON m.host_id = $1 AND m.fingerprint = f.fingerprint
    GROUP BY f.root
)
SELECT p.fingerprint, p.source, p.level, p.template, l.first, l.lines, h.lines::int8 AS per_hour
FROM hour h
JOIN life l USING (root)
JOIN collector.log_patterns p ON p.host_id = $1 AND p.fingerprint = h.root
ORDER BY h.lines DESC, p.fingerprint
LIMIT 2000
