-- The transitions of one finding: of its rule and target, from its beginning to its end.
-- Parameters: $1 host_id int4, $2 and $3 unused (timestamptz), $4 its id in table findings (text).
-- Columns: those of table finding_history, id. Rows: at most 500, the newest first. Refreshes, which only bring new
-- figures, are left out except for the newest 20.
-- What became of it a day after its end is the last row.
-- Where the history has expired, what the finding itself knows takes its place: its beginning and its end.
-- Indexes: findings_pkey, finding_transitions_key.
WITH finding AS (
    SELECT * FROM collector.findings
    WHERE host_id = $1 AND finding_id = CASE WHEN $4 ~ '^[0-9]{1,18}$' THEN $4::bigint END
), history AS (
    SELECT t.ts, t.transition, t.severity, t.message, t.value, t.current_value, t.threshold, t.occurrences,
           row_number() OVER (PARTITION BY t.transition ORDER BY t.ts DESC) AS of_kind
    FROM finding f
    JOIN collector.finding_transitions_raw t
      ON t.host_id = f.host_id AND t.rule = f.rule AND t.target = f.target
     AND t.ts >= f.opened_at AND t.ts <= coalesce(f.transition_at, f.resolved_at, 'infinity')
), shown AS (
    SELECT ts, transition, severity, message, value, current_value, threshold, occurrences
    FROM history WHERE transition <> 'refreshed' OR of_kind <= 20
    UNION ALL
    SELECT CASE word WHEN 'opened' THEN f.opened_at WHEN 'confirmed' THEN f.confirmed_at ELSE f.resolved_at END, word,
           f.severity, CASE WHEN word = 'opened' THEN '' ELSE f.message END, NULL, NULL, NULL, NULL
    FROM finding f, unnest(ARRAY['opened', 'confirmed', 'resolved']) word
    WHERE NOT EXISTS (SELECT FROM history)
    UNION ALL
    SELECT f.verified_at, 'verified', f.severity, f.verified, NULL, NULL, NULL, NULL FROM finding f
)
SELECT extract(epoch FROM ts)::text || ' ' || transition AS id, ts AS at_ms, transition, severity,
       left(message, 1000) AS message, value, current_value AS current, threshold, occurrences
FROM shown
WHERE ts IS NOT NULL
ORDER BY ts DESC, transition
LIMIT 500
