-- What is known of targets, partitions and indexes beside their figures.
--
-- Why so: that an exporter answers does not say that its program does, nor that the mapping fits, so each
-- row tells how many columns were never filled. Partitions fold under the table that they are part of,
-- which their rows name. And nobody is told to drop an index before it was watched for two weeks: when it
-- was met first is stored once, and kept longer than samples are.

ALTER TABLE collector.target_metrics_raw ADD COLUMN mapped bigint, ADD COLUMN unfilled bigint;
ALTER TABLE collector.table_metrics_raw ADD COLUMN partition_of text, ADD COLUMN partitions bigint;
ALTER TABLE collector.index_metrics_raw ADD COLUMN partition_of text;

CREATE TABLE collector.index_sightings (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    instance text NOT NULL,
    database text NOT NULL,
    schema_name text NOT NULL,
    index_name text NOT NULL,
    relation bigint NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX index_sightings_ts ON collector.index_sightings (host_id, ts);
