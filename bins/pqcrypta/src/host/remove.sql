-- Closes the open findings of a host that is removed: with a transition, as its collector does, so that what follows from history agrees.
-- Parameters: $1 host_id int4. Rows: one: how many were open int8.
WITH open AS MATERIALIZED (
    SELECT f.rule, f.target, greatest(clock_timestamp(), f.transition_at + interval '1 microsecond') AS closed_at
    FROM collector.findings f WHERE f.host_id = $1 AND f.resolved_at IS NULL
), newest AS (
    SELECT n.closed_at, n.row FROM (
        SELECT o.closed_at, t AS row, row_number() OVER (PARTITION BY t.rule, t.target ORDER BY t.ts DESC) AS place
        FROM open o
        JOIN collector.finding_transitions_raw t ON t.host_id = $1 AND t.rule = o.rule AND t.target = o.target) n
    WHERE n.place = 1
), stored AS (
    INSERT INTO collector.finding_transitions_raw
    SELECT (jsonb_populate_record(n.row, jsonb_build_object(
        'ts', n.closed_at, 'transition', 'resolved', 'resolved_at', n.closed_at))).*
    FROM newest n
    RETURNING ts
)
SELECT (SELECT count(*) FROM open)::int8, coalesce((SELECT array_agg(ts) FROM stored), '{}')
