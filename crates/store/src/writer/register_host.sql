-- The number of a machine, assigned if it has none. A machine that is known uses up no number, and its row is not written: that is
-- for the agent that has its lease (update_host.sql).
-- $1 machine id, $2 host name.
-- Rows: one: host_id int4.
WITH known AS MATERIALIZED (
    SELECT host_id FROM collector.hosts WHERE machine_id = $1
), made AS (
    INSERT INTO collector.hosts AS h (machine_id, hostname)
    SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM known)
    ON CONFLICT (machine_id) DO UPDATE SET last_seen = excluded.last_seen
    RETURNING host_id
)
SELECT host_id FROM known UNION ALL SELECT host_id FROM made
