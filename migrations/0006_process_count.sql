-- Small processes may be summed by name (collector.process_floor_mb): a row says of how many it is. Rows of
-- before are of one each; the default also fills what waits in a queue from before.
ALTER TABLE collector.process_metrics_raw ADD COLUMN process_count integer NOT NULL DEFAULT 1;
