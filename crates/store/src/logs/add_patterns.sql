-- Adds to patterns and to their lines of each hour. An empty template adds nothing: a pattern whose row was
-- forgotten meanwhile has its sample until it has news.
-- $1 host int4; $2 hours in µs int8[]; $3 fingerprints, $4 sources, $5 levels text[]; $6 counts,
-- $7 first, $8 last in µs int8[]; $9 templates, $10 samples, $11 topics text[]. A fingerprint may stand in several hours.
WITH given AS MATERIALIZED (
    SELECT timestamptz 'epoch' + hour * interval '1 microsecond' AS hour, fingerprint, source, level, count,
           timestamptz 'epoch' + first * interval '1 microsecond' AS first,
           timestamptz 'epoch' + last * interval '1 microsecond' AS last, template, sample, topic
    FROM unnest($2::int8[], $3::text[], $4::text[], $5::text[], $6::int8[], $7::int8[], $8::int8[], $9::text[], $10::text[], $11::text[])
      AS g(hour, fingerprint, source, level, count, first, last, template, sample, topic)
), hourly AS (
    INSERT INTO collector.log_fingerprint_hourly AS h (host_id, bucket, fingerprint, source, level, count)
    SELECT $1, hour, fingerprint, source, level, count FROM given
    ON CONFLICT (host_id, bucket, fingerprint) DO UPDATE SET count = h.count + excluded.count
)
INSERT INTO collector.log_patterns AS p
    (host_id, fingerprint, source, level, template, sample, occurrences, first_seen, last_seen, topic)
SELECT $1, fingerprint, min(source), min(level), coalesce(nullif(max(template), ''), min(sample)), min(sample), sum(count)::int8, min(first), max(last), min(topic)
FROM given GROUP BY fingerprint
ON CONFLICT (host_id, fingerprint) DO UPDATE
SET occurrences = p.occurrences + excluded.occurrences,
    first_seen = least(p.first_seen, excluded.first_seen),
    last_seen = greatest(p.last_seen, excluded.last_seen),
    sample = CASE WHEN p.topic IS NULL AND excluded.topic IS NOT NULL THEN excluded.sample ELSE p.sample END,
    topic = coalesce(excluded.topic, p.topic),
    template = CASE WHEN excluded.template = excluded.sample THEN p.template ELSE excluded.template END,
    resolved_at = CASE WHEN excluded.last_seen > p.last_seen THEN NULL ELSE p.resolved_at END
