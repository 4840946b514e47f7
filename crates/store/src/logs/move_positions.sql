-- Moves positions from the version that was read to the next; makes those that are new (version 0).
-- $1 host int4; $2 sources, $3 streams text[]; $4 versions int8[]; $5 positions as JSON text[].
-- Gives one row: how many were moved or made.
WITH given AS (
    SELECT * FROM unnest($2::text[], $3::text[], $4::int8[], $5::text[]) AS g(source, stream, version, position)
), moved AS (
    UPDATE collector.log_positions p
    SET version = p.version + 1, position = g.position::jsonb, updated_at = now()
    FROM given g
    WHERE p.host_id = $1 AND p.source = g.source AND p.stream = g.stream AND p.version = g.version
    RETURNING 1
), made AS (
    INSERT INTO collector.log_positions (host_id, source, stream, version, position)
    SELECT $1, source, stream, 1, position::jsonb FROM given WHERE version = 0
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM moved) + (SELECT count(*) FROM made)
