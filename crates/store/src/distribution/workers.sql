-- What each worker says of itself, asked as the role of this session.
-- Columns: address text, success bool, answer text (version of Citus, max_prepared_transactions and free bytes, or the error).
SELECT r.nodename || ':' || r.nodeport AS address, r.success, r.result AS answer
FROM pg_catalog.run_command_on_workers($ask$
    SELECT (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus')
           || ' ' || current_setting('max_prepared_transactions')
           || ' ' || (SELECT available_disk_size FROM pg_catalog.citus_local_disk_space_stats())
$ask$) r
ORDER BY 1
