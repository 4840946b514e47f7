-- What an earlier collector has made, told from what is whole: hours, sums, and the turn of what is done for all hosts.
--
-- Why so: while a fleet is upgraded, and after a downgrade, an earlier collector may roll up. It knows fewer metrics and fewer columns of
-- rollups, so an hour that it takes again loses what is newer and counted as complete all the same: sums of a version before, shares without
-- slices, no traffic. It cannot be told to note that. So what is noted names the version of the hour that it holds for, which an earlier
-- collector counts up too.
ALTER TABLE collector.rollups
    -- Not the present version: made by a program that knew an older schema than the store had.
    ADD COLUMN whole_version bigint,
    -- The version that has_sums is about; programs that know no other column read that one.
    ADD COLUMN summed_version bigint;
COMMENT ON COLUMN collector.rollups.whole_version IS
    'The version of the hour that has every metric of the schema; another version lacks what the program that made it did not know.';
COMMENT ON COLUMN collector.rollups.summed_version IS 'The version whose sums of statements, endpoints and I/O are kept.';
UPDATE collector.rollups SET whole_version = version, summed_version = CASE WHEN has_sums THEN version END;
CREATE INDEX rollups_not_whole ON collector.rollups (host_id, bucket)
    WHERE grain = 'hour' AND whole_version IS DISTINCT FROM version;

-- Of two collectors the one that knows the newer schema has the turn.
ALTER TABLE collector.store_tasks
    ADD COLUMN known_version integer,
    ADD COLUMN known_until timestamptz;
COMMENT ON COLUMN collector.store_tasks.known_version IS
    'The version of the schema that the collector knows, where known_until equals until; otherwise it knows one without this column.';
