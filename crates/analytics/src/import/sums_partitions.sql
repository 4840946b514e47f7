-- Makes the partitions that sums of the days $1 (text[]) need.
SELECT collector.ensure_partition(t.tab, m.month)
FROM (VALUES ('web_analytics_days'), ('web_analytics_hours')) t (tab),
     (SELECT DISTINCT date_trunc('month', d::date)::date AS month FROM unnest($1::text[]) d) m
