-- Logs: the lines of every source, where reading stands, and what like lines have in common.
--
-- Why so: a transaction that stores lines moves their stream's position from the version it read to
-- the next, so that each line is stored once whatever breaks; the counts by hour and by pattern are
-- made in the same transaction, so that they always agree with the lines and outlive them.

CREATE TABLE collector.log_positions (
    host_id    integer NOT NULL REFERENCES collector.hosts,
    source     text NOT NULL,
    -- Path of the file; 'journal' for the journal, whose units share one cursor.
    stream     text NOT NULL,
    -- Compare-and-set: every storing transaction moves it from the value it read to the next.
    version    bigint NOT NULL,
    -- Identity of the file, generation and byte offset; or cursor of the journal.
    position   jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (host_id, source, stream)
);
COMMENT ON TABLE collector.log_positions IS 'How far each log is stored; updated in the same transaction as its lines.';

CREATE TABLE collector.log_entries (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    source text NOT NULL,
    at bigint NOT NULL,
    level text NOT NULL,
    component text NOT NULL,
    message text NOT NULL,
    message_chars integer,
    context jsonb,
    fingerprint text NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX log_entries_ts ON collector.log_entries (host_id, ts);
CREATE INDEX log_entries_source_ts ON collector.log_entries (host_id, source, ts);
CREATE INDEX log_entries_grave_ts ON collector.log_entries (host_id, ts) WHERE level IN ('error', 'warn');
CREATE INDEX log_entries_fingerprint_ts ON collector.log_entries (host_id, fingerprint, ts);

CREATE TABLE collector.log_sources_raw (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    source text NOT NULL,
    kind text NOT NULL,
    place text NOT NULL,
    parser text NOT NULL,
    status text NOT NULL,
    error text,
    debug_lines bigint NOT NULL,
    info_lines bigint NOT NULL,
    warn_lines bigint NOT NULL,
    error_lines bigint NOT NULL,
    bytes bigint NOT NULL,
    backlog_bytes bigint,
    overflowed bigint NOT NULL,
    last_line timestamptz
) PARTITION BY RANGE (ts);
CREATE INDEX log_sources_raw_ts ON collector.log_sources_raw (host_id, ts);

CREATE TABLE collector.security_events (
    ts timestamptz NOT NULL,
    host_id integer NOT NULL,
    event_type text NOT NULL,
    severity text NOT NULL,
    source text NOT NULL,
    source_ip text,
    username text,
    count bigint NOT NULL,
    first_ts timestamptz NOT NULL,
    details jsonb
) PARTITION BY RANGE (ts);
CREATE INDEX security_events_ts ON collector.security_events (host_id, ts);

CREATE TABLE collector.log_metrics_hourly (
    host_id integer NOT NULL,
    -- Start of the hour.
    bucket  timestamptz NOT NULL,
    source  text NOT NULL,
    level   text NOT NULL,
    count   bigint NOT NULL,
    PRIMARY KEY (host_id, bucket, source, level)
) PARTITION BY RANGE (bucket);
COMMENT ON TABLE collector.log_metrics_hourly IS 'Lines of each hour by source and level.';

CREATE TABLE collector.log_fingerprint_hourly (
    host_id     integer NOT NULL,
    bucket      timestamptz NOT NULL,
    fingerprint text NOT NULL,
    source      text NOT NULL,
    level       text NOT NULL,
    count       bigint NOT NULL,
    PRIMARY KEY (host_id, bucket, fingerprint)
) PARTITION BY RANGE (bucket);
CREATE INDEX log_fingerprint_hourly_fingerprint ON collector.log_fingerprint_hourly (host_id, fingerprint, bucket);
COMMENT ON TABLE collector.log_fingerprint_hourly IS 'Lines of each hour by pattern.';

CREATE TABLE collector.log_patterns (
    host_id     integer NOT NULL REFERENCES collector.hosts,
    fingerprint text NOT NULL,
    source      text NOT NULL,
    level       text NOT NULL,
    -- What its messages have in common; <*> stands for what differs.
    template    text NOT NULL,
    -- Set when it turned out to be one with an older pattern, which goes on in its place.
    alias_of    text,
    sample      text NOT NULL,
    occurrences bigint NOT NULL,
    first_seen  timestamptz NOT NULL,
    last_seen   timestamptz NOT NULL,
    -- When it had not been seen for an hour; NULL while it goes on.
    resolved_at timestamptz,
    PRIMARY KEY (host_id, fingerprint)
);
CREATE INDEX log_patterns_last_seen ON collector.log_patterns (host_id, last_seen);
COMMENT ON TABLE collector.log_patterns IS 'What like lines have in common, with how often and since when they are seen.';

-- As before, and by whatever column a table is partitioned.
CREATE OR REPLACE FUNCTION collector.drop_partitions(table_name text, day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    child   record;
    dropped integer := 0;
    stale   boolean;
    instant name;
BEGIN
    FOR child IN
        SELECT c.relname FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid
        JOIN pg_class p ON p.oid = i.inhparent
        WHERE p.relnamespace = 'collector'::regnamespace AND p.relname = table_name
          AND c.relname ~ '_[0-9]{8}$'
          AND to_date(right(c.relname, 8), 'YYYYMMDD') < day
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE collector.%I', child.relname);
        dropped := dropped + 1;
    END LOOP;
    IF to_regclass(format('collector.%I', table_name || '_other')) IS NOT NULL THEN
        SELECT a.attname INTO instant
        FROM pg_partitioned_table t
        JOIN pg_class p ON p.oid = t.partrelid
        JOIN pg_attribute a ON a.attrelid = p.oid AND a.attnum = t.partattrs[0]
        WHERE p.relnamespace = 'collector'::regnamespace AND p.relname = table_name;
        EXECUTE format('SELECT count(*) > 0 AND max(%I) < %L FROM collector.%I',
                       instant, day::timestamptz, table_name || '_other')
            INTO stale;
        IF stale THEN
            EXECUTE format('TRUNCATE collector.%I', table_name || '_other');
        END IF;
    END IF;
    RETURN dropped;
END $$;

-- Closes patterns that were not seen since `silent`, and forgets those closed before `old` together
-- with the ones that were merged into them. Returns how many were closed and how many forgotten.
CREATE FUNCTION collector.settle_log_patterns(host integer, silent timestamptz, old timestamptz,
                                              OUT closed bigint, OUT forgotten bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE collector.log_patterns SET resolved_at = last_seen
    WHERE host_id = host AND resolved_at IS NULL AND last_seen < silent;
    GET DIAGNOSTICS closed = ROW_COUNT;
    DELETE FROM collector.log_patterns WHERE host_id = host AND resolved_at < old;
    GET DIAGNOSTICS forgotten = ROW_COUNT;
END $$;
REVOKE ALL ON FUNCTION collector.settle_log_patterns(integer, timestamptz, timestamptz) FROM PUBLIC;
