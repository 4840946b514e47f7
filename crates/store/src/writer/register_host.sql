-- The number of a machine, assigned if it has none.
-- $1 machine id, $2 host name, $3 kernel, $4 os, $5 cores int4, $6 memory int8, $7 boot id, $8 boot time timestamptz.
-- Rows: one: host_id int4.
INSERT INTO collector.hosts AS h (machine_id, hostname, kernel, os, cores, memory_bytes, boot_id, boot_ts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (machine_id) DO UPDATE
SET hostname = excluded.hostname, kernel = excluded.kernel, os = excluded.os, cores = excluded.cores,
    memory_bytes = excluded.memory_bytes, boot_id = excluded.boot_id, boot_ts = excluded.boot_ts, last_seen = now()
RETURNING host_id
