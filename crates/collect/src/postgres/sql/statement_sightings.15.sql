-- How do these statements read, as far as a session that is here ran one last? $1 holds identifiers; one row for
-- each that is met. PostgreSQL 15 and newer, needs pg_read_all_stats. For a server whose texts cannot be
-- read: what a session last ran is as it was sent, with its constants, and cut at
-- track_activity_query_size.
SELECT DISTINCT ON (query_id) query_id AS queryid, query
FROM pg_stat_activity
WHERE query_id = ANY ($1) AND query <> '<insufficient privilege>' AND query <> ''
ORDER BY query_id, query_start DESC;
