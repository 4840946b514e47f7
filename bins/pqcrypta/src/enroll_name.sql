-- Gives a machine that the store does not know yet the name that `host add` let it in under. One that is known keeps the name it has, and
-- a name that another host has is not given twice.
-- $1 machine id, $2 name.
-- Rows: none or one: the name.
INSERT INTO collector.hosts (machine_id, hostname, is_renamed)
SELECT $1, $2, true
WHERE NOT EXISTS (SELECT FROM collector.hosts WHERE hostname = $2 AND removed_at IS NULL)
ON CONFLICT (machine_id) DO NOTHING
RETURNING hostname
