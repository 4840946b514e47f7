-- Which databases write temporary files? One row each that did, most first; value: bytes since the reset.
-- PostgreSQL 15 and newer, readable by everybody.
SELECT coalesce(datname::text, '<shared>') AS object, temp_bytes::float8 AS value, temp_files, stats_reset,
       nullif(current_setting('temp_file_limit'), '-1') AS temp_file_limit
FROM pg_stat_database WHERE temp_files > 0 ORDER BY value DESC;
