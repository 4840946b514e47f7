-- Service level objectives: what they are, what their hours were, and how they stand.
--
-- Why so: an objective is a row, so that a user adds one without a new version of anything. A gauge is judged minute by
-- minute, and that cannot be had of an hour's least, greatest and mean value, so what each closed hour counted is kept
-- here: a row per objective, key and hour, 720 for the window, whatever the amount of samples.

CREATE TABLE collector.slo_definitions (
    -- 0: of all hosts. A row of a host takes the place of one of all hosts by the same name.
    host_id      integer NOT NULL DEFAULT 0,
    slo_name     text NOT NULL,
    domain       text NOT NULL,
    metric       text NOT NULL,
    target_value double precision NOT NULL,
    comparison   text NOT NULL,
    target_pct   double precision NOT NULL,
    enabled      boolean NOT NULL DEFAULT true,
    description  text NOT NULL DEFAULT '',
    metric_key   text,
    counts_down  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (host_id, slo_name)
);
COMMENT ON TABLE collector.slo_definitions IS 'Service level objectives. Rows may be added, changed and removed; a row that cannot be judged becomes a finding that says why.';
COMMENT ON COLUMN collector.slo_definitions.domain IS 'The part of the system: with the metric its identifier, domain.metric.';
COMMENT ON COLUMN collector.slo_definitions.metric IS 'Name of a metric of the catalogue within the domain, or its whole identifier.';
COMMENT ON COLUMN collector.slo_definitions.target_value IS 'The target, in the unit of the metric.';
COMMENT ON COLUMN collector.slo_definitions.comparison IS 'gte: good from the target upwards; lte: good up to the target.';
COMMENT ON COLUMN collector.slo_definitions.target_pct IS 'The share of events or minutes that has to be good, percent; the rest is the error budget.';
COMMENT ON COLUMN collector.slo_definitions.metric_key IS 'Only this key of the metric; NULL: each of them.';
COMMENT ON COLUMN collector.slo_definitions.counts_down IS 'Whether a minute without an answer of the target or server is bad.';

-- Those of the reference. Where the ratio of a metric and the share of good events say the same, events are counted.
INSERT INTO collector.slo_definitions (slo_name, domain, metric, target_value, comparison, target_pct, counts_down, description) VALUES
    ('api_uptime', 'api', 'success_pct', 99.9, 'gte', 99.9, true, 'Requests to the API that do not fail; without an answer every one does.'),
    ('api_latency_p95', 'api', 'p95_ms', 500, 'lte', 99.9, false, '95 of 100 responses of the API within 500 ms.'),
    ('api_latency_p99', 'api', 'p99_ms', 2000, 'lte', 99.0, false, '99 of 100 responses of the API within 2 s.'),
    ('api_error_rate', 'api', 'error_pct', 1, 'lte', 99.0, false, 'Failed requests to the API, without those that the WAF blocked.'),
    ('db_cache_hit', 'db', 'cache_hit_pct', 99, 'gte', 99.0, false, 'Blocks found in shared buffers.'),
    ('db_deadlocks', 'db', 'deadlocks_per_sec', 0, 'lte', 100, false, 'No deadlock.'),
    ('proxy_latency_p95', 'proxy', 'latency_p95_ms', 500, 'lte', 99.0, false, '95 of 100 responses of the proxy within 500 ms.'),
    ('proxy_uptime', 'proxy', 'success_pct', 99.9, 'gte', 99.9, true, 'Requests not answered with 5xx; without an answer of the proxy every one is.'),
    ('system_cpu', 'system', 'cpu_busy_pct', 80, 'lte', 95.0, false, 'CPU below 80 percent.'),
    ('system_memory', 'system', 'mem_used_pct', 85, 'lte', 95.0, false, 'Memory below 85 percent.');

CREATE TABLE collector.slo_hours (
    host_id    integer NOT NULL REFERENCES collector.hosts,
    slo_name   text NOT NULL,
    -- Empty for a single series, and for the row that tells that the hour was taken.
    metric_key text COLLATE "C" NOT NULL,
    bucket     timestamptz NOT NULL,
    -- What was judged: metric, comparison, targets. Hours of another specification do not count.
    spec       text NOT NULL,
    -- That of the roll-up of the hour it was taken from.
    version    bigint NOT NULL,
    bad        double precision NOT NULL,
    total      double precision NOT NULL,
    -- Minutes with data, and those without an answer.
    judged     double precision NOT NULL,
    down       double precision NOT NULL,
    -- The mean of the metric times the judged minutes.
    value_sum  double precision NOT NULL,
    PRIMARY KEY (host_id, slo_name, metric_key, bucket)
);
COMMENT ON TABLE collector.slo_hours IS 'What the closed hours of each objective counted, for the 30 days of the window.';

-- Removes the hours that no window needs any more. Runs with the owner's rights: the writer deletes nothing else.
CREATE FUNCTION collector.forget_slo_hours(host integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (
        DELETE FROM collector.slo_hours h
        WHERE h.host_id = host
          AND (h.bucket < now() - interval '32 days'
               OR NOT EXISTS (SELECT FROM collector.slo_definitions d
                              WHERE d.slo_name = h.slo_name AND d.host_id IN (0, host)))
        RETURNING 1)
    SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION collector.forget_slo_hours(integer) FROM PUBLIC;

CREATE TABLE collector.slo_tracking (
    ts              timestamptz NOT NULL,
    host_id         integer NOT NULL,
    slo_name        text NOT NULL,
    metric_key      text NOT NULL,
    domain          text NOT NULL,
    counted         text NOT NULL,
    target          double precision NOT NULL,
    actual          double precision,
    target_pct      double precision NOT NULL,
    good_pct        double precision,
    met             boolean,
    budget_consumed double precision,
    violations      bigint NOT NULL,
    total_periods   bigint NOT NULL,
    covered_minutes double precision NOT NULL,
    burn_1h         double precision,
    burn_6h         double precision,
    burn_3d         double precision
) PARTITION BY RANGE (ts);
CREATE INDEX slo_tracking_ts ON collector.slo_tracking (host_id, ts);
COMMENT ON TABLE collector.slo_tracking IS 'How each objective stood over its window of 30 days, every five minutes and whenever one is missed or met again.';
