-- Stores the changes of one evaluation run: resolves findings, refreshes open ones and opens the others.
-- $1 host int4; $2 instant of the run timestamptz; $3 findings, a JSON array of objects, as text, first and last
-- being microseconds; $4 identifiers of resolved findings int8[]. An older run that comes late does not overwrite a newer
-- one, and a run without new lines is not counted as an occurrence. Instants later than the run count as the run's.
WITH resolved AS (
    UPDATE collector.findings SET resolved_at = seen_at
    WHERE host_id = $1 AND finding_id = ANY ($4) AND resolved_at IS NULL
)
INSERT INTO collector.findings AS f
    (host_id, rule, target, kind, domain, severity, worst, title, message, steps, value, expected, score, details,
     opened_at, confirmed_at, seen_at)
SELECT $1, g.rule, g.target, g.kind, g.domain, g.severity, g.severity, g.title, g.message, g.steps, g.value, g.expected, g.score,
       g.details, begun.at, begun.at, least(timestamptz 'epoch' + g.last * interval '1 microsecond', $2)
FROM jsonb_to_recordset($3::text::jsonb) AS g
    (rule text, target text, kind text, domain text, severity text, title text, message text, steps text[],
     value float8, expected float8, score float8, details jsonb, first int8, last int8),
     LATERAL (SELECT least(timestamptz 'epoch' + g.first * interval '1 microsecond', $2) AS at) begun
ON CONFLICT (host_id, rule, target) WHERE resolved_at IS NULL DO UPDATE
SET severity = excluded.severity, title = excluded.title, message = excluded.message, steps = excluded.steps,
    value = excluded.value, expected = excluded.expected, score = excluded.score, details = excluded.details,
    worst = CASE WHEN 'critical' IN (f.worst, excluded.severity) THEN 'critical'
                 WHEN 'warn' IN (f.worst, excluded.severity) THEN 'warn' ELSE f.worst END,
    opened_at = least(f.opened_at, excluded.opened_at), confirmed_at = least(f.confirmed_at, excluded.confirmed_at),
    seen_at = excluded.seen_at, occurrences = f.occurrences + (excluded.seen_at > f.seen_at)::int
WHERE excluded.seen_at >= f.seen_at
