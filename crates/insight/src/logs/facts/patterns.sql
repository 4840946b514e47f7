-- Patterns of errors and warnings, and of any message whose topic is known, that were seen within a range; each
-- with all that was merged into it.
-- $1 host int4, $2 from, $3 to (timestamptz). Indexes: log_patterns_last_seen, log_patterns_pkey,
-- log_fingerprint_hourly_fingerprint, log_entries_fingerprint_ts.
-- recent counts the lines of the hours that the range touches, since is the first of them and last the last; per_hour is the
-- fuller of the hours, so that one that has just begun counts for no less. Rows: the 2000 with most lines; more kinds an
-- hour are noise, whatever their text.
WITH RECURSIVE up (fingerprint, alias_of, depth) AS (
    SELECT fingerprint, alias_of, 0 FROM collector.log_patterns
    WHERE host_id = $1 AND last_seen >= $2 AND (level IN ('error', 'warn') OR topic IS NOT NULL)
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
    SELECT root, max(lines) AS per_hour, sum(lines) AS recent, min(bucket) AS began
    FROM (SELECT f.root, h.bucket, sum(h.count) AS lines
          FROM family f
          JOIN collector.log_fingerprint_hourly h ON h.host_id = $1 AND h.fingerprint = f.fingerprint
               AND h.bucket >= date_trunc('hour', $2, 'UTC') AND h.bucket < $3
          GROUP BY f.root, h.bucket) by_hour
    GROUP BY root ORDER BY max(lines) DESC, root LIMIT 2000
), life AS (
    SELECT f.root, min(m.first_seen) AS first, max(m.last_seen) AS last, sum(m.occurrences)::int8 AS lines, max(m.topic) AS topic,
           (array_agg(m.sample ORDER BY m.topic IS NULL, m.last_seen DESC))[1] AS sample, array_agg(f.fingerprint) AS members
    FROM hour h JOIN family f USING (root)
    JOIN collector.log_patterns m ON m.host_id = $1 AND m.fingerprint = f.fingerprint
    GROUP BY f.root
)
SELECT p.fingerprint, p.source, p.level, p.template, l.sample, l.topic, l.first, l.lines, h.per_hour::int8 AS per_hour,
       h.recent::int8 AS recent, coalesce(s.ts, greatest(l.first, h.began)) AS since, l.last
FROM hour h
JOIN life l USING (root)
JOIN collector.log_patterns p ON p.host_id = $1 AND p.fingerprint = h.root
CROSS JOIN LATERAL (
    SELECT min(first.ts) AS ts
    FROM unnest(l.members) AS m (fingerprint)
    CROSS JOIN LATERAL (SELECT e.ts FROM collector.log_entries e
                        WHERE e.host_id = $1 AND e.fingerprint = m.fingerprint AND e.ts >= h.began AND e.ts < $3
                        ORDER BY e.ts LIMIT 1) AS first
) s
ORDER BY h.per_hour DESC, p.fingerprint
