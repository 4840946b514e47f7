-- How do the small caches of transactions and multixacts do? One row each, PostgreSQL 15 and newer,
-- readable by everybody. 17 renamed them; the older names become the newer ones.
SELECT CASE name WHEN 'CommitTs' THEN 'commit_timestamp' WHEN 'MultiXactMember' THEN 'multixact_member'
                 WHEN 'MultiXactOffset' THEN 'multixact_offset' WHEN 'Notify' THEN 'notify'
                 WHEN 'Serial' THEN 'serializable' WHEN 'Subtrans' THEN 'subtransaction'
                 WHEN 'Xact' THEN 'transaction' ELSE name END AS slru,
       coalesce(extract(epoch FROM stats_reset)::text, '-') AS reset,
       blks_hit, blks_read, blks_written, blks_zeroed, flushes, truncates
FROM pg_stat_slru;
