-- How far the hours and the days of a host are rolled up.
-- Parameters: $1 host_id int4, $2 now, $3 from when samples and hours that changed are waited for (timestamptz).
-- Columns: grain text ('hour', 'day'), rolled_until, rolled_from timestamptz, waiting int8 (hours or days that are over and
--   not rolled up as they are now), waiting_from timestamptz (the oldest of them), last_run timestamptz, outcome text.
-- Rows: two. Indexes: rollups_pkey, rollups_not_whole, changed_hours_bucket, collector_runs_raw_ts.
WITH run AS (
    SELECT ts, outcome FROM collector.collector_runs_raw
    WHERE host_id = $1 AND collector = 'history' AND ts > $2::timestamptz - interval '1 hour' AND ts <= $2
    ORDER BY ts DESC LIMIT 1
), hours AS (
    SELECT bucket FROM collector.changed_hours
    WHERE host_id = $1 AND bucket <= $2::timestamptz - interval '1 hour'
    UNION
    -- What an earlier program made lacks what it did not know; it is taken again while its samples are kept.
    SELECT bucket FROM collector.rollups
    WHERE host_id = $1 AND grain = 'hour' AND bucket >= $3 AND whole_version IS DISTINCT FROM version
      AND bucket >= coalesce((SELECT (first_day + 1)::timestamp AT TIME ZONE 'UTC'
                              FROM collector.kept WHERE keep = 'raw' AND days IS NOT NULL), '-infinity')
), days AS (
    SELECT h.day AS bucket
    FROM (SELECT date_bin('24 hours', bucket, 'epoch'::timestamptz) AS day, sum(version) AS version
          FROM collector.rollups
          WHERE host_id = $1 AND grain = 'hour' AND bucket >= $3 AND bucket < date_bin('24 hours', $2, 'epoch'::timestamptz)
          GROUP BY 1) h
    LEFT JOIN collector.rollups d ON d.host_id = $1 AND d.grain = 'day' AND d.bucket = h.day
    WHERE d.version IS DISTINCT FROM h.version
)
SELECT g.grain, r.rolled_until, r.rolled_from, w.waiting, w.waiting_from, run.ts AS last_run, run.outcome
FROM (VALUES ('hour', interval '1 hour'), ('day', interval '24 hours')) g (grain, length)
CROSS JOIN LATERAL (SELECT max(bucket) + g.length AS rolled_until, min(bucket) AS rolled_from FROM collector.rollups
                    WHERE host_id = $1 AND grain = g.grain) r
CROSS JOIN LATERAL (SELECT count(*) AS waiting, min(bucket) AS waiting_from
                    FROM (SELECT bucket FROM hours WHERE g.grain = 'hour'
                          UNION ALL SELECT bucket FROM days WHERE g.grain = 'day') d) w
LEFT JOIN run ON true
ORDER BY g.length
