-- How many visits gave consent, how many were counted without, and how many views are of nobody?
-- Parameters: $1 int4 site; $2, $3 date first and last day in the site's zone; $4 text period to compare with: previous, year, none;
-- $5 jsonb filters (collector.web_analytics_filter) or NULL.
-- Columns: compared bool; consented, cookieless, visits int8; anonymous int8 (views); consented_pct float8 (of visits and anonymous views).
-- Rows: one of the days, and one of the compared period unless $4 is none.
WITH span AS (SELECT * FROM collector.web_analytics_span($1, $2, $3, $4)),
period (compared, since, until) AS (
    SELECT false, since, until FROM span
    UNION ALL SELECT true, compared_since, compared_until FROM span WHERE compared_since IS NOT NULL
)
SELECT p.compared, c.consented, c.visits - c.consented AS cookieless, c.visits, a.anonymous,
       100.0::float8 * c.consented / nullif(c.visits + a.anonymous, 0) AS consented_pct
FROM period p
CROSS JOIN LATERAL (
    SELECT coalesce(sum(u.visits), 0)::int8 AS visits,
           coalesce(sum(u.visits) FILTER (WHERE u.word_id = collector.word_id('consent', 'consented')), 0)::int8 AS consented
    FROM collector.web_analytics_sums($1, p.since, p.until, '{20}', $5) u) c
CROSS JOIN LATERAL (SELECT coalesce(sum(h.anonymous), 0)::int8 AS anonymous FROM collector.web_analytics_curve($1, p.since, p.until, 'day', $5) h) a
ORDER BY p.compared
