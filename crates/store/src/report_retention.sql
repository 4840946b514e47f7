-- Stores what a host asks to be kept, and whether its clock agrees with the server's.
-- $1 host_id int4, $2 to $6 days int4 (raw, hourly, long, logs, events), $7 seconds by which the host's
-- clock is ahead float8, $8 whether the clocks agree bool, $9 how much the store may take int8.
INSERT INTO collector.retention AS r
    (host_id, raw_days, hourly_days, long_days, log_days, event_days, clock_ahead_secs, clock_wrong_since, max_bytes)
VALUES ($1, $2, $3, $4, $5, $6, $7::float8, CASE WHEN NOT $8::bool THEN now() END, $9)
ON CONFLICT (host_id) DO UPDATE
SET raw_days = excluded.raw_days, hourly_days = excluded.hourly_days, long_days = excluded.long_days,
    log_days = excluded.log_days, event_days = excluded.event_days, clock_ahead_secs = excluded.clock_ahead_secs,
    max_bytes = excluded.max_bytes,
    clock_wrong_since = CASE WHEN NOT $8::bool THEN coalesce(r.clock_wrong_since, excluded.clock_wrong_since) END,
    reported_at = excluded.reported_at
