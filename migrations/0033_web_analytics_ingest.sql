-- Web analytics: what the process that receives events may do, and nothing else.
--
-- Why so: it faces the Internet, so its role inserts rows, executes these functions and reads no table. It delivers its spool in one
-- transaction: watermark, rows, visits and views brought up to date, words. States are absolute and merge by the greater value, so the
-- same state twice, or an older one later, changes nothing.

-- The id of a word: the first eight bytes of SHA-256(kind, zero byte, text), most significant first. Whoever writes computes it alone.
CREATE FUNCTION collector.word_id(kind text, word text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT ('x' || left(encode(sha256(convert_to(kind, 'UTF8') || '\x00'::bytea || convert_to(word, 'UTF8')), 'hex'), 16))::bit(64)::bigint
$$;

-- One way to write the path of a page, whatever a link or server makes of it: query and fragment are cut, a row of slashes is one, and a
-- slash is added at the end unless it is a file's: a dot, a letter, and up to four letters or digits. fixtures/analytics/page_key.json
-- has the cases that this and the other implementations have in common.
CREATE FUNCTION collector.page_key(path text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN p.path = '' THEN '/' WHEN right(p.path, 1) = '/' OR p.path ~ '\.[A-Za-z][A-Za-z0-9]{0,4}$' THEN p.path ELSE p.path || '/' END
    FROM (SELECT regexp_replace(regexp_replace('/' || page_key.path, '[?#].*$', '', 's'), '/+', '/', 'g') AS path) p
$$;

-- The day of an instant in the site's zone.
CREATE FUNCTION collector.web_analytics_day(site integer, instant timestamptz) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (instant AT TIME ZONE s.time_zone)::date FROM collector.web_analytics_sites s WHERE s.site_id = site
$$;

-- When a day of the site begins.
CREATE FUNCTION collector.web_analytics_midnight(site integer, day date) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT day::timestamp AT TIME ZONE s.time_zone FROM collector.web_analytics_sites s WHERE s.site_id = site
$$;

-- Adds a site, or gives a known one these settings, and returns its number. A zone that the server does not know is refused.
CREATE FUNCTION collector.web_analytics_register(domain text, time_zone text, hosts text[], raw_days integer DEFAULT 180,
                                                 session_days integer DEFAULT 395, sum_days integer DEFAULT 760) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    site integer;
BEGIN
    PERFORM now() AT TIME ZONE web_analytics_register.time_zone;
    UPDATE collector.web_analytics_sites s
    SET time_zone = web_analytics_register.time_zone, hosts = web_analytics_register.hosts, raw_days = web_analytics_register.raw_days,
        session_days = web_analytics_register.session_days, sum_days = web_analytics_register.sum_days, updated_at = now()
    WHERE s.domain = web_analytics_register.domain
    RETURNING s.site_id INTO site;
    IF site IS NULL THEN
        -- Two processes that begin at once: the second one's settings are the same.
        INSERT INTO collector.web_analytics_sites AS s (domain, time_zone, hosts, raw_days, session_days, sum_days)
        VALUES (web_analytics_register.domain, web_analytics_register.time_zone, web_analytics_register.hosts,
                web_analytics_register.raw_days, web_analytics_register.session_days, web_analytics_register.sum_days)
        ON CONFLICT (domain) DO UPDATE SET updated_at = now()
        RETURNING s.site_id INTO site;
    END IF;
    RETURN site;
END $$;

-- Makes the partitions of a day (UTC) of every raw table, and the default ones with NULL. Returns how many were made.
CREATE FUNCTION collector.web_analytics_partitions(day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    tab  text;
    made integer := 0;
BEGIN
    FOREACH tab IN ARRAY ARRAY['web_analytics_sessions_raw', 'web_analytics_page_views_raw', 'web_analytics_events_raw',
                               'web_analytics_anonymous_views_raw', 'web_analytics_refused_raw',
                               'web_analytics_days', 'web_analytics_hours'] LOOP
        made := made + collector.ensure_partition(tab, day)::integer;
    END LOOP;
    RETURN made;
END $$;

-- How far a spool is delivered; 0: nothing yet.
CREATE FUNCTION collector.web_analytics_delivered(spool uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((SELECT s.seq FROM collector.web_analytics_spools s WHERE s.spool = web_analytics_delivered.spool), 0)
$$;

-- Moves the watermark of a spool from what the caller read to what its transaction contains. Returns false when it is elsewhere: the
-- transaction must be rolled back, as somebody has delivered the same records.
CREATE FUNCTION collector.web_analytics_advance(spool uuid, was bigint, seq bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF was = 0 THEN
        INSERT INTO collector.web_analytics_spools (spool, seq) VALUES (web_analytics_advance.spool, 0) ON CONFLICT DO NOTHING;
    END IF;
    UPDATE collector.web_analytics_spools s SET seq = web_analytics_advance.seq, updated_at = now()
    WHERE s.spool = web_analytics_advance.spool AND s.seq = was;
    RETURN FOUND;
END $$;

-- Notes days that get rows: their sums, if there are any, lack these. The row of the day is locked until the transaction ends, so that
-- whoever adds the day up either sees the rows or finds it noted again afterwards.
CREATE FUNCTION collector.web_analytics_note(sites integer[], days date[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO collector.web_analytics_settled AS s (site_id, day, dirty)
    SELECT DISTINCT t.site_id, t.day, true FROM unnest(sites, days) t (site_id, day) WHERE t.day IS NOT NULL
    ORDER BY 1, 2
    ON CONFLICT (site_id, day) DO UPDATE SET dirty = true WHERE NOT s.dirty
$$;

-- Notes the days of these instants. A quarter of an hour is never part of two days, in any zone.
CREATE FUNCTION collector.web_analytics_note_instants(site_id integer[], ts timestamptz[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT collector.web_analytics_note(array_agg(q.site_id), array_agg((q.quarter AT TIME ZONE s.time_zone)::date))
    FROM (SELECT DISTINCT t.site_id, date_bin('15 minutes', t.ts, 'epoch'::timestamptz) AS quarter FROM unnest($1, $2) t (site_id, ts)) q
    JOIN collector.web_analytics_sites s USING (site_id)
$$;

-- Notes the days of the rows of one statement.
CREATE FUNCTION collector.web_analytics_note_rows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM collector.web_analytics_note_instants(array_agg(q.site_id), array_agg(q.quarter))
    FROM (SELECT DISTINCT r.site_id, date_bin('15 minutes', r.ts, 'epoch'::timestamptz) AS quarter FROM rows r) q;
    RETURN NULL;
END $$;

CREATE TRIGGER note_rows AFTER INSERT ON collector.web_analytics_page_views_raw
    REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION collector.web_analytics_note_rows();
CREATE TRIGGER note_rows AFTER INSERT ON collector.web_analytics_events_raw
    REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION collector.web_analytics_note_rows();
CREATE TRIGGER note_rows AFTER INSERT ON collector.web_analytics_anonymous_views_raw
    REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION collector.web_analytics_note_rows();

-- Adds visits, and brings known ones up to date: arrays of one length, an element for each visit, a visit once. What grows takes the
-- greater value and what became true stays true, so the order in which states of a visit arrive does not matter. How it began (first
-- page, source, campaign, browser) is as it was stored first. Returns how many rows were added or changed.
CREATE FUNCTION collector.web_analytics_touch_sessions(
    site_id integer[], ts timestamptz[], session_id bigint[], last_seen timestamptz[], visitor_id bigint[], entry bigint[], exit bigint[],
    source bigint[], referrer bigint[], utm_source bigint[], utm_medium bigint[], utm_campaign bigint[], utm_term bigint[], utm_content bigint[],
    asn integer[], engaged_ms integer[], width smallint[], views smallint[], events smallint[], interactive boolean[], suspect boolean[],
    consented boolean[], synthetic boolean[], channel text[], browser text[], os text[], device text[], language text[], country text[])
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    touched bigint;
BEGIN
    INSERT INTO collector.web_analytics_sessions_raw AS s
        (site_id, ts, session_id, last_seen, visitor_id, entry, exit, source, referrer, utm_source, utm_medium, utm_campaign, utm_term,
         utm_content, asn, engaged_ms, width, views, events, interactive, suspect, consented, synthetic, channel, browser, os, device,
         language, country)
    SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
                         $25, $26, $27, $28, $29)
    ON CONFLICT (site_id, ts, session_id) DO UPDATE
    SET last_seen = greatest(s.last_seen, excluded.last_seen),
        exit = CASE WHEN excluded.views >= s.views THEN coalesce(excluded.exit, s.exit) ELSE s.exit END,
        views = greatest(s.views, excluded.views), events = greatest(s.events, excluded.events),
        engaged_ms = greatest(s.engaged_ms, excluded.engaged_ms),
        width = coalesce(s.width, excluded.width),
        interactive = s.interactive OR excluded.interactive, suspect = s.suspect OR excluded.suspect,
        consented = s.consented OR excluded.consented
    WHERE (s.last_seen, s.views, s.events, s.engaged_ms, s.interactive, s.suspect, s.consented)
          IS DISTINCT FROM (greatest(s.last_seen, excluded.last_seen), greatest(s.views, excluded.views),
                            greatest(s.events, excluded.events), greatest(s.engaged_ms, excluded.engaged_ms),
                            s.interactive OR excluded.interactive, s.suspect OR excluded.suspect, s.consented OR excluded.consented);
    GET DIAGNOSTICS touched = ROW_COUNT;
    PERFORM collector.web_analytics_note_instants($1, $2);
    RETURN touched;
END $$;

-- Brings stored views up to date, found by site, instant and id: engaged time and depth take the greater value. Returns how many changed.
CREATE FUNCTION collector.web_analytics_touch_views(site_id integer[], ts timestamptz[], view_id bigint[], engaged_ms integer[], scroll_pct smallint[])
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    -- So that the server plans the days that it needs, of as many as there are.
    first   timestamptz := (SELECT min(t.ts) FROM unnest($2) t (ts));
    last    timestamptz := (SELECT max(t.ts) FROM unnest($2) t (ts));
    touched bigint;
BEGIN
    UPDATE collector.web_analytics_page_views_raw v
    SET engaged_ms = greatest(v.engaged_ms, t.engaged_ms), scroll_pct = greatest(v.scroll_pct, t.scroll_pct)
    FROM unnest($1, $2, $3, $4, $5) t (site_id, ts, view_id, engaged_ms, scroll_pct)
    WHERE v.site_id = t.site_id AND v.ts = t.ts AND v.view_id = t.view_id AND v.ts >= first AND v.ts <= last
      AND (v.engaged_ms < t.engaged_ms OR v.scroll_pct < t.scroll_pct);
    GET DIAGNOSTICS touched = ROW_COUNT;
    PERFORM collector.web_analytics_note_instants($1, $2);
    RETURN touched;
END $$;

-- The same of anonymous views.
CREATE FUNCTION collector.web_analytics_touch_anonymous(site_id integer[], ts timestamptz[], view_id bigint[], engaged_ms integer[], scroll_pct smallint[])
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    first   timestamptz := (SELECT min(t.ts) FROM unnest($2) t (ts));
    last    timestamptz := (SELECT max(t.ts) FROM unnest($2) t (ts));
    touched bigint;
BEGIN
    UPDATE collector.web_analytics_anonymous_views_raw v
    SET engaged_ms = greatest(v.engaged_ms, t.engaged_ms), scroll_pct = greatest(v.scroll_pct, t.scroll_pct)
    FROM unnest($1, $2, $3, $4, $5) t (site_id, ts, view_id, engaged_ms, scroll_pct)
    WHERE v.site_id = t.site_id AND v.ts = t.ts AND v.view_id = t.view_id AND v.ts >= first AND v.ts <= last
      AND (v.engaged_ms < t.engaged_ms OR v.scroll_pct < t.scroll_pct);
    GET DIAGNOSTICS touched = ROW_COUNT;
    PERFORM collector.web_analytics_note_instants($1, $2);
    RETURN touched;
END $$;

-- Adds words, and brings the last day and the title of known ones up to date; the ids are computed here. A title of NULL changes nothing.
CREATE FUNCTION collector.web_analytics_touch_words(site_id integer[], kind text[], word text[], title text[], ts timestamptz[])
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    touched bigint;
BEGIN
    INSERT INTO collector.web_analytics_words AS w (site_id, word_id, kind, word, title, last_day)
    SELECT DISTINCT ON (t.site_id, t.kind, t.word)
           t.site_id, collector.word_id(t.kind, t.word), t.kind, t.word, t.title, (t.ts AT TIME ZONE s.time_zone)::date
    FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY t (site_id, kind, word, title, ts, nth)
    JOIN collector.web_analytics_sites s USING (site_id)
    ORDER BY t.site_id, t.kind, t.word, t.title IS NULL, t.nth DESC
    ON CONFLICT (site_id, word_id) DO UPDATE
    SET last_day = greatest(w.last_day, excluded.last_day), title = coalesce(excluded.title, w.title)
    WHERE w.last_day < excluded.last_day OR w.title IS DISTINCT FROM coalesce(excluded.title, w.title);
    GET DIAGNOSTICS touched = ROW_COUNT;
    RETURN touched;
END $$;

-- The visits that were seen since an instant, to go on with after a restart: as collector.web_analytics_touch_sessions takes them.
CREATE FUNCTION collector.web_analytics_live(site integer, since timestamptz)
RETURNS TABLE (ts timestamptz, session_id bigint, last_seen timestamptz, visitor_id bigint, entry bigint, exit bigint, source bigint,
               referrer bigint, utm_source bigint, utm_medium bigint, utm_campaign bigint, utm_term bigint, utm_content bigint, asn integer,
               engaged_ms integer, width smallint, views smallint, events smallint, interactive boolean, suspect boolean, consented boolean,
               synthetic boolean, channel text, browser text, os text, device text, language text, country text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.ts, s.session_id, s.last_seen, s.visitor_id, s.entry, s.exit, s.source, s.referrer, s.utm_source, s.utm_medium, s.utm_campaign,
           s.utm_term, s.utm_content, s.asn, s.engaged_ms, s.width, s.views, s.events, s.interactive, s.suspect, s.consented, s.synthetic,
           s.channel, s.browser, s.os, s.device, s.language, s.country
    FROM collector.web_analytics_sessions_raw s
    -- A visit lasts no longer than a day of its site.
    WHERE s.site_id = site AND s.ts >= since - interval '25 hours' AND s.last_seen >= since
$$;

-- The views since an instant, by which later engagement and repeated views are recognised.
CREATE FUNCTION collector.web_analytics_live_views(site integer, since timestamptz)
RETURNS TABLE (ts timestamptz, view_id bigint, page_id bigint, session_ts timestamptz, session_id bigint, nth smallint, engaged_ms integer,
               scroll_pct smallint, is_anonymous boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT v.ts, v.view_id, v.page_id, v.session_ts, v.session_id, v.nth, v.engaged_ms, v.scroll_pct, false
    FROM collector.web_analytics_page_views_raw v WHERE v.site_id = site AND v.ts >= since
    UNION ALL
    SELECT a.ts, a.view_id, a.page_id, NULL, NULL, NULL, a.engaged_ms, a.scroll_pct, true
    FROM collector.web_analytics_anonymous_views_raw a WHERE a.site_id = site AND a.ts >= since
$$;

-- Stores the visit of a health check: one row per day of the site, brought up to date with each check.
CREATE FUNCTION collector.web_analytics_synthetic(site integer) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO collector.web_analytics_sessions_raw AS s
        (site_id, ts, session_id, last_seen, visitor_id, engaged_ms, views, events, interactive, suspect, consented, synthetic, channel)
    SELECT w.site_id, (now() AT TIME ZONE w.time_zone)::date::timestamp AT TIME ZONE w.time_zone,
           collector.word_id('session', 'health-check-session'), now(), collector.word_id('visitor', 'health-check-session'),
           0, 1, 0, false, false, false, true, 'direct'
    FROM collector.web_analytics_sites w WHERE w.site_id = site
    ON CONFLICT (site_id, ts, session_id) DO UPDATE
    SET last_seen = greatest(s.last_seen, excluded.last_seen), views = least(s.views + 1, 32767)
$$;

REVOKE ALL ON FUNCTION collector.web_analytics_register(text, text, text[], integer, integer, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_partitions(date) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_delivered(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_advance(uuid, bigint, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_note(integer[], date[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_note_instants(integer[], timestamptz[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_note_rows() FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_touch_sessions(integer[], timestamptz[], bigint[], timestamptz[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], integer[], integer[], smallint[], smallint[], smallint[], boolean[], boolean[], boolean[], boolean[], text[], text[], text[], text[], text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_touch_views(integer[], timestamptz[], bigint[], integer[], smallint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_touch_anonymous(integer[], timestamptz[], bigint[], integer[], smallint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_touch_words(integer[], text[], text[], text[], timestamptz[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_live(integer, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_live_views(integer, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.web_analytics_synthetic(integer) FROM PUBLIC;
