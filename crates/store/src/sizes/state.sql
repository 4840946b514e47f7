-- What applies to the store as a whole. One row.
-- Columns: now, measured_at (NULL: never) and began (NULL: no host) timestamptz; budget_bytes int8 (NULL: none); keeper int4:
-- the host whose collector reports on the store, which is whose turn its upkeep is; while it is nobody's, the first of those that
-- were heard of within three hours and whose clock is right (NULL: none).
SELECT now() AS now, (SELECT max(measured_at) FROM collector.store_sizes) AS measured_at,
       (SELECT min(first_seen) FROM collector.hosts) AS began,
       (SELECT max_bytes FROM collector.size_budget) AS budget_bytes,
       coalesce((SELECT host_id FROM collector.store_tasks WHERE task = 'upkeep' AND until > now()),
                (SELECT min(host_id) FROM collector.retention
                 WHERE reported_at > now() - interval '3 hours' AND clock_wrong_since IS NULL)) AS keeper
