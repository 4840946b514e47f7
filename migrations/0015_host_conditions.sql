-- Conditions of the host that rules are about: whether a file system is to be writable, whether an installed package asks
-- for a restart, and by how much the clocks of host and database differ.
--
-- The last one is in collector.retention, too, where it decides about expiry; there it has no history, and a collector
-- without a link knows it only by itself. Partitions get the columns with their table; older rows have NULL, unknown.
ALTER TABLE collector.mount_metrics_raw ADD COLUMN is_to_be_writable boolean;
ALTER TABLE collector.system_metrics_raw ADD COLUMN reboot_required boolean, ADD COLUMN reboot_packages text;
ALTER TABLE collector.collector_self_metrics ADD COLUMN clock_ahead_secs double precision;
