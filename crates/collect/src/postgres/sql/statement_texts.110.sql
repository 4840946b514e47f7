-- How do these statements read? $1 holds identifiers; one row for each that is still there. Extension
-- 1.10 and newer, needs pg_read_all_stats. The server reads its whole file of texts for this: only new
-- identifiers are asked for. Utility statements keep their constants, passwords among them.
SELECT DISTINCT ON (queryid) queryid, query
FROM {schema}.pg_stat_statements(true)
WHERE queryid = ANY ($1) AND query <> '<insufficient privilege>';
