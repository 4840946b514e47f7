-- Findings in the logs of a host: the open ones, and those within a range.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz).
-- Columns: id, state, severity, title, target, message, kind, domain, rule, steps, source, pattern text,
-- position int8, since_ms, seen_ms, resolved_ms timestamptz, occurrences int8, value, expected float8, sev_title text.
-- Rows: at most 2000, none that is or was only pending: open ones first, then the worst, then the newest; position counts them in that order.
-- A pattern is named by its template rather than by its fingerprint. A resolved finding keeps its severity as text;
-- sev_title is set only for open ones.
-- Index: findings_pkey.
WITH shown AS (
    SELECT *, row_number() OVER (
               ORDER BY resolved_at IS NOT NULL, array_position(ARRAY['critical', 'warn'], severity), opened_at DESC, finding_id DESC) AS position
    FROM collector.findings
    WHERE host_id = $1 AND domain IN ('logs', 'security') AND confirmed_at IS NOT NULL AND opened_at < $3 AND (resolved_at IS NULL OR resolved_at >= $2)
)
SELECT finding_id::text AS id, position, CASE WHEN resolved_at IS NULL THEN 'open' ELSE 'resolved' END AS state,
       severity, left(title, 400) AS title, left(message, 4000) AS message,
       left(CASE WHEN target = details ->> 'fingerprint' THEN coalesce(details ->> 'template', target) ELSE target END, 400) AS target,
       opened_at AS since_ms, seen_at AS seen_ms, resolved_at AS resolved_ms, kind, domain, rule, occurrences, value, expected,
       left(array_to_string(ARRAY(SELECT translate(step, E'\r\n', '  ') FROM unnest(steps) WITH ORDINALITY u (step, n) ORDER BY n), E'\n'),
            4000) AS steps,
       left(details ->> 'source', 400) AS source, left(details ->> 'fingerprint', 64) AS pattern,
       CASE WHEN resolved_at IS NULL THEN severity END AS sev_title
FROM shown
ORDER BY position
LIMIT 2000
