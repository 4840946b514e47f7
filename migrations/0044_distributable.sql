-- What tables that are distributed by host cannot have: rows that are found by their place, and a trigger of findings.
--
-- Why so: expired rows were found by their place (ctid) in the whole table. In a distributed table another shard has other rows of the
-- same place, so those of one host are found and removed at a time: one host pays nothing for it, and of three hundred each is one
-- look at an index. A trigger would not run where the shard is; what marks say of a finding is taken over by the functions that open it.

-- As before, of tables by host one host after the other.
CREATE OR REPLACE FUNCTION collector.expire_rows(tab text, keep text, asker_clock_micros bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    most    CONSTANT integer := 1000;
    first   date := collector.first_kept_day(keep, asker_clock_micros);
    expired bigint := 0;
    removed bigint;
    host    integer;
BEGIN
    IF first IS NULL THEN
        RETURN 0;
    END IF;
    IF tab IN ('dead_letter', 'agent_runs', 'rollups', 'sealed_instants') THEN
        FOR host IN SELECT h.host_id FROM collector.hosts h ORDER BY h.host_id LOOP
            CASE tab
                WHEN 'dead_letter' THEN
                    DELETE FROM collector.dead_letter d WHERE d.host_id = host AND d.ctid = ANY (ARRAY(
                        SELECT o.ctid FROM collector.dead_letter o
                        WHERE o.host_id = host AND o.noticed_at < first
                        ORDER BY o.noticed_at LIMIT most - expired));
                WHEN 'agent_runs' THEN
                    DELETE FROM collector.agent_runs r WHERE r.host_id = host AND r.ctid = ANY (ARRAY(
                        SELECT o.ctid FROM collector.agent_runs o
                        WHERE o.host_id = host AND o.started_at < first AND o.ended_at < first
                          AND EXISTS (SELECT FROM collector.agent_runs later
                                      WHERE later.host_id = o.host_id AND later.started_at > o.started_at)
                        LIMIT most - expired));
                WHEN 'rollups' THEN
                    DELETE FROM collector.rollups r WHERE r.host_id = host AND r.ctid = ANY (ARRAY(
                        SELECT o.ctid FROM collector.rollups o
                        WHERE o.host_id = host AND o.grain IN ('hour', 'day') AND o.bucket < first
                        LIMIT most - expired));
                WHEN 'sealed_instants' THEN
                    DELETE FROM collector.sealed_instants i WHERE i.host_id = host AND i.ctid = ANY (ARRAY(
                        SELECT o.ctid FROM collector.sealed_instants o
                        WHERE o.host_id = host AND o.table_name = ANY (ARRAY(SELECT t.table_name FROM collector.sealed_tables t))
                          AND o.ts < first
                        LIMIT most - expired));
            END CASE;
            GET DIAGNOSTICS removed = ROW_COUNT;
            expired := expired + removed;
            EXIT WHEN expired >= most;
        END LOOP;
        RETURN expired;
    END IF;
    CASE tab
        WHEN 'sealed_days' THEN
            DELETE FROM collector.sealed_days d WHERE d.day < first;
        WHEN 'web_analytics_words' THEN
            DELETE FROM collector.web_analytics_words WHERE ctid = ANY (ARRAY(
                SELECT w.ctid FROM collector.web_analytics_words w WHERE w.last_day < first LIMIT most));
        WHEN 'web_analytics_settled' THEN
            DELETE FROM collector.web_analytics_settled WHERE ctid = ANY (ARRAY(
                SELECT s.ctid FROM collector.web_analytics_settled s WHERE s.day < first LIMIT most));
    END CASE;
    GET DIAGNOSTICS expired = ROW_COUNT;
    RETURN expired;
END $$;

-- Takes over what was marked of an open finding before it was opened.
CREATE FUNCTION collector.take_mark(host integer, of_rule text, of_target text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE collector.findings f
    SET acknowledged = true, expires_at = CASE m.mark WHEN 'dismissed' THEN now() END
    FROM collector.finding_marks m
    WHERE f.host_id = host AND f.rule = of_rule AND f.target = of_target AND f.resolved_at IS NULL
      AND m.host_id = f.host_id AND m.rule = f.rule AND m.target = f.target AND coalesce(m.until, 'infinity') > now()
$$;
REVOKE ALL ON FUNCTION collector.take_mark(integer, text, text) FROM PUBLIC;

DROP TRIGGER take_mark ON collector.findings;
DROP FUNCTION collector.take_mark();

-- As before, and a finding that is opened takes over its mark.
CREATE OR REPLACE FUNCTION collector.apply_transitions(host integer, instants timestamp with time zone[])
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET jit TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $$
DECLARE
    scale       CONSTANT text[] := ARRAY['ok', 'unknown', 'info', 'warn', 'critical'];
    earliest    timestamptz;
    latest      timestamptz;
    shown       collector.finding_transitions_raw;
    -- Rule and target whose rows were all followed by history.
    done_rule   text;
    done_target text;
    touched     bigint;
    changed     bigint := 0;
BEGIN
    SELECT min(i), max(i) INTO earliest, latest FROM unnest(instants) i;
    FOR shown IN
        SELECT h.* FROM collector.finding_transitions_raw h
        WHERE h.host_id = host AND h.ts = ANY (instants) AND h.ts BETWEEN earliest AND latest
        ORDER BY h.rule, h.target, h.ts
    LOOP
        CONTINUE WHEN shown.rule = done_rule AND shown.target = done_target;
        shown.resolved_at := CASE WHEN shown.transition = 'resolved' THEN coalesce(shown.resolved_at, shown.ts) END;
        IF shown.transition <> 'opened' THEN
            UPDATE collector.findings f SET
                kind = shown.kind, domain = shown.domain, metric = shown.metric, metric_key = shown.metric_key,
                severity = shown.severity, title = shown.title, message = shown.message,
                worst = coalesce(scale[greatest(array_position(scale, f.worst), array_position(scale, shown.worst),
                                                array_position(scale, shown.severity))], shown.worst),
                steps = CASE WHEN jsonb_typeof(shown.steps) = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(shown.steps)) ELSE '{}' END,
                command = shown.command, action_sql = shown.action_sql, value = shown.value,
                current_value = shown.current_value, threshold = shown.threshold, expected = shown.baseline_mean,
                baseline_stddev = shown.baseline_stddev, z_score = shown.z_score, drift_pct = shown.drift_pct,
                score = shown.score, details = shown.details, cause_rule = shown.cause_rule,
                cause_target = shown.cause_target, opened_at = least(f.opened_at, shown.opened_at),
                confirmed_at = least(f.confirmed_at, shown.confirmed_at), seen_at = shown.seen_at,
                unknown_since = shown.unknown_since, resolved_at = shown.resolved_at,
                occurrences = greatest(f.occurrences, shown.occurrences), transition_at = shown.ts
            WHERE f.host_id = host AND f.rule = shown.rule AND f.target = shown.target AND f.resolved_at IS NULL
              AND f.transition_at < shown.ts;
        ELSE
            INSERT INTO collector.findings (
                host_id, rule, target, kind, domain, metric, metric_key, severity, worst, title, message, steps, command,
                action_sql, value, current_value, threshold, expected, baseline_stddev, z_score, drift_pct, score,
                details, cause_rule, cause_target, opened_at, confirmed_at, seen_at, unknown_since, resolved_at,
                occurrences, transition_at)
            SELECT host, shown.rule, shown.target, shown.kind, shown.domain, shown.metric, shown.metric_key, shown.severity,
                   coalesce(scale[greatest(array_position(scale, shown.worst), array_position(scale, shown.severity))], shown.worst),
                   shown.title, shown.message,
                   CASE WHEN jsonb_typeof(shown.steps) = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(shown.steps)) ELSE '{}' END,
                   shown.command, shown.action_sql, shown.value, shown.current_value, shown.threshold, shown.baseline_mean,
                   shown.baseline_stddev, shown.z_score, shown.drift_pct, shown.score, shown.details, shown.cause_rule,
                   shown.cause_target, shown.opened_at, shown.confirmed_at, shown.seen_at, shown.unknown_since, NULL,
                   shown.occurrences, shown.ts
            WHERE NOT EXISTS (SELECT FROM collector.finding_transitions_raw h
                              WHERE h.host_id = host AND h.rule = shown.rule AND h.target = shown.target AND h.ts > shown.ts)
            -- An open finding is an older one, which this continues.
            ON CONFLICT (host_id, rule, target) WHERE resolved_at IS NULL DO NOTHING;
        END IF;
        GET DIAGNOSTICS touched = ROW_COUNT;
        IF shown.transition = 'opened' AND touched > 0 THEN
            PERFORM collector.take_mark(host, shown.rule, shown.target);
        END IF;
        IF touched = 0 THEN
            touched := collector.follow_history(host, shown.rule, shown.target, shown.ts, latest);
            done_rule := shown.rule;
            done_target := shown.target;
        END IF;
        changed := changed + touched;
    END LOOP;
    RETURN changed;
END $$;

-- As before, and a finding that is opened takes over its mark.
CREATE OR REPLACE FUNCTION collector.follow_history(host integer, of_rule text, of_target text, first timestamp with time zone, last timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET jit TO 'off'
AS $$
DECLARE
    scale    CONSTANT text[] := ARRAY['ok', 'unknown', 'info', 'warn', 'critical'];
    begun    timestamptz;
    until    timestamptz;
    life     record;
    shown    collector.finding_transitions_raw;
    advice   text[];
    finding  bigint;
    orphan   bigint;
    older    record;
    touched  bigint;
    changed  bigint := 0;
BEGIN
    begun := (SELECT h.ts FROM collector.finding_transitions_raw h
              WHERE h.host_id = host AND h.rule = of_rule AND h.target = of_target AND h.ts < first
                AND h.transition = 'resolved'
              ORDER BY h.ts DESC LIMIT 1);
    until := (SELECT h.ts FROM collector.finding_transitions_raw h
              WHERE h.host_id = host AND h.rule = of_rule AND h.target = of_target AND h.ts > last
                AND h.transition = 'resolved'
              ORDER BY h.ts LIMIT 1);
    -- Open, and its transition is not there: it expired, or there never was one.
    orphan := NULL;
    IF until IS NULL THEN
        SELECT f.finding_id INTO orphan FROM collector.findings f
        WHERE f.host_id = host AND f.rule = of_rule AND f.target = of_target AND f.resolved_at IS NULL
          AND NOT EXISTS (SELECT FROM collector.finding_transitions_raw h
                          WHERE h.host_id = host AND h.rule = of_rule AND h.target = of_target
                            AND h.ts = f.transition_at AND h.transition <> 'resolved');
    END IF;
    FOR life IN
        WITH ordered AS (
            SELECT h AS whole, h.ctid AS place, h.ts, h.transition, h.opened_at, h.confirmed_at, h.occurrences,
                   h.transition = 'resolved' AS ends,
                   greatest(array_position(scale, h.worst), array_position(scale, h.severity)) AS worst,
                   row_number() OVER history AS n,
                   coalesce(first_value(h.transition = 'resolved') OVER before, false) AS is_after_end,
                   first_value(h.opened_at) OVER before AS opened_before
            FROM collector.finding_transitions_raw h
            WHERE h.host_id = host AND h.rule = of_rule AND h.target = of_target
              AND h.ts >= coalesce(begun, '-infinity') AND h.ts <= coalesce(until, 'infinity')
            -- Rows of one instant are in the order of a life.
            WINDOW history AS (ORDER BY h.ts, h.opened_at, array_position(
                                   ARRAY['opened', 'refreshed', 'confirmed', 'better', 'worse', 'unknown', 'resolved'], h.transition)),
                   before AS (history ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING)
        ), numbered AS (
            SELECT *, is_after_end AND NOT begins AS repeats,
                   count(*) FILTER (WHERE begins) OVER (ORDER BY n) AS number,
                   max(n) FILTER (WHERE ends) OVER () AS last_end,
                   CASE WHEN begins THEN transition = 'refreshed' ELSE transition = 'opened' AND n > 1 END AS is_misnamed
            FROM (SELECT *, is_after_end AND NOT (ends AND opened_at = opened_before) AS begins FROM ordered) o
        ), kept AS MATERIALIZED (
            SELECT f.finding_id, max(l.number) AS number
            FROM collector.findings f
            JOIN numbered l ON l.ts = f.transition_at AND l.ends = (f.resolved_at IS NOT NULL)
            WHERE f.host_id = host AND f.rule = of_rule AND f.target = of_target
            GROUP BY f.finding_id
        )
        SELECT l.number, (array_agg(l.whole ORDER BY l.n DESC) FILTER (WHERE NOT l.repeats))[1] AS whole,
               min(l.opened_at) FILTER (WHERE NOT l.repeats) AS opened_at,
               min(l.confirmed_at) FILTER (WHERE NOT l.repeats) AS confirmed_at,
               scale[max(l.worst) FILTER (WHERE NOT l.repeats)] AS worst,
               max(l.occurrences) FILTER (WHERE NOT l.repeats) AS occurrences,
               array_agg(l.place) FILTER (WHERE l.is_misnamed) AS misnamed,
               array_agg(l.ts) FILTER (WHERE l.is_misnamed) AS misnamed_at,
               (SELECT max(k.finding_id) FROM kept k WHERE k.number = l.number) AS finding_id
        FROM numbered l
        -- Neither the life that ended before, nor rows of the instant at which the last one ends that come after it.
        WHERE (l.number > 0 OR begun IS NULL) AND (until IS NULL OR l.n <= l.last_end)
        GROUP BY l.number
        ORDER BY l.number
    LOOP
        shown := life.whole;
        advice := CASE WHEN jsonb_typeof(shown.steps) = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(shown.steps)) ELSE '{}' END;
        shown.resolved_at := CASE WHEN shown.transition = 'resolved' THEN coalesce(shown.resolved_at, shown.ts) END;
        shown.worst := coalesce(life.worst, shown.worst);
        finding := life.finding_id;
        IF life.misnamed IS NOT NULL THEN
            UPDATE collector.finding_transitions_raw h
            SET transition = CASE h.transition WHEN 'opened' THEN 'refreshed' ELSE 'opened' END
            FROM unnest(life.misnamed, life.misnamed_at) m (place, at)
            WHERE h.host_id = host AND h.ts = m.at AND h.ctid = m.place AND h.rule = shown.rule AND h.target = shown.target;
        END IF;
        IF finding IS NULL THEN
            finding := orphan;
            orphan := NULL;
        END IF;
        IF finding IS NULL THEN
            INSERT INTO collector.findings (
                host_id, rule, target, kind, domain, metric, metric_key, severity, worst, title, message, steps, command,
                action_sql, value, current_value, threshold, expected, baseline_stddev, z_score, drift_pct, score,
                details, cause_rule, cause_target, opened_at, confirmed_at, seen_at, unknown_since, resolved_at,
                occurrences, transition_at)
            VALUES (
                host, shown.rule, shown.target, shown.kind, shown.domain, shown.metric, shown.metric_key, shown.severity,
                shown.worst, shown.title, shown.message, advice, shown.command, shown.action_sql, shown.value,
                shown.current_value, shown.threshold, shown.baseline_mean, shown.baseline_stddev, shown.z_score,
                shown.drift_pct, shown.score, shown.details, shown.cause_rule, shown.cause_target, life.opened_at,
                life.confirmed_at, shown.seen_at, shown.unknown_since, shown.resolved_at, life.occurrences, shown.ts)
            ON CONFLICT (host_id, rule, target) WHERE resolved_at IS NULL DO NOTHING;
        ELSE
            -- It may be older than its history, unless the row that it showed now only repeats the end.
            IF life.number = 0 THEN
                SELECT least(life.opened_at, f.opened_at) AS opened_at, least(life.confirmed_at, f.confirmed_at) AS confirmed_at,
                       greatest(life.occurrences, f.occurrences) AS occurrences,
                       scale[greatest(array_position(scale, shown.worst), array_position(scale, f.worst))] AS worst
                INTO older
                FROM collector.findings f
                WHERE f.host_id = host AND f.finding_id = finding AND coalesce(f.transition_at <= shown.ts, true);
                IF FOUND THEN
                    life.opened_at := older.opened_at;
                    life.confirmed_at := older.confirmed_at;
                    life.occurrences := older.occurrences;
                    shown.worst := older.worst;
                END IF;
            END IF;
            UPDATE collector.findings f SET
                kind = shown.kind, domain = shown.domain, metric = shown.metric, metric_key = shown.metric_key,
                severity = shown.severity, worst = shown.worst, title = shown.title, message = shown.message,
                steps = advice, command = shown.command, action_sql = shown.action_sql, value = shown.value,
                current_value = shown.current_value, threshold = shown.threshold, expected = shown.baseline_mean,
                baseline_stddev = shown.baseline_stddev, z_score = shown.z_score, drift_pct = shown.drift_pct,
                score = shown.score, details = shown.details, cause_rule = shown.cause_rule,
                cause_target = shown.cause_target, opened_at = life.opened_at, confirmed_at = life.confirmed_at,
                seen_at = shown.seen_at, unknown_since = shown.unknown_since, resolved_at = shown.resolved_at,
                occurrences = life.occurrences, transition_at = shown.ts
            WHERE f.host_id = host AND f.finding_id = finding
              AND (life.finding_id IS NOT NULL OR f.transition_at IS NULL OR f.transition_at <= shown.ts)
              AND (f.opened_at, f.confirmed_at, f.resolved_at, f.worst, f.occurrences, f.transition_at,
                   f.severity, f.title, f.message, f.seen_at)
                  IS DISTINCT FROM (life.opened_at, life.confirmed_at, shown.resolved_at, shown.worst, life.occurrences,
                                    shown.ts, shown.severity, shown.title, shown.message, shown.seen_at);
        END IF;
        GET DIAGNOSTICS touched = ROW_COUNT;
        changed := changed + touched;
        IF finding IS NULL AND touched > 0 AND shown.resolved_at IS NULL THEN
            PERFORM collector.take_mark(host, shown.rule, shown.target);
        END IF;
    END LOOP;
    RETURN changed;
END $$;
