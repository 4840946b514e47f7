-- What the store takes: tables by day, as measured last.
-- Columns: table_name text, day int8 (days since 1970; NULL: not the partition of a day), day_text (ISO 8601), data_bytes,
-- index_bytes, toast_bytes, row_count int8 (NULL: not known).
-- Rows: some thousand at most.
SELECT table_name, (day - date '1970-01-01')::int8 AS day, to_char(day, 'YYYY-MM-DD') AS day_text,
       sum(data_bytes)::int8 AS data_bytes, sum(index_bytes)::int8 AS index_bytes, sum(toast_bytes)::int8 AS toast_bytes,
       CASE WHEN count(row_count) = count(*) THEN sum(row_count)::int8 END AS row_count
FROM collector.store_sizes
GROUP BY table_name, day
ORDER BY table_name, day
