-- Patterns of log lines that were seen within a range, merged ones under the pattern that goes on.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz).
-- Columns: id (fingerprint), template, sample, source, level text, count int8 (of the hours the range
-- touches), trend text (counts by commas, oldest first, over the range and at least a day, in at most
-- 48 parts of whole hours), first_seen_ms, last_seen_ms timestamptz, occurrences int8, tag_tag
-- (new: first seen within the last day, once there was an hour of logs before it; rare: seen three
-- times or less in all), sev_level text.
-- Rows: the 1000 most frequent. Index: log_fingerprint_hourly_pkey.
WITH RECURSIVE family (fingerprint, root, depth) AS (
    SELECT fingerprint, fingerprint, 0 FROM collector.log_patterns WHERE host_id = $1 AND alias_of IS NULL
    UNION ALL
    SELECT p.fingerprint, f.root, f.depth + 1
    FROM collector.log_patterns p JOIN family f ON p.alias_of = f.fingerprint
    WHERE p.host_id = $1 AND f.depth < 32
), span AS (
    SELECT date_trunc('hour', $2, 'UTC') AS counted_from,
           date_trunc('hour', least($2, $3 - interval '24 hours'), 'UTC') AS drawn_from
), part AS (
    SELECT drawn_from, counted_from,
           ceil(extract(epoch FROM $3 - drawn_from) / 3600)::int AS hours,
           ceil(extract(epoch FROM $3 - drawn_from) / 3600 / 48)::int AS width
    FROM span
), counted AS (
    SELECT f.root, (extract(epoch FROM h.bucket - p.drawn_from) / 3600)::int / p.width AS slot,
           sum(h.count) AS drawn, sum(h.count) FILTER (WHERE h.bucket >= p.counted_from) AS count
    FROM part p
    JOIN collector.log_fingerprint_hourly h ON h.host_id = $1 AND h.bucket >= p.drawn_from AND h.bucket < $3
    JOIN family f USING (fingerprint)
    GROUP BY f.root, slot
), seen AS (
    SELECT root, sum(count)::int8 AS count FROM counted
    GROUP BY root HAVING sum(count) > 0
    ORDER BY sum(count) DESC, root LIMIT 1000
), life AS (
    SELECT f.root, min(m.first_seen) AS first_seen, max(m.last_seen) AS last_seen, sum(m.occurrences)::int8 AS occurrences
    FROM seen s JOIN family f USING (root)
    JOIN collector.log_patterns m ON m.host_id = $1 AND m.fingerprint = f.fingerprint
    GROUP BY f.root
), host AS (
    SELECT min(first_seen) AS began FROM collector.log_patterns WHERE host_id = $1
)
SELECT s.root AS id, p.template, p.sample, p.source, p.level, s.count,
       (SELECT string_agg(coalesce(c.drawn, 0)::text, ',' ORDER BY i)
        FROM generate_series(0, (part.hours - 1) / part.width) i
        LEFT JOIN counted c ON c.root = s.root AND c.slot = i) AS trend,
       l.first_seen AS first_seen_ms, l.last_seen AS last_seen_ms, l.occurrences,
       t.tags AS tag_tag, array_to_string(t.tags, ', ') AS tag,
       CASE p.level WHEN 'error' THEN 'critical' WHEN 'warn' THEN 'warn' END AS sev_level
FROM seen s
CROSS JOIN part
CROSS JOIN host
JOIN life l USING (root)
JOIN collector.log_patterns p ON p.host_id = $1 AND p.fingerprint = s.root
CROSS JOIN LATERAL (SELECT array_remove(ARRAY[
    CASE WHEN l.first_seen >= $3 - interval '24 hours' AND l.first_seen > host.began + interval '1 hour' THEN 'new' END,
    CASE WHEN l.occurrences <= 3 THEN 'rare' END], NULL) AS tags) t
ORDER BY s.count DESC, s.root
