-- Since when does this database count? One row, PostgreSQL 15 and newer, readable by everybody. pg_stat_reset()
-- moves the mark, and so do the resets of single tables. It is empty until the first one and after a
-- crash, which moves another mark (`crash_mark`).
SELECT coalesce(extract(epoch FROM pg_stat_get_db_stat_reset_time(oid))::text, '-') AS reset
FROM pg_database WHERE datname = current_database();
