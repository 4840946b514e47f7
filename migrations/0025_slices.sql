-- Slices: parts of 50 s of the hours of metrics that many samples make one value of, as the processes of a name do.
--
-- Why so: a chart of a day has buckets of some minutes. They were made of all samples, of which 300 processes have 2.6 million a day: that
-- took seconds. Whoever rolls up an hour has read all of them, and a slice is a partial like that of the hour.

CREATE TABLE collector.metric_slices (
    -- Start of the hour.
    bucket  timestamptz NOT NULL,
    host_id integer NOT NULL,
    layout  integer NOT NULL,
    -- The metric: its position in the layout, from 0.
    place   integer NOT NULL,
    key     text COLLATE "C" NOT NULL,
    -- Least, greatest, mean, and weight of the mean of each slice; one element where all are the same.
    lo      double precision[] NOT NULL,
    hi      double precision[] NOT NULL,
    avg     double precision[] NOT NULL,
    weight  double precision[] NOT NULL
) PARTITION BY RANGE (bucket);
CREATE UNIQUE INDEX metric_slices_key ON collector.metric_slices (host_id, layout, place, key, bucket);
COMMENT ON TABLE collector.metric_slices IS 'Slices of hours of metrics, of the last days; read them through the series reader, which knows which of them have changed since.';

-- Hours that were rolled up before have none, and are read from samples.
ALTER TABLE collector.rollups ADD COLUMN has_slices boolean NOT NULL DEFAULT false;

-- Removes the slices of an hour, before it is rolled up again.
CREATE FUNCTION collector.clear_slices(host integer, start timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    DELETE FROM collector.metric_slices WHERE host_id = host AND bucket = start;
END $$;
REVOKE ALL ON FUNCTION collector.clear_slices(integer, timestamptz) FROM PUBLIC;

-- With the sixth hour the server tried a plan for any hour, which looks into each of the partitions there are: what rolling up an
-- hour cost grew with the history beside it.
ALTER FUNCTION collector.clear_rollup(integer, text, timestamptz) SET plan_cache_mode = force_custom_plan;
