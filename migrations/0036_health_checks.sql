-- Results of health checks, one row per check and run.
--
-- Why so: whether a service answers its users is a sample like others: by day, rolled up and charted by check, dropped with its day. The
-- state is a word because a failed check (down) and one that learnt nothing (unknown) must not be averaged into each other.
CREATE TABLE collector.health_checks_raw (
    ts           timestamptz NOT NULL,
    host_id      integer NOT NULL,
    check_name   text NOT NULL,
    kind         text NOT NULL,
    target       text NOT NULL,
    state        text NOT NULL,
    answer_ms    double precision,
    attempts     bigint NOT NULL,
    status       integer,
    expires_at   timestamptz,
    expires_days double precision,
    error        text
) PARTITION BY RANGE (ts);
CREATE INDEX health_checks_raw_ts ON collector.health_checks_raw (host_id, ts);
COMMENT ON TABLE collector.health_checks_raw IS 'Results of [[health.check]]: whether a service answers those who use it, one row per check and run.';
