-- Events of a host within a range: starts and ends of its agent, its last boot, and what was changed.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz).
-- Columns: at timestamptz; kind text (started, stopped, vanished, booted, or that of the change); of a change action text,
-- subjects text[] (the first three), others int8, before, after text (of a single one). Rows: at most 200, oldest first.
-- Indexes: agent_runs_started; ends are looked for among the runs that began before the range's end; change_markers_ts.
WITH changed AS (
    SELECT ts, kind, subject, action, before, after, count(*) OVER (PARTITION BY kind, subject, action) AS times
    FROM collector.change_markers
    WHERE host_id = $1 AND ts >= $2 AND ts < $3
), noted AS (
    SELECT ts, kind, subject, action, coalesce(c.before, seen.before) AS before, coalesce(c.after, seen.after) AS after
    FROM changed c
    -- Of a setting that a log reports the collector sees the values, later.
    LEFT JOIN LATERAL (
        SELECT o.before, o.after FROM changed o
        WHERE c.kind = 'setting' AND o.kind = c.kind AND o.subject = c.subject
          AND o.ts > c.ts AND o.ts < c.ts + interval '10 minutes' AND o.after IS NOT NULL
        ORDER BY o.ts LIMIT 1
    ) seen ON true
    -- What happens again and again, as a service that a timer starts, explains nothing.
    WHERE times <= 10
      AND NOT (kind = 'setting' AND EXISTS (
          SELECT FROM changed o
          WHERE o.kind = c.kind AND o.subject = c.subject AND o.ts < c.ts AND o.ts > c.ts - interval '10 minutes'))
), happened AS (
    SELECT started_at AS at, 'started' AS kind, NULL AS action, NULL::text[] AS subjects, 0::bigint AS others,
           NULL AS before, NULL AS after
    FROM collector.agent_runs
    WHERE host_id = $1 AND started_at >= $2 AND started_at < $3
    UNION ALL
    SELECT ended_at, CASE outcome WHEN 'vanished' THEN 'vanished' ELSE 'stopped' END, NULL, NULL, 0, NULL, NULL
    FROM collector.agent_runs
    WHERE host_id = $1 AND started_at < $3 AND ended_at >= $2 AND ended_at < $3
      AND outcome IN ('stopped', 'vanished')
    UNION ALL
    SELECT boot_ts, 'booted', NULL, NULL, 0, NULL, NULL
    FROM collector.hosts WHERE host_id = $1 AND boot_ts >= $2 AND boot_ts < $3
    UNION ALL
    -- Packages of one upgrade, services of one start, are one mark.
    SELECT min(ts), kind, action, (array_agg(subject ORDER BY ts, subject))[1:3], greatest(count(*) - 3, 0),
           CASE WHEN count(*) = 1 THEN min(before) END, CASE WHEN count(*) = 1 THEN min(after) END
    FROM noted
    GROUP BY kind, action, date_bin('1 minute', ts, '2000-01-01')
)
SELECT at, kind, action, subjects, others, before, after FROM happened
ORDER BY at, kind, action
LIMIT 200
