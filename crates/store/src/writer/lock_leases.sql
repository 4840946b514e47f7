-- The leases of a host, locked until the transaction ends: who takes or prolongs one waits. In the order of their keys, so that nobody
-- waits in a circle.
-- $1 host_id int4.
-- Rows: writer text, run text, boot text (NULL: never had one), whether it is in force bool.
SELECT writer::text, lease_run::text, lease_boot, coalesce(lease_until > clock_timestamp(), false)
FROM collector.spool_watermark
WHERE host_id = $1
ORDER BY writer
FOR UPDATE
