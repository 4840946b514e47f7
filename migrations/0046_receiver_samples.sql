-- What the receiver of web analytics says of itself, as samples.
--
-- Why so: whether reports are taken, how long that takes, and how much waits is known to the receiver alone; its figures begin anew when it
-- is restarted. Read from it at slow ticks, they are judged, charted and rolled up like other samples. What is refused has a row per reason.
CREATE TABLE collector.receiver_samples_raw (
    ts                   timestamptz NOT NULL,
    host_id              integer NOT NULL,
    accepted_total       bigint NOT NULL,
    stored_total         bigint NOT NULL,
    ack_p99_ms           double precision,
    queue_bytes          bigint,
    queue_limit_bytes    bigint,
    queue_oldest_secs    double precision,
    takes_reports        boolean,
    database_up          boolean NOT NULL,
    unreadable_files     bigint NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX receiver_samples_raw_ts ON collector.receiver_samples_raw (host_id, ts);
COMMENT ON TABLE collector.receiver_samples_raw IS 'What the receiver of web analytics on a host has taken since it began, and what waits there.';
CREATE TABLE collector.receiver_refusals_raw (
    ts            timestamptz NOT NULL,
    host_id       integer NOT NULL,
    reason        text NOT NULL,
    refused_total bigint NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX receiver_refusals_raw_ts ON collector.receiver_refusals_raw (host_id, ts);
COMMENT ON TABLE collector.receiver_refusals_raw IS 'Reports and events that the receiver of web analytics has refused since it began, by reason.';
