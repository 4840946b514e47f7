-- Which indexes has nobody scanned that need not stay? The 50 biggest; value: bytes, as of the last vacuum,
-- and unknown before the first. PostgreSQL 15 and newer, readable by everybody. Scans on standbys are not
-- counted here, and indexes of partitions go with their parent. Whether one may be dropped depends on how
-- long it was watched, too, which the server does not know.
SELECT n.nspname || '.' || u.index_name AS object, u.pages * current_setting('block_size')::float8 AS value,
       t.relname AS table_name,
       extract(epoch FROM clock_timestamp()
               - greatest(d.reset, pg_stat_get_bgwriter_stat_reset_time()))::float8 AS counted_secs
FROM (SELECT i.indrelid, c.relname AS index_name,
             CASE WHEN b.reltuples >= 0 THEN c.relpages::float8 END AS pages
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
      JOIN pg_class b ON b.oid = i.indrelid
      WHERE i.indisvalid AND NOT i.indisunique AND NOT i.indisreplident AND NOT i.indisexclusion
        AND i.indrelid >= 16384 AND c.relpersistence <> 't' AND pg_stat_get_numscans(c.oid) = 0
        AND c.relnamespace <> {own}
        AND c.oid NOT IN (SELECT conindid FROM pg_constraint WHERE conindid <> 0)
        AND c.oid NOT IN (SELECT inhrelid FROM pg_inherits)
      ORDER BY c.relpages DESC, c.relname LIMIT 50) u
JOIN pg_class t ON t.oid = u.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
CROSS JOIN (SELECT pg_stat_get_db_stat_reset_time(oid) AS reset
            FROM pg_database WHERE datname = current_database()) d
ORDER BY value DESC NULLS LAST, object;
