-- What is sealed of each table, in the days that are kept.
-- Columns: table_name text, until text (the last day, ISO 8601), days int8, bytes_before int8.
-- Rows: one per table that has a sealed day.
SELECT d.table_name, to_char(max(d.day), 'YYYY-MM-DD') AS until, count(*) AS days, sum(d.bytes_before)::int8 AS bytes_before
FROM collector.sealed_days d
WHERE d.day >= coalesce((SELECT first_day FROM collector.kept WHERE keep = 'raw' AND days IS NOT NULL), '-infinity')
GROUP BY d.table_name
