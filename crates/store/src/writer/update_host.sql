-- Stores what is known of a machine: only with news, or once a day. A name that was given by hand stays. A host that was removed is back.
-- $1 host_id int4, $2 host name, $3 kernel, $4 os, $5 cores int4, $6 memory int8, $7 boot id, $8 boot time timestamptz.
UPDATE collector.hosts
SET hostname = CASE WHEN is_renamed THEN hostname ELSE $2 END, kernel = $3, os = $4, cores = $5, memory_bytes = $6, boot_id = $7,
    boot_ts = $8, last_seen = now(), removed_at = NULL
WHERE host_id = $1
  AND ((CASE WHEN is_renamed THEN $2 ELSE hostname END, kernel, os, cores, memory_bytes, boot_id, boot_ts)
           IS DISTINCT FROM ($2, $3, $4, $5::int4, $6::int8, $7, $8::timestamptz)
       OR last_seen < now() - interval '1 day' OR removed_at IS NOT NULL)
