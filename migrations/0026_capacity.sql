-- What will reach its limit, and when.
--
-- Why so: the dashboard and SQL are to answer what fills without reading a week of hours each time. The columns of the
-- reference come first. A collector replaces the rows of its host once an hour; all of them can be computed again, so none
-- travels through the queue. The history is that of the findings (rules `capacity.*`).

CREATE TABLE collector.capacity_alerts (
    host_id         integer NOT NULL REFERENCES collector.hosts,
    domain          text NOT NULL,
    metric          text NOT NULL,
    -- Empty for a metric without keys.
    metric_key      text COLLATE "C" NOT NULL,
    -- 'info' or 'warn', by the hours that are left.
    severity        text NOT NULL,
    -- Mean of the last hour; the value that is expected in a day; the limit. In the unit of the metric.
    current_value   double precision NOT NULL,
    predicted_value double precision NOT NULL,
    threshold       double precision NOT NULL,
    -- From updated_at on.
    hours_until     double precision NOT NULL,
    -- How sure it is that the metric grows at all, from 0 to 1.
    confidence      double precision NOT NULL,
    message         text NOT NULL,
    -- With the growth at the ends of its 80 % interval; latest is NULL where the limit may never be reached.
    earliest        timestamptz NOT NULL,
    latest          timestamptz,
    -- The level that the growth goes on from, without the daily season.
    level           double precision NOT NULL,
    slope_per_hour  double precision NOT NULL,
    -- Medians of six hours each up to updated_at, oldest first.
    history         double precision[] NOT NULL,
    -- End of the last hour that was read.
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (host_id, domain, metric, metric_key)
);
COMMENT ON TABLE collector.capacity_alerts IS 'What will reach its limit within a month, as of the last full hour.';

-- Replaces the rows of a host by these, a JSON array. Runs with the owner's rights: the writer deletes nothing else.
-- Returns the number of rows.
CREATE FUNCTION collector.replace_capacity(host integer, outlooks json, computed timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    stored bigint;
BEGIN
    DELETE FROM collector.capacity_alerts WHERE host_id = host;
    INSERT INTO collector.capacity_alerts (
        host_id, domain, metric, metric_key, severity, current_value, predicted_value, threshold, hours_until, confidence,
        message, earliest, latest, level, slope_per_hour, history, updated_at)
    SELECT host, r.domain, r.metric, r.metric_key, r.severity, r.current_value, r.predicted_value, r.threshold, r.hours_until,
           r.confidence, r.message, to_timestamp(r.earliest_ms / 1000), to_timestamp(r.latest_ms / 1000), r.level,
           r.slope_per_hour, r.history, computed
    FROM json_to_recordset(outlooks) AS r (
        domain text, metric text, metric_key text, severity text, current_value float8, predicted_value float8,
        threshold float8, hours_until float8, confidence float8, message text, earliest_ms float8, latest_ms float8,
        level float8, slope_per_hour float8, history float8[]);
    GET DIAGNOSTICS stored = ROW_COUNT;
    RETURN stored;
END $$;
REVOKE ALL ON FUNCTION collector.replace_capacity(integer, json, timestamptz) FROM PUBLIC;
