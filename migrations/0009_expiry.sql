-- What never expired, and steps of bounded size.
--
-- Why so: refused rows and runs of the collector were kept for ever. And the first step of deleting rows
-- without a partition read the whole default partition up to three times, once while it was locked against
-- everybody. Where it is large that ran into the time limit each time, so that a day of more than 50,000
-- rows, which is not moved into a partition of its own, stayed for ever.

-- When rows of such a day were last found: a default partition in which nothing is due is read through
-- once in twelve hours.
ALTER TABLE collector.stray_days ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now();

-- Notes the days of the rows in a part of the default partition of a table, and deletes those that are
-- expired: 1,000 blocks (8 MB) from `block` on, so that no transaction is long whatever lies there. A row
-- is expired when its day is before the first that is kept and was noticed here a day ago (who adds an old
-- log sees it for a day), or when that day, which may be far ahead, was noticed as long ago as rows of the
-- table are kept. `next_block` is where to go on, NULL at the end. A caller that stops in between loses
-- nothing: what was deleted is gone, and the next one begins again. A partition of at most 4,000 blocks
-- of which nothing would be left is truncated instead.
CREATE OR REPLACE FUNCTION collector.expire_strays(parent text, keep text, asker_clock_micros bigint, block bigint,
                                                   OUT expired bigint, OUT next_block bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    step    CONSTANT bigint := 1000;
    small   CONSTANT bigint := 4000;
    first   date := collector.first_kept_day(keep, asker_clock_micros);
    instant name := collector.partition_column(parent);
    spare   text := parent || '_other';
    blocks  bigint;
    part    text;
    due     date[];
    is_due  text;
    kept    boolean;
BEGIN
    expired := 0;
    IF first IS NULL OR NOT collector.is_partition(parent, spare) THEN
        RETURN;
    END IF;
    blocks := pg_relation_size(format('collector.%I', spare)::regclass) / current_setting('block_size')::bigint;
    IF blocks = 0 THEN
        DELETE FROM collector.stray_days s WHERE s.table_name = parent;
        RETURN;
    END IF;
    due := ARRAY(SELECT s.day FROM collector.stray_days s
                 WHERE s.table_name = parent
                   AND (s.day < first AND s.noticed_at < now() - interval '1 day'
                        OR s.noticed_at < now() - (now()::date - first) * interval '1 day'));
    IF block = 0 AND due = '{}' AND EXISTS (SELECT FROM collector.stray_days s
                                            WHERE s.table_name = parent
                                              AND s.seen_at > now() - interval '12 hours') THEN
        RETURN;
    END IF;
    is_due := format('%I::date = ANY (%L::date[])', instant, due);
    IF block = 0 AND due <> '{}' AND blocks <= small THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM collector.%I WHERE NOT %s)', spare, is_due) INTO kept;
        IF NOT kept THEN
            EXECUTE format('LOCK TABLE collector.%I IN ACCESS EXCLUSIVE MODE', spare);
            EXECUTE format('SELECT EXISTS (SELECT FROM collector.%I WHERE NOT %s)', spare, is_due) INTO kept;
            IF NOT kept THEN
                EXECUTE format('SELECT count(*) FROM collector.%I', spare) INTO expired;
                EXECUTE format('TRUNCATE collector.%I', spare);
                DELETE FROM collector.stray_days s WHERE s.table_name = parent;
                RETURN;
            END IF;
        END IF;
    END IF;
    part := format('ctid >= %L::tid AND ctid < %L::tid', format('(%s,0)', block), format('(%s,0)', block + step));
    EXECUTE format('INSERT INTO collector.stray_days AS s (table_name, day) SELECT DISTINCT $1, %I::date FROM collector.%I WHERE %s '
                   'ON CONFLICT (table_name, day) DO UPDATE SET seen_at = now() WHERE s.seen_at < now() - interval ''1 hour''',
                   instant, spare, part)
        USING parent;
    IF due <> '{}' THEN
        EXECUTE format('DELETE FROM collector.%I WHERE %s AND %s', spare, part, is_due);
        GET DIAGNOSTICS expired = ROW_COUNT;
    END IF;
    IF block + step < blocks THEN
        next_block := block + step;
    ELSE
        DELETE FROM collector.stray_days s WHERE s.table_name = parent AND s.day = ANY (due);
    END IF;
END $$;

-- Deletes up to 1,000 expired rows of a table without partitions, and returns how many it deleted. Refused
-- rows expire by when they were refused. Runs of the collector expire by their end; the last run of a
-- host, which holds its settings, and one that is not known to have ended are kept.
CREATE FUNCTION collector.expire_rows(tab text, keep text, asker_clock_micros bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    most    CONSTANT integer := 1000;
    first   date := collector.first_kept_day(keep, asker_clock_micros);
    expired bigint := 0;
BEGIN
    IF first IS NULL THEN
        RETURN 0;
    END IF;
    CASE tab
        WHEN 'dead_letter' THEN
            DELETE FROM collector.dead_letter WHERE ctid = ANY (ARRAY(
                SELECT old.ctid FROM collector.hosts h
                CROSS JOIN LATERAL (SELECT d.ctid FROM collector.dead_letter d
                                    WHERE d.host_id = h.host_id AND d.noticed_at < first
                                    ORDER BY d.noticed_at LIMIT most) old
                LIMIT most));
        WHEN 'agent_runs' THEN
            DELETE FROM collector.agent_runs WHERE ctid = ANY (ARRAY(
                SELECT r.ctid FROM collector.agent_runs r
                WHERE r.started_at < first AND r.ended_at < first
                  AND EXISTS (SELECT FROM collector.agent_runs later
                              WHERE later.host_id = r.host_id AND later.started_at > r.started_at)
                LIMIT most));
    END CASE;
    GET DIAGNOSTICS expired = ROW_COUNT;
    RETURN expired;
END $$;

REVOKE ALL ON FUNCTION collector.expire_rows(text, text, bigint) FROM PUBLIC;
