-- Settings of each server that change what figures mean, wait for a restart, or risk data. What one risks is judged by the
-- collector: the open finding about it has severity and advice.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz; two slow ticks).
-- Columns: those of table settings_db, id, sev_setting, sev_pending_restart text, tag_issue text[].
-- Rows: one per server and setting, as of the newest slow tick. Indexes: (host_id, ts) of each partition,
-- findings_open.
WITH newest AS (
    SELECT instance, max(ts) AS ts
    FROM collector.db_check_raw
    WHERE host_id = $1 AND ts >= $2 AND ts < $3 AND check_name = 'settings'
    GROUP BY instance
), found AS (
    SELECT c.instance, c.object AS name, c.detail ->> 'setting' AS setting,
           nullif(c.detail ->> 'unit', '') AS unit, c.detail ->> 'source' AS source,
           coalesce(c.detail ->> 'pending_restart' = 'true', false) AS pending_restart
    FROM newest
    JOIN collector.db_check_raw c ON c.instance = newest.instance AND c.ts = newest.ts
    WHERE c.host_id = $1 AND c.ts >= $2 AND c.ts < $3 AND c.check_name = 'settings'
), measured AS (
    -- `8kB` counts blocks; a value that is not an integer, or switches something off, is shown unchanged.
    SELECT *, unit ~ 'B$' AS is_bytes,
           CASE WHEN setting ~ '^[1-9][0-9]{0,17}$' AND unit IS NOT NULL
                THEN setting::numeric * coalesce(substring(unit FROM '^[0-9]+'), '1')::numeric
                     * CASE substring(unit FROM '[A-Za-z]+$')
                           WHEN 'B' THEN 1 WHEN 'kB' THEN 1024 WHEN 'MB' THEN 1048576 WHEN 'GB' THEN 1073741824
                           WHEN 'us' THEN 1 WHEN 'ms' THEN 1000 WHEN 's' THEN 1000000 WHEN 'min' THEN 60000000
                           WHEN 'h' THEN 3600000000 WHEN 'd' THEN 86400000000 END END AS amount
    FROM found
), units (of_bytes, size, word) AS (VALUES
    (true, 1, 'B'), (true, 1024, 'KiB'), (true, 1048576, 'MiB'), (true, 1073741824, 'GiB'), (true, 1099511627776, 'TiB'),
    (false, 1, 'µs'), (false, 1000, 'ms'), (false, 1000000, 's'), (false, 60000000, 'min'), (false, 3600000000, 'h'),
    (false, 86400000000, 'd')
)
SELECT instance || '.' || measured.name AS id, measured.name, shown.setting, source, pending_restart, instance,
       concat_ws(' ', CASE WHEN pending_restart THEN 'Changed, and waits for a restart.' END, array_to_string(f.steps, ' ')) AS advice,
       CASE WHEN NOT pending_restart OR f.severity <> 'warn' THEN f.severity END AS sev_setting,
       CASE WHEN pending_restart THEN 'warn' END AS sev_pending_restart,
       array_remove(ARRAY[CASE WHEN f.severity IS NOT NULL THEN 'advice' END,
                          CASE WHEN pending_restart THEN 'restart' END], NULL) AS tag_issue
FROM measured
-- The greatest unit that the amount is a whole number of.
CROSS JOIN LATERAL (
    SELECT coalesce((SELECT div(amount, size) || ' ' || word FROM units
                     WHERE of_bytes = is_bytes AND amount % size = 0 ORDER BY size DESC LIMIT 1),
                    CASE WHEN setting ~ '^[0-9.]*[1-9]' THEN setting || coalesce(' ' || unit, '') END,
                    setting) AS setting
) shown
LEFT JOIN collector.findings f
    ON f.host_id = $1 AND f.resolved_at IS NULL AND f.rule IN ('check.settings', 'check.settings_advice')
       AND f.target = instance || '.' || measured.name
