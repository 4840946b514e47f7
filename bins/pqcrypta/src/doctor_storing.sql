-- What waits at which host because it cannot be stored, as of its newest tick within five minutes.
-- Columns: hostname, what waits and why (text). Rows: one per host and kind, none when all is well.
SELECT h.hostname,
       CASE count(*) WHEN 1 THEN 'lines of 1 log' ELSE 'lines of ' || count(*) || ' logs' END AS what,
       coalesce(max(s.error), '') AS why
FROM (SELECT host_id, ts, status, error, max(ts) OVER (PARTITION BY host_id) AS newest
      FROM collector.log_sources_raw
      WHERE ts > now() - interval '5 minutes' AND ts < now() + interval '1 day') s
JOIN collector.hosts h ON h.host_id = s.host_id
WHERE s.status = 'blocked' AND s.ts = s.newest AND h.removed_at IS NULL
GROUP BY h.host_id, h.hostname
UNION ALL
SELECT h.hostname, 'samples', s.db_error
FROM (SELECT host_id FROM collector.spool_watermark GROUP BY host_id) w
JOIN LATERAL (SELECT db_error FROM collector.collector_self_metrics
              WHERE host_id = w.host_id AND ts > now() - interval '5 minutes' AND ts < now() + interval '1 day'
              ORDER BY ts DESC LIMIT 1) s ON s.db_error IS NOT NULL
JOIN collector.hosts h ON h.host_id = w.host_id
WHERE h.removed_at IS NULL
ORDER BY 1, 2
