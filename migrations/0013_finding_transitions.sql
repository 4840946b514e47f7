-- The history of findings, from which the table of findings follows.
--
-- Why so: findings were written by whoever evaluated logs, with a session of its own: what was found while the
-- database was away was lost, and nothing remembered how a finding developed. Now each transition is a row of the
-- queue, so that it is stored exactly once, after an outage as well, and the transaction that stores it updates the
-- finding. After an outage live rows arrive before those that waited, so what follows from a history must not
-- depend on the order in which it arrives: see collector.apply_transitions.

CREATE TABLE collector.finding_transitions_raw (
    ts              timestamptz NOT NULL,
    host_id         integer NOT NULL,
    rule            text NOT NULL,
    target          text NOT NULL,
    transition      text NOT NULL,
    kind            text NOT NULL,
    domain          text NOT NULL,
    metric          text,
    metric_key      text,
    severity        text NOT NULL,
    worst           text NOT NULL,
    title           text NOT NULL,
    message         text NOT NULL,
    steps           jsonb NOT NULL,
    command         text,
    action_sql      text,
    value           double precision,
    current_value   double precision,
    threshold       double precision,
    baseline_mean   double precision,
    baseline_stddev double precision,
    z_score         double precision,
    drift_pct       double precision,
    score           double precision,
    details         jsonb,
    cause_rule      text,
    cause_target    text,
    opened_at       timestamptz NOT NULL,
    confirmed_at    timestamptz,
    seen_at         timestamptz NOT NULL,
    unknown_since   timestamptz,
    resolved_at     timestamptz,
    occurrences     bigint NOT NULL
) PARTITION BY RANGE (ts);
-- The history of a host by time, and the rows that a transaction brought.
CREATE INDEX finding_transitions_ts ON collector.finding_transitions_raw (host_id, ts);
-- The life of a finding. Not unique: a row is stored exactly once because the progress of the queue is, and COPY
-- would refuse a batch rather than leave out a row that is there.
CREATE INDEX finding_transitions_key ON collector.finding_transitions_raw (host_id, rule, target, ts);
COMMENT ON TABLE collector.finding_transitions_raw IS 'One row per transition of a finding, with its whole state: opened, confirmed, worse, better, refreshed, unknown, resolved.';

ALTER TABLE collector.findings RENAME COLUMN times TO occurrences;
ALTER TABLE collector.findings
    ADD COLUMN metric          text,
    ADD COLUMN metric_key      text,
    -- A shell command and SQL that help, to copy.
    ADD COLUMN command         text,
    ADD COLUMN action_sql      text,
    -- The newest sample, where `value` is another one: a mean over a window.
    ADD COLUMN current_value   double precision,
    ADD COLUMN threshold       double precision,
    -- Beside `expected`, the mean of the baseline.
    ADD COLUMN baseline_stddev double precision,
    ADD COLUMN z_score         double precision,
    ADD COLUMN drift_pct       double precision,
    -- The worst severity since it was opened.
    ADD COLUMN worst           text,
    -- The finding that this one follows from.
    ADD COLUMN cause_rule      text,
    ADD COLUMN cause_target    text,
    -- Since when it is more than a suspicion: NULL while it is pending, and of one that ended as such.
    ADD COLUMN confirmed_at    timestamptz,
    -- Since when there are no data to tell whether it lasts; NULL while there are.
    ADD COLUMN unknown_since   timestamptz,
    -- Instant of the transition that it shows; NULL of one that no transition reached.
    ADD COLUMN transition_at   timestamptz,
    ADD COLUMN acknowledged    boolean NOT NULL DEFAULT false,
    -- When it is no longer worth showing although nothing ended it; NULL: never.
    ADD COLUMN expires_at      timestamptz;
UPDATE collector.findings SET worst = severity, confirmed_at = opened_at;
ALTER TABLE collector.findings ALTER COLUMN worst SET NOT NULL;
-- Room for the next version of a row in its page: no index has a column that changes while a finding is open, so
-- refreshing it touches no index.
ALTER TABLE collector.findings SET (fillfactor = 70);
-- The findings of one rule and target, resolved ones included.
CREATE INDEX findings_key ON collector.findings (host_id, rule, target);
COMMENT ON COLUMN collector.findings.occurrences IS 'How often it began, continued or returned before it was resolved.';

CREATE OR REPLACE VIEW collector.alerts AS
SELECT host_id, finding_id AS id, opened_at AS ts, rule AS alert_type, severity, domain AS component, target, title,
       message, resolved_at IS NOT NULL AS resolved, resolved_at, worst, occurrences, acknowledged
FROM collector.findings WHERE kind = 'alert' AND confirmed_at IS NOT NULL;
COMMENT ON VIEW collector.alerts IS 'Findings that need action. Those that are not confirmed yet are left out.';

CREATE OR REPLACE VIEW collector.insights AS
SELECT host_id, finding_id AS id, opened_at AS ts, rule AS insight_type, severity, domain,
       CASE WHEN metric IS NULL THEN target ELSE metric_key END AS metric_key, title, message,
       coalesce(current_value, value) AS current_value, expected AS baseline_mean, score,
       resolved_at IS NOT NULL AS resolved, resolved_at, metric, target, value, baseline_stddev, z_score, drift_pct,
       worst, occurrences, expires_at
FROM collector.findings WHERE kind = 'insight' AND confirmed_at IS NOT NULL;
COMMENT ON VIEW collector.insights IS 'Findings worth knowing. Those that are not confirmed yet are left out.';

CREATE OR REPLACE VIEW collector.recommendations AS
SELECT host_id, finding_id AS id, opened_at AS ts, domain AS category, severity, target, title, message AS description,
       steps, resolved_at IS NOT NULL AS resolved, resolved_at, command, action_sql, acknowledged, expires_at
FROM collector.findings WHERE kind = 'recommendation' AND confirmed_at IS NOT NULL;
COMMENT ON VIEW collector.recommendations IS 'Findings that are advice. Those that are not confirmed yet are left out.';

-- Makes the findings of a host follow the transitions of these instants, which the same transaction stored. Returns
-- how many findings changed.
--
-- What follows from the history of a rule and target depends on its rows alone, never on the order in which they
-- were stored. Ordered by time, a life begins with the first row, and with each row after a `resolved` one; a
-- `resolved` that repeats the one before it belongs to the same life. Each life is one finding:
--
-- * it shows the state of its last row, repetitions of its end apart;
-- * it has the least `opened_at` and `confirmed_at` of its rows, their worst severity and most occurrences.
--
-- So an `opened` while the finding is open continues it (a collector that restarts while the database is away cannot
-- know better), an older row overwrites nothing newer, and an earlier life that arrives late becomes a resolved
-- finding. Such an `opened` is renamed to `refreshed`, and a `refreshed` that begins a life to `opened`, so that in the
-- history each beginning has one end.
--
-- Only the lives that the instants lie in are read: from the last `resolved` before them to the first after them.
-- Where there is none before, the finding may be older than what is left of its history, and keeps what it has from
-- before. Rows that arrive late split lives and never join two, so a finding stays with the life of its
-- transition_at. Rule by rule and target by target, since the plan of one statement for thousands of them, without
-- statistics of partitions that were just made, compares each with each.
CREATE FUNCTION collector.apply_transitions(host integer, instants timestamptz[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    scale    CONSTANT text[] := ARRAY['ok', 'unknown', 'info', 'warn', 'critical'];
    given    record;
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
    FOR given IN
        SELECT h.rule, h.target, min(h.ts) AS first, max(h.ts) AS last
        FROM collector.finding_transitions_raw h
        WHERE h.host_id = host AND h.ts = ANY (instants)
        GROUP BY h.rule, h.target
    LOOP
        begun := (SELECT h.ts FROM collector.finding_transitions_raw h
                  WHERE h.host_id = host AND h.rule = given.rule AND h.target = given.target AND h.ts < given.first
                    AND h.transition = 'resolved'
                  ORDER BY h.ts DESC LIMIT 1);
        until := (SELECT h.ts FROM collector.finding_transitions_raw h
                  WHERE h.host_id = host AND h.rule = given.rule AND h.target = given.target AND h.ts > given.last
                    AND h.transition = 'resolved'
                  ORDER BY h.ts LIMIT 1);
        -- Open, and its transition is not there: it expired, or there never was one.
        orphan := NULL;
        IF until IS NULL THEN
            SELECT f.finding_id INTO orphan FROM collector.findings f
            WHERE f.host_id = host AND f.rule = given.rule AND f.target = given.target AND f.resolved_at IS NULL
              AND NOT EXISTS (SELECT FROM collector.finding_transitions_raw h
                              WHERE h.host_id = host AND h.rule = given.rule AND h.target = given.target
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
                WHERE h.host_id = host AND h.rule = given.rule AND h.target = given.target
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
                WHERE f.host_id = host AND f.rule = given.rule AND f.target = given.target
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
    END LOOP;
    RETURN changed;
END $$;
REVOKE ALL ON FUNCTION collector.apply_transitions(integer, timestamptz[]) FROM PUBLIC;
