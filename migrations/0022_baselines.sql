-- What is normal: baselines of every scored metric and key, and where it leads.
--
-- Why so: the dashboard and SQL are to answer what a figure usually is, at this hour and in general, without reading a month
-- of hours each time. Names and columns are those of the reference. A collector writes the rows of its host once an
-- hour, from hours that are rolled up; all of them can be computed again, so none travels through the queue.
--
-- `metric_key` is empty for a metric without keys.

CREATE TABLE collector.baselines (
    host_id       integer NOT NULL REFERENCES collector.hosts,
    domain        text NOT NULL,
    metric        text NOT NULL,
    metric_key    text COLLATE "C" NOT NULL,
    -- '7d' or '30d'.
    time_window   text NOT NULL,
    mean          double precision NOT NULL,
    stddev        double precision NOT NULL,
    p5            double precision NOT NULL,
    p25           double precision NOT NULL,
    p50           double precision NOT NULL,
    p75           double precision NOT NULL,
    p95           double precision NOT NULL,
    -- Median distance from the median, scaled to the standard deviation of normal values.
    robust_spread double precision NOT NULL,
    -- Hours that count.
    sample_count  integer NOT NULL,
    -- Begin of the first of them: of the window, or of the present level where that is younger.
    since         timestamptz NOT NULL,
    -- End of the last hour that was read.
    updated_at    timestamptz NOT NULL,
    PRIMARY KEY (host_id, domain, metric, metric_key, time_window)
);
COMMENT ON TABLE collector.baselines IS 'The distribution of the hourly means of each scored metric and key over 7 and 30 days.';

CREATE TABLE collector.baselines_hourly (
    host_id      integer NOT NULL REFERENCES collector.hosts,
    domain       text NOT NULL,
    metric       text NOT NULL,
    metric_key   text COLLATE "C" NOT NULL,
    -- Hours since Monday 00:00 in the time zone of the host, 0 to 167.
    hour_of_week smallint NOT NULL CHECK (hour_of_week BETWEEN 0 AND 167),
    mean         double precision NOT NULL,
    stddev       double precision NOT NULL,
    p50          double precision NOT NULL,
    p95          double precision NOT NULL,
    sample_count integer NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (host_id, domain, metric, metric_key, hour_of_week)
);
COMMENT ON TABLE collector.baselines_hourly IS 'The same for each hour of the week, with the hours before and after it, over four weeks.';

CREATE TABLE collector.trend_forecasts (
    host_id         integer NOT NULL REFERENCES collector.hosts,
    domain          text NOT NULL,
    metric          text NOT NULL,
    metric_key      text COLLATE "C" NOT NULL,
    -- Mean of the last hour; NULL when it had none.
    current_value   double precision,
    -- Without the daily season, over 7 days; NULL before two days are known.
    slope_per_hour  double precision,
    r_squared       double precision,
    -- 'rising', 'falling' or 'stable': sure at 95 %, or stable.
    trend_direction text CHECK (trend_direction IN ('rising', 'falling', 'stable')),
    -- How sure it is that the slope is not 0, from 0 to 1.
    confidence      double precision,
    forecast_1h     double precision NOT NULL,
    forecast_6h     double precision NOT NULL,
    forecast_24h    double precision NOT NULL,
    -- Ends of the band in which 80 % of the values are to lie; NULL before the first error is known.
    low_1h          double precision,
    high_1h         double precision,
    low_6h          double precision,
    high_6h         double precision,
    low_24h         double precision,
    high_24h        double precision,
    -- Mean absolute scaled error of the last week's forecasts for 24 hours: 1 is as good as 'the same hour yesterday'.
    mase            double precision,
    -- The hour of the week that follows the last one read, in the time zone of the host.
    hour_of_week    smallint NOT NULL,
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (host_id, domain, metric, metric_key)
);
COMMENT ON TABLE collector.trend_forecasts IS 'Where each scored metric and key goes: its slope, its forecasts and how good these have been.';

-- Removes what was not computed for 30 days: its metric or key is gone. Runs with the owner's rights: the writer deletes
-- nothing else. Returns the number of rows.
CREATE FUNCTION collector.prune_baselines(host integer, before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    pruned bigint := 0;
    count  bigint;
BEGIN
    DELETE FROM collector.baselines WHERE host_id = host AND updated_at < before - interval '30 days';
    GET DIAGNOSTICS count = ROW_COUNT;
    pruned := pruned + count;
    DELETE FROM collector.baselines_hourly WHERE host_id = host AND updated_at < before - interval '30 days';
    GET DIAGNOSTICS count = ROW_COUNT;
    pruned := pruned + count;
    DELETE FROM collector.trend_forecasts WHERE host_id = host AND updated_at < before - interval '30 days';
    GET DIAGNOSTICS count = ROW_COUNT;
    RETURN pruned + count;
END $$;
REVOKE ALL ON FUNCTION collector.prune_baselines(integer, timestamptz) FROM PUBLIC;
