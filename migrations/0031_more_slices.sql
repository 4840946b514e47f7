-- Slices of more metrics: of every key that is sampled each tick, and how long the rows of statements cover.
--
-- Why so: a chart of a day of 13 log sources read 112,000 samples, and one of eight statements those of all 500, as a statement without a
-- row in a tick has the amount 0 there. From slices they are some hundreds of rows.

-- The hours that may be read as slices have those of processes only: they are rolled up once more, and read from samples until then.
INSERT INTO collector.changed_hours (host_id, bucket)
SELECT host_id, bucket FROM collector.rollups
WHERE grain = 'hour' AND has_slices AND bucket >= now() - interval '2 days';
UPDATE collector.rollups SET has_slices = false WHERE has_slices;
