-- The baseline: one row per view with its texts, as one would write it first. Filled from the generated visits.
CREATE SCHEMA plain;
CREATE TABLE plain.view (
    site_id    integer NOT NULL,
    created_at timestamptz NOT NULL,
    session_id uuid NOT NULL,
    visitor_id uuid NOT NULL,
    url_path   text NOT NULL,
    page_title text,
    source     text,
    browser    text,
    os         text,
    device     text,
    screen     text,
    language   text,
    country    text,
    event_name text
);
INSERT INTO plain.view
SELECT v.site_id, v.ts, md5(v.session_id::text)::uuid, md5(v.visitor_id::text)::uuid, p.word, p.title, f.word, s.browser, s.os, s.device, s.width || 'x' || 900, s.language, s.country,
       CASE WHEN v.view_id % 50 = 0 THEN 'signup' END
FROM collector.web_analytics_page_views_real v
JOIN collector.web_analytics_sessions_real s ON s.site_id = v.site_id AND s.ts = v.session_ts AND s.session_id = v.session_id
JOIN collector.web_analytics_words p ON p.site_id = v.site_id AND p.word_id = v.page_id
LEFT JOIN collector.web_analytics_words f ON f.site_id = s.site_id AND f.word_id = s.source
ORDER BY v.ts;
CREATE INDEX view_at ON plain.view (site_id, created_at);
CREATE INDEX view_of_session ON plain.view (session_id);
CREATE INDEX view_of_path ON plain.view (site_id, url_path, created_at);
