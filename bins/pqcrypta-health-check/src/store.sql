-- Stores results of health checks that are not there yet.
--
-- $1 the host, $2 a JSON array of objects with the columns' names, times in microseconds. Index used: health_checks_raw_ts.
INSERT INTO collector.health_checks_raw (ts, host_id, check_name, kind, target, state, answer_ms, attempts, status,
                                         expires_at, expires_days, error)
SELECT 'epoch'::timestamptz + r.ts * interval '1 microsecond', $1, r.check_name, r.kind, r.target, r.state, r.answer_ms,
       r.attempts, r.status, 'epoch'::timestamptz + r.expires_at * interval '1 microsecond', r.expires_days, r.error
FROM jsonb_to_recordset($2::text::jsonb) AS r(ts bigint, check_name text, kind text, target text, state text,
                                              answer_ms double precision, attempts bigint, status integer,
                                              expires_at bigint, expires_days double precision, error text)
WHERE NOT EXISTS (
    SELECT FROM collector.health_checks_raw h
    WHERE h.host_id = $1
      AND h.ts = 'epoch'::timestamptz + r.ts * interval '1 microsecond'
      AND h.check_name = r.check_name)
