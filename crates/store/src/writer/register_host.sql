-- The number of a machine, assigned if it has none. A machine that is known uses up no number, and its line is written only
-- with news or once a day.
-- $1 machine id, $2 host name, $3 kernel, $4 os, $5 cores int4, $6 memory int8, $7 boot id, $8 boot time timestamptz.
-- Rows: one: host_id int4.
WITH known AS MATERIALIZED (
    SELECT host_id,
           (hostname, kernel, os, cores, memory_bytes, boot_id, boot_ts) IS DISTINCT FROM ($2, $3, $4, $5::int4, $6::int8, $7, $8::timestamptz)
           OR last_seen < now() - interval '1 day' AS has_news
    FROM collector.hosts WHERE machine_id = $1
), changed AS (
    UPDATE collector.hosts h
    SET hostname = $2, kernel = $3, os = $4, cores = $5, memory_bytes = $6, boot_id = $7, boot_ts = $8, last_seen = now()
    FROM known k WHERE h.host_id = k.host_id AND k.has_news
), made AS (
    INSERT INTO collector.hosts AS h (machine_id, hostname, kernel, os, cores, memory_bytes, boot_id, boot_ts)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE NOT EXISTS (SELECT FROM known)
    ON CONFLICT (machine_id) DO UPDATE SET last_seen = excluded.last_seen
    RETURNING host_id
)
SELECT host_id FROM known UNION ALL SELECT host_id FROM made
