-- Stores sums of days of the site $1 (int4), at most as many words of a dimension and day as
-- collector.web_analytics_settle keeps; the others are one word, (other).
WITH counted AS (
    SELECT s.*, d.dimension AS number, d.kind,
           row_number() OVER (PARTITION BY s.day, s.dimension ORDER BY s.visits DESC, s.views DESC, s.word, s.title) <= 1000 AS is_kept
    FROM imported_sums s JOIN collector.web_analytics_dimensions d ON d.name = s.dimension
), kept AS (
    SELECT c.day, c.number, c.kind, c.word, c.title, c.visitors, c.visits, c.views, c.bounces, c.entries, c.exits, c.secs FROM counted c WHERE c.is_kept
    UNION ALL
    SELECT c.day, c.number, c.kind, '(other)', NULL, sum(c.visitors), sum(c.visits), sum(c.views), sum(c.bounces), sum(c.entries), sum(c.exits), sum(c.secs)
    FROM counted c WHERE NOT c.is_kept GROUP BY c.day, c.number, c.kind
), named AS (
    -- A pair is a word, too.
    SELECT k.*, CASE WHEN k.number = 0 THEN 0 ELSE collector.word_id(k.kind, CASE WHEN k.title IS NULL THEN k.word ELSE concat_ws(E'\t', k.word, k.title) END) END AS word_id
    FROM kept k
), words AS (
    INSERT INTO collector.web_analytics_words AS w (site_id, word_id, kind, word, title, last_day)
    SELECT $1::int4, n.word_id, n.kind, min(n.word), min(n.title), max(n.day) FROM named n WHERE n.number <> 0 GROUP BY n.word_id, n.kind
    ON CONFLICT (site_id, word_id) DO UPDATE SET last_day = greatest(w.last_day, excluded.last_day) WHERE w.last_day < excluded.last_day
)
INSERT INTO collector.web_analytics_days
    (bucket, site_id, dimension, word_id, visitors, visits, views, bounces, entries, exits, engaged_ms, capped_secs, durations, scrolls)
SELECT n.day, $1, n.number, n.word_id, n.visitors, n.visits, n.views, n.bounces, n.entries, n.exits, 0, n.secs, NULL, NULL
FROM named n ORDER BY n.number, n.word_id
