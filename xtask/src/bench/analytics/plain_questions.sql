-- summary
SELECT count(*), count(DISTINCT session_id), count(DISTINCT visitor_id) FROM plain.view WHERE site_id = 1 AND created_at >= $from AND created_at < $to;
-- pages
SELECT url_path, max(page_title), count(*) AS views, count(DISTINCT visitor_id) FROM plain.view WHERE site_id = 1 AND created_at >= $from AND created_at < $to GROUP BY 1 ORDER BY 3 DESC LIMIT 1000;
-- sources
SELECT source, count(DISTINCT visitor_id) AS visitors, count(DISTINCT session_id) FROM plain.view WHERE site_id = 1 AND created_at >= $from AND created_at < $to GROUP BY 1 ORDER BY 2 DESC;
-- summary of a country
SELECT count(*), count(DISTINCT session_id), count(DISTINCT visitor_id) FROM plain.view WHERE site_id = 1 AND created_at >= $from AND created_at < $to AND country = 'DE';
-- summary of visits with a page
SELECT count(*), count(DISTINCT session_id), count(DISTINCT visitor_id) FROM plain.view v WHERE site_id = 1 AND created_at >= $from AND created_at < $to
  AND EXISTS (SELECT FROM plain.view o WHERE o.session_id = v.session_id AND o.url_path = '/page/1/');
-- funnel of three
WITH one AS (SELECT visitor_id, min(created_at) AS at FROM plain.view WHERE site_id = 1 AND created_at >= $from AND created_at < $to AND url_path = '/page/0/' GROUP BY 1),
two AS (SELECT o.visitor_id, min(v.created_at) AS at FROM one o JOIN plain.view v USING (visitor_id) WHERE v.site_id = 1 AND v.created_at > o.at AND v.created_at < $to AND v.url_path = '/page/1/' GROUP BY 1),
three AS (SELECT o.visitor_id FROM two o JOIN plain.view v USING (visitor_id) WHERE v.site_id = 1 AND v.created_at > o.at AND v.created_at < $to AND v.event_name = 'signup' GROUP BY 1)
SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM two), (SELECT count(*) FROM three);
