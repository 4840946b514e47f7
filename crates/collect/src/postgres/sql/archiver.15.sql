-- Does archiving work? One row, PostgreSQL 15 and newer, readable by everybody. The count of failures
-- never falls, so that only the order of the last success and the last failure tells how it is now.
SELECT extract(epoch FROM stats_reset)::text AS reset,
       archived_count AS archived_total, failed_count AS archive_failed_total,
       CASE WHEN current_setting('archive_mode') <> 'off'
            THEN coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false)
       END AS archive_failing
FROM pg_stat_archiver;
