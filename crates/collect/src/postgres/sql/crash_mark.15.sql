-- Since when does the background writer count? One row, PostgreSQL 15 and newer, readable by everybody. A crash
-- clears every counter of the server and moves this mark, while the marks of databases and tables are
-- empty afterwards; a clean restart keeps all of them.
SELECT extract(epoch FROM pg_stat_get_bgwriter_stat_reset_time())::text AS reset;
