-- What to do: recommendations that are open, and those that were resolved within a week.
-- Parameters: $1 host_id int4, $2 and $3 unused (timestamptz).
-- Columns: those of table recommendations, id, tag_severity, tag_category, tag_state text, sev_title text. Rows: at most 1000, open
-- ones first, then the worst, then the newest. Indexes: findings_open, findings_resolved.
-- What somebody dismissed is listed with that state; the dashboard cannot write, so the commands for it are columns.
WITH listed AS (
    SELECT * FROM collector.recommendations WHERE host_id = $1 AND resolved_at IS NULL
    UNION ALL
    SELECT * FROM collector.recommendations WHERE host_id = $1 AND resolved_at >= now() - interval '7 days'
), shown AS (
    SELECT *, CASE WHEN resolved THEN 'resolved' WHEN mark IS NOT NULL THEN mark WHEN acknowledged THEN 'acknowledged' ELSE 'open' END AS state
    FROM listed
)
SELECT id::text AS id, left(title, 400) AS title, left(target, 400) AS target, category, state, left(description, 4000) AS evidence,
       left(array_to_string(ARRAY(SELECT translate(step, E'\r\n', '  ') FROM unnest(steps) WITH ORDINALITY u (step, n) ORDER BY n), E'\n'), 4000) AS steps,
       left(coalesce(action_sql, command), 4000) AS action, ts AS since_ms, resolved_at AS resolved_ms, verified,
       CASE WHEN state = 'open' THEN 'pqcrypta alerts ack ' || id END AS ack,
       CASE WHEN state IN ('open', 'acknowledged') THEN 'pqcrypta alerts dismiss ' || id || ' --for 30d' END AS dismiss,
       concat_ws(' ', 'by ' || marked_by, 'until ' || to_char(marked_until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) AS marked,
       severity AS tag_severity, category AS tag_category, state AS tag_state,
       CASE state WHEN 'open' THEN severity WHEN 'acknowledged' THEN severity END AS sev_title,
       row_number() OVER (ORDER BY array_position(ARRAY['open', 'acknowledged', 'dismissed', 'resolved'], state),
                                   array_position(ARRAY['critical', 'warn', 'info'], severity), ts DESC, id) AS position
FROM shown
ORDER BY position
LIMIT 1000
