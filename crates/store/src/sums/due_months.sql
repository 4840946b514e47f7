-- Months that are over, all of whose days have sums and are kept, which are not those of the last time.
-- Parameters: $1 the instant before which a month has to end (timestamptz).
-- Columns: host_id int4, start, end timestamptz, version int8. Rows: one per host and month, the newest first.
-- Indexes: rollups_pkey, summed_months_pkey.
SELECT m.host_id, m.start, m."end", m.version
FROM (SELECT d.host_id, date_trunc('month', d.bucket, 'UTC') AS start, date_trunc('month', d.bucket, 'UTC') + interval '1 month' AS "end",
             bool_and(coalesce(d.summed_version = d.version, false)) AS has_sums, sum(d.version)::int8 AS version
      FROM collector.hosts h
      JOIN collector.rollups d ON d.host_id = h.host_id AND d.grain = 'day'
      WHERE d.bucket >= coalesce((SELECT date_trunc('month', first_day::timestamp + interval '1 month - 1 day') AT TIME ZONE 'UTC'
                                  FROM collector.kept WHERE keep = 'long' AND days IS NOT NULL), '-infinity')
      GROUP BY 1, 2) m
WHERE m.has_sums AND m."end" <= $1::timestamptz
  AND NOT EXISTS (SELECT FROM collector.summed_months s
                  WHERE s.host_id = m.host_id AND s.bucket = m.start AND s.version = m.version)
ORDER BY m.start DESC, m.host_id
