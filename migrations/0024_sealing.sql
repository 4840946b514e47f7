-- Sealing: closed days of the tables that most rows are of are stored as arrays, a row for each series and hour.
--
-- Why so: a stored sample of a process takes 110 bytes, most of which repeat those of the sample before. One row with an array
-- for each column takes 5 to 6 for each sample, and a value that does not change within the hour is stored once.
--
-- What of a table is sealed follows from its columns (collector.declare_sealed). Hours are sealed one by one, as soon as they
-- are rolled up, into a table beside (TABLE_sealing_YYYYMMDD) that nothing reads. When a day is over and all of it is there,
-- one short transaction makes that table a partition of TABLE_sealed and drops the day's partition of TABLE. So a row is
-- read from one of both at any time, no row is ever deleted, and what is interrupted goes on where it was. Deleting the
-- rows of each hour instead would write them again, leave dead rows to vacuum, and hold their space until the day expires.
--
-- Rows that arrive for a day that is sealed make a partition of TABLE anew, and join the others in the same way.

-- The tables that are sealed, and the columns that tell their series apart.
CREATE TABLE collector.sealed_tables (
    table_name text PRIMARY KEY,
    keys       text[] NOT NULL
);
COMMENT ON TABLE collector.sealed_tables IS 'Tables whose closed days are stored as arrays, and the columns that identify a series.';

-- The instants at which the rows of an hour were taken: those of all its series, which they share.
CREATE TABLE collector.sealed_instants (
    host_id    integer NOT NULL,
    table_name text NOT NULL,
    ts         timestamptz NOT NULL,
    -- Rows that arrived after the hour was sealed are another part of it.
    part       integer NOT NULL,
    instants   timestamptz[] NOT NULL,
    PRIMARY KEY (host_id, table_name, ts, part)
);
COMMENT ON TABLE collector.sealed_instants IS 'The instants of the rows of a sealed hour.';

-- Hours that are sealed in a table that is not yet read.
CREATE TABLE collector.sealing_hours (
    host_id    integer NOT NULL,
    table_name text NOT NULL,
    bucket     timestamptz NOT NULL,
    part       integer NOT NULL,
    -- Of its roll-up at that time: another one means that rows arrived since. NULL: it was not rolled up.
    version    bigint,
    PRIMARY KEY (host_id, table_name, bucket)
);
COMMENT ON TABLE collector.sealing_hours IS 'Hours of days that are being sealed.';

CREATE TABLE collector.sealed_days (
    table_name   text NOT NULL,
    day          date NOT NULL,
    -- What was sealed, and how much it took before and after.
    sample_count bigint NOT NULL,
    bytes_before bigint NOT NULL,
    bytes_after  bigint NOT NULL,
    sealed_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (table_name, day)
);
COMMENT ON TABLE collector.sealed_days IS 'Days of tables that are sealed.';

-- The columns of a table that are sealed, in their order.
CREATE FUNCTION collector.sealed_columns(tab text)
RETURNS TABLE (place integer, name name, type text, is_key boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.attnum::integer, a.attname, format_type(a.atttypid, a.atttypmod), a.attname = ANY (s.keys)
    FROM pg_class c
    JOIN collector.sealed_tables s ON s.table_name = c.relname
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'collector'::regnamespace AND c.relname = tab AND a.attname NOT IN ('ts', 'host_id')
    ORDER BY a.attnum
$$;

-- Declares that a table is sealed, or that it has got columns since. Makes
--
-- * TABLE_sealed: an hour of a series. Each column is there twice: its value, where it does not change in the hour, else
--   all its values;
-- * the view TABLE_unsealed: the same as rows;
-- * the view TABLE_all: all rows, sealed or not.
--
-- Both views have the column sample_hour, by which a query of them reads few partitions: the start of the hour of a row that
-- is sealed, and the instant of one that is not. So `ts >= x AND ts < y` goes with
-- `sample_hour >= date_bin('1 hour', x, 'epoch') AND sample_hour < y`.
CREATE FUNCTION collector.declare_sealed(tab text, keys text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sealed text := tab || '_sealed';
    list   record;
    col    record;
BEGIN
    INSERT INTO collector.sealed_tables VALUES (tab, keys)
    ON CONFLICT (table_name) DO UPDATE SET keys = excluded.keys;
    SELECT string_agg(format(', %I %s', c.name, c.type) || CASE WHEN c.is_key THEN '' ELSE format(', %I %s[]', c.name || '_each', c.type) END,
                      '' ORDER BY c.place) AS columns
    INTO list FROM collector.sealed_columns(tab) c;
    EXECUTE format('CREATE TABLE IF NOT EXISTS collector.%I (ts timestamptz NOT NULL, host_id integer NOT NULL, '
                   'seal_part integer NOT NULL, seal_samples integer NOT NULL, seal_first integer, '
                   'seal_instants timestamptz[]%s) PARTITION BY RANGE (ts)', sealed, list.columns);
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON collector.%I (host_id, ts)', sealed || '_ts', sealed);
    EXECUTE format('COMMENT ON TABLE collector.%I IS %L', sealed, 'Sealed hours of ' || tab || '; read them through ' || tab || '_all.');
    -- What is being sealed has the columns of before.
    DELETE FROM collector.sealed_instants i USING collector.sealing_hours s
    WHERE s.table_name = tab AND i.host_id = s.host_id AND i.table_name = tab AND i.ts = s.bucket AND i.part = s.part;
    DELETE FROM collector.sealing_hours s WHERE s.table_name = tab;
    FOR col IN SELECT c.relname FROM pg_class c
               WHERE c.relnamespace = 'collector'::regnamespace AND c.relkind = 'r' AND c.relname ~ ('^' || tab || '_sealing_[0-9]{8}$')
    LOOP
        EXECUTE format('DROP TABLE collector.%I', col.relname);
    END LOOP;
    FOR col IN SELECT c.* FROM collector.sealed_columns(tab) c
               WHERE NOT EXISTS (SELECT FROM pg_attribute a
                                 WHERE a.attrelid = format('collector.%I', sealed)::regclass AND a.attname = c.name)
               ORDER BY c.place
    LOOP
        EXECUTE format('ALTER TABLE collector.%1$I ADD COLUMN %2$I %4$s, ADD COLUMN %3$I %4$s[]', sealed, col.name, col.name || '_each', col.type);
    END LOOP;
    SELECT string_agg(quote_ident(c.name), ', ' ORDER BY c.place) AS names,
           string_agg(CASE WHEN c.is_key THEN format('h.%I', c.name)
                      ELSE format('CASE WHEN h.%I IS NULL THEN h.%I ELSE u.%I END AS %I', c.name || '_each', c.name, c.name, c.name) END,
                      ', ' ORDER BY c.place) AS given,
           string_agg(format(', h.%I', c.name || '_each'), '' ORDER BY c.place) FILTER (WHERE NOT c.is_key) AS each,
           string_agg(format(', %I', c.name), '' ORDER BY c.place) FILTER (WHERE NOT c.is_key) AS named
    INTO list FROM collector.sealed_columns(tab) c;
    EXECUTE format('CREATE OR REPLACE VIEW collector.%I AS SELECT u.ts, h.host_id, h.ts AS sample_hour, %s FROM collector.%I h '
                   'LEFT JOIN collector.sealed_instants i ON i.host_id = h.host_id AND i.table_name = %L AND i.ts = h.ts '
                   'AND i.part = h.seal_part CROSS JOIN LATERAL unnest(coalesce(h.seal_instants, '
                   'i.instants[h.seal_first : h.seal_first + h.seal_samples - 1])%s) u (ts%s)',
                   tab || '_unsealed', list.given, sealed, tab, list.each, list.named);
    EXECUTE format('CREATE OR REPLACE VIEW collector.%I AS SELECT ts, host_id, ts AS sample_hour, %s FROM collector.%I '
                   'UNION ALL SELECT ts, host_id, sample_hour, %s FROM collector.%I',
                   tab || '_all', list.names, tab, list.names, tab || '_unsealed');
END $$;

-- Seals an hour of a host, or seals it again, in the table beside, and returns how many rows there are. Whether a series has
-- all instants of the hour is not supposed: one that has not, or has them in another order, has its own. Nor is the
-- equality of values: they are compared as they are stored.
CREATE FUNCTION collector.seal_hour(tab text, host integer, start timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '500ms'
SET jit = off SET enable_sort = off SET work_mem = '64MB' SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
    hour    CONSTANT timestamptz := date_bin('1 hour', start, 'epoch'::timestamptz);
    day     CONSTANT text := to_char(hour, 'YYYYMMDD');
    source  CONSTANT text := tab || '_' || day;
    staging CONSTANT text := tab || '_sealing_' || day;
    rolled  bigint := (SELECT r.version FROM collector.rollups r WHERE r.host_id = host AND r.grain = 'hour' AND r.bucket = hour);
    taken   integer;
    list    record;
    found   bigint;
BEGIN
    SELECT string_agg(quote_ident(c.name), ', ' ORDER BY c.place) FILTER (WHERE c.is_key) AS keys,
           string_agg(quote_ident(c.name), ', ' ORDER BY c.place) FILTER (WHERE NOT c.is_key) AS firsts,
           string_agg(quote_ident(c.name || '_each'), ', ' ORDER BY c.place) FILTER (WHERE NOT c.is_key) AS arrays,
           string_agg(format('array_agg(%I) AS %I', c.name, c.name), ', ' ORDER BY c.place) FILTER (WHERE NOT c.is_key) AS gathered,
           string_agg(format('CASE WHEN NOT record_image_eq(ROW(g.%1$I), ROW(array_fill(g.%1$I[1], ARRAY[g.samples]))) THEN g.%1$I END AS %1$I',
                             c.name), ', ' ORDER BY c.place) FILTER (WHERE NOT c.is_key) AS changing,
           string_agg(format('CASE WHEN f.%1$I IS NULL THEN g.%1$I[1] END', c.name), ', ' ORDER BY c.place) FILTER (WHERE NOT c.is_key) AS lasting,
           string_agg(format('f.%I', c.name), ', ' ORDER BY c.place) FILTER (WHERE NOT c.is_key) AS kept
    INTO list FROM collector.sealed_columns(tab) c;
    IF list.keys IS NULL THEN
        RAISE EXCEPTION 'collector.% is not sealed', tab USING ERRCODE = 'undefined_table';
    END IF;
    IF NOT collector.is_partition(tab, source) THEN
        RETURN 0;
    END IF;
    -- One at a time: see collector.seal_day.
    PERFORM pg_advisory_xact_lock(1886610288, hashtext(tab || '_sealed'));
    IF to_regclass('collector.' || quote_ident(staging)) IS NULL THEN
        EXECUTE format('CREATE TABLE collector.%I (LIKE collector.%I)', staging, tab || '_sealed');
        -- Nothing is to be known of arrays, and reading those of a day takes the server five seconds.
        EXECUTE (SELECT format('ALTER TABLE collector.%I ', staging)
                        || string_agg(format('ALTER COLUMN %I SET STATISTICS 0', a.attname), ', ')
                 FROM pg_attribute a
                 JOIN pg_type t ON t.oid = a.atttypid
                 WHERE a.attrelid = format('collector.%I', staging)::regclass AND t.typcategory = 'A');
    END IF;
    DELETE FROM collector.sealing_hours s WHERE s.host_id = host AND s.table_name = tab AND s.bucket = hour RETURNING s.part INTO taken;
    IF taken IS NOT NULL THEN
        EXECUTE format('DELETE FROM collector.%I WHERE host_id = $1 AND ts = $2', staging) USING host, hour;
        DELETE FROM collector.sealed_instants i WHERE i.host_id = host AND i.table_name = tab AND i.ts = hour AND i.part = taken;
    END IF;
    taken := 1 + coalesce((SELECT max(i.part) FROM collector.sealed_instants i
                           WHERE i.host_id = host AND i.table_name = tab AND i.ts = hour), 0);
    -- The samples of processes have an index by windows of two minutes, other tables one by instant.
    EXECUTE format(
        'WITH rows AS NOT MATERIALIZED (SELECT * FROM collector.%1$I WHERE host_id = $1 AND ts >= $2 AND ts < $3 '
        'AND date_bin(''2 minutes'', ts, timestamptz ''2000-01-01 00:00:00+00'') >= $2 '
        'AND date_bin(''2 minutes'', ts, timestamptz ''2000-01-01 00:00:00+00'') < $3), '
        'shared AS MATERIALIZED (SELECT array_agg(ts ORDER BY ts) AS instants FROM (SELECT DISTINCT ts FROM rows) d), '
        'noted AS (INSERT INTO collector.sealed_instants SELECT $1, $4, $2, $5, instants FROM shared WHERE instants IS NOT NULL), '
        'gathered AS MATERIALIZED (SELECT *, array_position((SELECT instants FROM shared), instants[1]) AS place FROM '
        '(SELECT %2$s, count(*)::integer AS samples, array_agg(ts) AS instants, %3$s FROM rows GROUP BY %2$s) a), '
        'placed AS (SELECT g.*, coalesce(g.instants = (SELECT instants FROM shared)[g.place : g.place + g.samples - 1], false) AS is_whole FROM gathered g), '
        'stored AS (INSERT INTO collector.%4$I (host_id, ts, seal_part, seal_samples, seal_first, seal_instants, %2$s, %5$s, %6$s) '
        'SELECT $1, $2, $5, g.samples, CASE WHEN g.is_whole THEN g.place END, CASE WHEN NOT g.is_whole THEN g.instants END, %2$s, %7$s, %8$s '
        'FROM placed g CROSS JOIN LATERAL (SELECT %9$s OFFSET 0) f RETURNING seal_samples) '
        'SELECT coalesce(sum(seal_samples), 0) FROM stored',
        source, list.keys, list.gathered, staging, list.firsts, list.arrays, list.lasting, list.kept, list.changing)
        INTO found USING host, hour, hour + interval '1 hour', tab, taken;
    INSERT INTO collector.sealing_hours VALUES (host, tab, hour, taken, rolled);
    RETURN found;
END $$;

-- Completes a day that is over: its rows are read as sealed from now on. Returns the hours that have to be sealed first, none when
-- it is done. Writers of the day wait while its rows are counted, readers of the table while a partition is dropped; neither is
-- waited for longer than a tenth of a second.
CREATE FUNCTION collector.seal_day(tab text, day date) RETURNS TABLE (host_id integer, bucket timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '100ms'
SET jit = off SET work_mem = '64MB' SET max_parallel_workers_per_gather = 0 AS $$
#variable_conflict use_column
DECLARE
    source  CONSTANT text := tab || '_' || to_char(day, 'YYYYMMDD');
    staging CONSTANT text := tab || '_sealing_' || to_char(day, 'YYYYMMDD');
    target  CONSTANT text := tab || '_sealed_' || to_char(day, 'YYYYMMDD');
    samples bigint;
    before  bigint;
    after   bigint := 0;
BEGIN
    IF NOT EXISTS (SELECT FROM collector.sealed_tables s WHERE s.table_name = tab) THEN
        RAISE EXCEPTION 'collector.% is not sealed', tab USING ERRCODE = 'undefined_table';
    END IF;
    IF day >= now()::date THEN
        RAISE EXCEPTION 'the day is not over' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    -- The first is that of partitions, which are made, expire and are dropped one at a time.
    PERFORM pg_advisory_xact_lock(1886610288, hashtext(tab));
    PERFORM pg_advisory_xact_lock(1886610288, hashtext(tab || '_sealed'));
    IF collector.is_partition(tab, source) THEN
        EXECUTE format('LOCK TABLE collector.%I IN SHARE MODE', source);
        IF to_regclass('collector.' || quote_ident(staging)) IS NULL THEN
            RETURN QUERY EXECUTE format('SELECT host_id, date_bin(''1 hour'', ts, ''epoch''::timestamptz) FROM collector.%I GROUP BY 1, 2', source);
            samples := 0;
        ELSE
            RETURN QUERY EXECUTE format(
                'SELECT coalesce(r.host_id, s.host_id), coalesce(r.hour, s.ts) '
                'FROM (SELECT host_id, date_bin(''1 hour'', ts, ''epoch''::timestamptz) AS hour, count(*) AS rows FROM collector.%I GROUP BY 1, 2) r '
                'FULL JOIN (SELECT host_id, ts, sum(seal_samples) AS rows FROM collector.%I GROUP BY 1, 2) s '
                'ON s.host_id = r.host_id AND s.ts = r.hour WHERE r.rows IS DISTINCT FROM s.rows', source, staging);
        END IF;
        IF FOUND THEN
            RETURN;
        END IF;
        before := pg_total_relation_size(format('collector.%I', source));
    END IF;
    -- Without its rows, which expired meanwhile, what was sealed of them is of no use.
    IF to_regclass('collector.' || quote_ident(staging)) IS NOT NULL THEN
        IF before IS NULL THEN
            DELETE FROM collector.sealed_instants i USING collector.sealing_hours s
            WHERE s.table_name = tab AND s.bucket >= day::timestamptz AND s.bucket < (day + 1)::timestamptz
              AND i.host_id = s.host_id AND i.table_name = tab AND i.ts = s.bucket AND i.part = s.part;
            EXECUTE format('DROP TABLE collector.%I', staging);
        ELSE
            EXECUTE format('SELECT coalesce(sum(seal_samples), 0) FROM collector.%I', staging) INTO samples;
            after := pg_total_relation_size(format('collector.%I', staging));
            IF collector.is_partition(tab || '_sealed', target) THEN
                EXECUTE format('INSERT INTO collector.%I SELECT * FROM collector.%I', target, staging);
                EXECUTE format('DROP TABLE collector.%I', staging);
            ELSE
                EXECUTE format('ALTER TABLE collector.%I RENAME TO %I', staging, target);
                EXECUTE format('ALTER TABLE collector.%I ATTACH PARTITION collector.%I FOR VALUES FROM (%L) TO (%L)',
                               tab || '_sealed', target, day::timestamptz, (day + 1)::timestamptz);
            END IF;
        END IF;
    END IF;
    DELETE FROM collector.sealing_hours s
    WHERE s.table_name = tab AND s.bucket >= day::timestamptz AND s.bucket < (day + 1)::timestamptz;
    IF before IS NOT NULL THEN
        EXECUTE format('DROP TABLE collector.%I', source);
        DELETE FROM collector.store_sizes s WHERE s.relation IN (source, staging);
        INSERT INTO collector.sealed_days AS d (table_name, day, sample_count, bytes_before, bytes_after)
        VALUES (tab, day, samples, before, after)
        ON CONFLICT (table_name, day) DO UPDATE
        SET sample_count = d.sample_count + excluded.sample_count, bytes_before = d.bytes_before + excluded.bytes_before,
            bytes_after = d.bytes_after + excluded.bytes_after, sealed_at = excluded.sealed_at;
    END IF;
END $$;

SELECT collector.declare_sealed(t.name, t.keys)
FROM (VALUES ('process_samples', ARRAY['process']),
             ('table_metrics_raw', ARRAY['instance', 'database', 'schema_name', 'table_name']),
             ('index_metrics_raw', ARRAY['instance', 'database', 'schema_name', 'table_name', 'index_name']),
             ('statement_metrics_raw', ARRAY['instance', 'database', 'role', 'queryid', 'major', 'toplevel']),
             ('endpoint_metrics_raw', ARRAY['target', 'endpoint', 'status']),
             ('latency_buckets_raw', ARRAY['target', 'le_ms'])) t (name, keys);

-- As before, and sealed samples too. What identifies a process is joined before its arrays become rows.
CREATE OR REPLACE VIEW collector.process_metrics_raw AS
SELECT s.ts, s.host_id, i.process_name, (s.process >> 41)::integer AS pid, i.start_ticks, s.cpu_pct, s.rss_bytes,
       s.vsz_bytes, s.fd_count::bigint AS fd_count, i.fd_limit, s.thread_count, chr(s.state_count & 127) AS state,
       coalesce(extract(epoch FROM s.ts - i.started_at), 0)::double precision AS uptime_secs,
       s.read_bytes_total, s.write_bytes_total, i.parent_pid, i.unit, i.uid, i.watched,
       s.state_count >> 8 AS process_count,
       date_bin('2 minutes', s.ts, timestamptz '2000-01-01 00:00:00+00') AS sample_window,
       i.ts AS identity_day, s.ts AS sample_hour
FROM collector.process_samples s
JOIN collector.process_identities i ON i.host_id = s.host_id AND i.process = s.process
UNION ALL
SELECT s.ts, s.host_id, i.process_name, (s.process >> 41)::integer AS pid, i.start_ticks, s.cpu_pct, s.rss_bytes,
       s.vsz_bytes, s.fd_count::bigint AS fd_count, i.fd_limit, s.thread_count, chr(s.state_count & 127) AS state,
       coalesce(extract(epoch FROM s.ts - i.started_at), 0)::double precision AS uptime_secs,
       s.read_bytes_total, s.write_bytes_total, i.parent_pid, i.unit, i.uid, i.watched,
       s.state_count >> 8 AS process_count,
       date_bin('2 minutes', s.ts, timestamptz '2000-01-01 00:00:00+00') AS sample_window,
       i.ts AS identity_day, s.sample_hour
FROM collector.process_samples_unsealed s
JOIN collector.process_identities i ON i.host_id = s.host_id AND i.process = s.process;
COMMENT ON VIEW collector.process_metrics_raw IS 'One row per process and tick. Conditions on identity_day and sample_hour beside that on ts make it read few partitions; one on sample_window, with host_id, uses the index of samples, and one on pid reads a part of it.';

-- As before, and what is noted of sealed days that are expired.
CREATE OR REPLACE FUNCTION collector.expire_rows(tab text, keep text, asker_clock_micros bigint) RETURNS bigint
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
        WHEN 'rollups' THEN
            DELETE FROM collector.rollups WHERE ctid = ANY (ARRAY(
                SELECT old.ctid FROM collector.hosts h
                CROSS JOIN (VALUES ('hour'), ('day')) g (grain)
                CROSS JOIN LATERAL (SELECT r.ctid FROM collector.rollups r
                                    WHERE r.host_id = h.host_id AND r.grain = g.grain AND r.bucket < first
                                    LIMIT most) old
                LIMIT most));
        WHEN 'sealed_instants' THEN
            DELETE FROM collector.sealed_instants WHERE ctid = ANY (ARRAY(
                SELECT old.ctid FROM collector.hosts h
                CROSS JOIN collector.sealed_tables t
                CROSS JOIN LATERAL (SELECT i.ctid FROM collector.sealed_instants i
                                    WHERE i.host_id = h.host_id AND i.table_name = t.table_name AND i.ts < first
                                    LIMIT most) old
                LIMIT most));
        WHEN 'sealed_days' THEN
            DELETE FROM collector.sealed_days d WHERE d.day < first;
    END CASE;
    GET DIAGNOSTICS expired = ROW_COUNT;
    RETURN expired;
END $$;

-- As before, and a day that is being sealed counts as sealed.
CREATE OR REPLACE FUNCTION collector.measure_store(rest interval) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
BEGIN
    -- The first number is "pqcp" in ASCII.
    IF NOT pg_try_advisory_xact_lock(1886610288, hashtext('store_sizes'))
       OR EXISTS (SELECT FROM collector.store_sizes WHERE measured_at > now() - rest) THEN
        RETURN false;
    END IF;
    DELETE FROM collector.store_sizes s
    WHERE NOT EXISTS (SELECT FROM pg_class c
                      WHERE c.relnamespace = 'collector'::regnamespace AND c.relkind = 'r' AND c.relname = s.relation);
    INSERT INTO collector.store_sizes AS s
    SELECT part.relation, part.table_name, part.day, z.whole - z.toast, z.indexes, z.toast,
           nullif(part.row_count, CASE WHEN z.whole > z.toast THEN 0 ELSE -1 END), part.state, now()
    FROM (
        SELECT c.oid, c.relname::text AS relation, coalesce(p.relname, regexp_replace(c.relname, '_sealing_[0-9]{8}$', '_sealed'))::text AS table_name, c.reltoastrelid AS toast,
               CASE WHEN p.relname IS NOT NULL OR c.relname ~ '_sealing_[0-9]{8}$' THEN to_date(substring(c.relname FROM '_([0-9]{8})$'), 'YYYYMMDD') END AS day,
               greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::bigint AS row_count,
               hashtextextended(concat_ws(' ', c.relfilenode, pg_stat_get_tuples_inserted(c.oid), pg_stat_get_tuples_updated(c.oid),
                                          pg_stat_get_tuples_deleted(c.oid), pg_stat_get_vacuum_count(c.oid),
                                          pg_stat_get_autovacuum_count(c.oid), c.reltuples), 0) AS state
        FROM pg_class c
        LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
        LEFT JOIN pg_class p ON p.oid = i.inhparent
        WHERE c.relnamespace = 'collector'::regnamespace AND c.relkind = 'r'
    ) part
    LEFT JOIN collector.store_sizes old ON old.relation = part.relation
    CROSS JOIN LATERAL (SELECT pg_table_size(part.oid) AS whole, pg_indexes_size(part.oid) AS indexes,
                               CASE WHEN part.toast = 0 THEN 0 ELSE pg_total_relation_size(part.toast) END AS toast
                        -- Opens the files: not for those that are left out.
                        OFFSET 0) z
    WHERE (old.state IS DISTINCT FROM part.state OR old.measured_at < now() - interval '1 day')
      -- Dropped meanwhile.
      AND z.whole IS NOT NULL AND z.indexes IS NOT NULL AND z.toast IS NOT NULL
    ON CONFLICT (relation) DO UPDATE
    SET data_bytes = excluded.data_bytes, index_bytes = excluded.index_bytes, toast_bytes = excluded.toast_bytes,
        row_count = excluded.row_count, state = excluded.state, measured_at = excluded.measured_at;
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION collector.sealed_columns(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.declare_sealed(text, text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.seal_hour(text, integer, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.seal_day(text, date) FROM PUBLIC;
