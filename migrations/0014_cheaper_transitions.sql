-- A transition costs the server a tenth of what it did.
--
-- Why so: findings followed from history by reading the whole life of each finding with each of its transitions, so that
-- one cost more than all the samples of its tick, and the more the longer a finding lasted. But nearly every transition
-- is newer than what is known of its rule and target, and then the finding itself has all that matters of the history.
-- Only what is late, begins again while it is open, or comes several at once, still reads the history. What follows is
-- the same in both ways (see 0013), which the model test of the store compares.

-- Makes the findings of one rule and target follow the history around its transitions from `first` to `last`. Returns
-- how many findings changed. As collector.apply_transitions did before; that has the rules.
CREATE FUNCTION collector.follow_history(host integer, of_rule text, of_target text, first timestamptz, last timestamptz)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
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
    END LOOP;
    RETURN changed;
END $$;
REVOKE ALL ON FUNCTION collector.follow_history(integer, text, text, timestamptz, timestamptz) FROM PUBLIC;

-- Makes the findings of a host follow the transitions of these instants, which the same transaction stored. Returns
-- how many findings changed. The rules of what follows are in 0013; here is how it follows without reading history.
--
-- Of an open finding, `transition_at` is the instant of its newest row: it has the state of that row, and sums up the rows
-- of its life. So a newer row continues that life, or ends it: the sums of the finding and the row are those of the life
-- with that row. Where no finding is open and no row is newer, an `opened` begins a life of its own. Everything else
-- (a row that is late or repeated, a beginning while a finding is open) is read from history, once for each rule and
-- target.
--
-- One plan serves all calls of a session, as planning costs more than a call. Not knowing the instants, it leaves out
-- partitions only by bounds beside the array.
CREATE OR REPLACE FUNCTION collector.apply_transitions(host integer, instants timestamptz[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = force_generic_plan
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
        IF touched = 0 THEN
            touched := collector.follow_history(host, shown.rule, shown.target, shown.ts, latest);
            done_rule := shown.rule;
            done_target := shown.target;
        END IF;
        changed := changed + touched;
    END LOOP;
    RETURN changed;
END $$;
