-- Keeps the patterns that others were merged into as long as those are seen: a family has lines of its
-- own only once it has many members.
-- $1 host int4; $2 fingerprints that were seen, text[]. Index: log_patterns_pkey.
UPDATE collector.log_patterns f
SET last_seen = m.last_seen, resolved_at = NULL
FROM (SELECT alias_of, max(last_seen) AS last_seen
      FROM collector.log_patterns
      WHERE host_id = $1 AND fingerprint = ANY ($2::text[]) AND alias_of IS NOT NULL
      GROUP BY alias_of) m
WHERE f.host_id = $1 AND f.fingerprint = m.alias_of AND f.last_seen < m.last_seen
