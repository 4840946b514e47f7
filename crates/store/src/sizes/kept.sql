-- For how long rows are kept, and what the budget took of that.
-- Columns: keep text, days int8, first_day int8 (days since 1970), of what the budget let go last, while that is more than
-- what is old: cut_at timestamptz, oldest_day, last_day text (ISO 8601), bytes, budget_bytes int8 (all NULL otherwise).
-- Rows: one per `keep` that any host asks for.
SELECT k.keep, k.days::int8 AS days, (k.first_day - date '1970-01-01')::int8 AS first_day,
       c.cut_at, to_char(c.oldest_day, 'YYYY-MM-DD') AS oldest_day, to_char(c.first_day - 1, 'YYYY-MM-DD') AS last_day,
       c.bytes, c.budget_bytes
FROM collector.kept k
LEFT JOIN LATERAL (SELECT * FROM collector.retention_cuts c
                   WHERE c.grain = k.keep AND c.first_day > (now() AT TIME ZONE 'UTC')::date - k.days
                   ORDER BY c.first_day DESC, c.cut_at DESC LIMIT 1) c ON true
WHERE k.days IS NOT NULL
ORDER BY k.keep
