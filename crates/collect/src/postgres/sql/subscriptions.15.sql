-- Do the subscriptions of this database keep up? One row each, PostgreSQL 15 and newer. Readable by everybody
-- but for the connection, which is not asked for; the worker needs pg_read_all_stats. Which tables are
-- not ready is known within their own database alone.
SELECT s.subname::text AS subscription,
       coalesce(extract(epoch FROM max(ss.stats_reset))::text, '-') AS reset,
       s.subenabled AS enabled,
       coalesce(bool_or(st.pid IS NOT NULL AND st.relid IS NULL), false) AS running,
       min(extract(epoch FROM clock_timestamp() - st.last_msg_receipt_time))::float8 AS last_msg_age_secs,
       (SELECT count(*) FROM pg_subscription_rel r
        WHERE r.srsubid = s.oid AND r.srsubstate <> 'r') AS tables_not_ready,
       max(ss.apply_error_count) AS apply_errors, max(ss.sync_error_count) AS sync_errors,
       NULL::int8 AS conflicts -- @before 18
       max(ss.confl_insert_exists + ss.confl_update_origin_differs + ss.confl_update_exists -- @since 18
           + ss.confl_update_missing + ss.confl_delete_origin_differs + ss.confl_delete_missing -- @since 18
           + ss.confl_multiple_unique_conflicts) AS conflicts -- @since 18
FROM pg_subscription s
LEFT JOIN pg_stat_subscription st ON st.subid = s.oid
LEFT JOIN pg_stat_subscription_stats ss ON ss.subid = s.oid
WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
GROUP BY s.oid, s.subname, s.subenabled;
