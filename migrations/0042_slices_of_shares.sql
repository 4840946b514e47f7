-- Slices of shares: of a part and its whole, as errors among the lines of all sources, or responses within a bound.
--
-- Why so: they were the slowest charts of a day that are not of processes (160 to 340 ms), as all samples of 13 log sources, and of each bucket of
-- a histogram, were read for them.

-- The hours that may be read as slices have none of these: they are rolled up once more, and read from samples until then.
INSERT INTO collector.changed_hours (host_id, bucket)
SELECT host_id, bucket FROM collector.rollups
WHERE grain = 'hour' AND has_slices AND bucket >= now() - interval '2 days';
UPDATE collector.rollups SET has_slices = false WHERE has_slices;
