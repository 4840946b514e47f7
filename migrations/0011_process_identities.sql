-- What identifies a process is stored once per process and day instead of in each sample. And findings lose an
-- index that nothing reads: it had to follow every time that a finding is seen again.
--
-- Why so: of the 273 bytes of a process sample most said every ten seconds again what a process is called,
-- who owns it and where it belongs, or lay in an index that the samples of one tick entered at as many places.
-- A sample now holds what changes, in columns without padding, and the key of an identity; the view
-- collector.process_metrics_raw joins them under the names of before. The key contains the day, so that the
-- identities that a day needs are in partitions that expire with it. The index for the
-- history of a process is ordered by quarters of an hour, then by process: equal entries share one key, and the
-- samples of a tick enter it within a few pages instead of one page for each process, all of which a checkpoint
-- makes the log repeat.
--
-- Stored rows are converted here, which takes some 7 s for each million of them and, meanwhile, the space
-- for both forms.
SET LOCAL statement_timeout = 0;

ALTER TABLE collector.process_metrics_raw RENAME TO process_metrics_wide;

CREATE TABLE collector.process_samples (
    ts                timestamptz NOT NULL,
    host_id           integer NOT NULL,
    thread_count      integer NOT NULL,
    process           bigint NOT NULL,
    rss_bytes         bigint NOT NULL,
    vsz_bytes         bigint NOT NULL,
    cpu_pct           double precision,
    read_bytes_total  bigint,
    write_bytes_total bigint,
    fd_count          integer,
    -- The state's letter in the low 8 bits, the number of processes that the row sums above them.
    state_count       integer NOT NULL
) PARTITION BY RANGE (ts);
COMMENT ON TABLE collector.process_samples IS 'What changes of each process from tick to tick; read it through process_metrics_raw.';
CREATE INDEX process_samples_ts ON collector.process_samples (host_id, ts);
CREATE INDEX process_samples_window ON collector.process_samples
    (date_bin('15 minutes', ts, timestamptz '2000-01-01 00:00:00+00'), host_id, ((process >> 41)::integer));

CREATE TABLE collector.process_identities (
    -- Start of the day.
    ts           timestamptz NOT NULL,
    host_id      integer NOT NULL,
    process      bigint NOT NULL,
    start_ticks  bigint NOT NULL,
    started_at   timestamptz,
    fd_limit     bigint,
    uid          bigint,
    parent_pid   integer NOT NULL,
    watched      boolean NOT NULL,
    process_name text NOT NULL,
    unit         text
) PARTITION BY RANGE (ts);
COMMENT ON TABLE collector.process_identities IS 'What identifies a process and rarely changes, once per process and day.';
CREATE UNIQUE INDEX process_identities_key ON collector.process_identities (host_id, process, ts);

CREATE VIEW collector.process_metrics_raw AS
SELECT s.ts, s.host_id, i.process_name, (s.process >> 41)::integer AS pid, i.start_ticks, s.cpu_pct, s.rss_bytes,
       s.vsz_bytes, s.fd_count::bigint AS fd_count, i.fd_limit, s.thread_count, chr(s.state_count & 127) AS state,
       coalesce(extract(epoch FROM s.ts - i.started_at), 0)::double precision AS uptime_secs,
       s.read_bytes_total, s.write_bytes_total, i.parent_pid, i.unit, i.uid, i.watched,
       s.state_count >> 8 AS process_count,
       date_bin('15 minutes', s.ts, timestamptz '2000-01-01 00:00:00+00') AS sample_window,
       i.ts AS identity_day
FROM collector.process_samples s
JOIN collector.process_identities i ON i.host_id = s.host_id AND i.process = s.process;
COMMENT ON VIEW collector.process_metrics_raw IS 'One row per process and tick. A condition on identity_day beside that on ts makes it read few partitions; those on sample_window and pid use an index.';

-- The key of an identity: the process id, and a hash of everything else, the day included.
CREATE FUNCTION collector.process_key(pid integer, identity text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (pid::bigint << 41) | (hashtextextended(identity, 0) & 2199023255551)
$$;

-- The view takes rows, as the table did: an import, or a test. The collector stores both parts itself.
CREATE FUNCTION collector.insert_process_metrics() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    day     timestamptz := date_bin('1 day', NEW.ts, timestamptz '2000-01-01 00:00:00+00');
    started timestamptz := CASE WHEN NEW.uptime_secs > 0 THEN NEW.ts - make_interval(secs => NEW.uptime_secs) END;
    key     bigint;
BEGIN
    key := collector.process_key(NEW.pid, ROW(day, NEW.start_ticks, floor(extract(epoch FROM started) / 10), NEW.fd_limit,
                                              NEW.uid, NEW.parent_pid, NEW.watched, NEW.process_name, NEW.unit)::text);
    INSERT INTO collector.process_identities
    VALUES (day, NEW.host_id, key, NEW.start_ticks, started, NEW.fd_limit, NEW.uid, NEW.parent_pid, NEW.watched,
            NEW.process_name, NEW.unit)
    ON CONFLICT DO NOTHING;
    INSERT INTO collector.process_samples
    VALUES (NEW.ts, NEW.host_id, NEW.thread_count, key, NEW.rss_bytes, NEW.vsz_bytes, NEW.cpu_pct,
            NEW.read_bytes_total, NEW.write_bytes_total, NEW.fd_count,
            coalesce(NEW.process_count, 1) << 8 | ascii(NEW.state));
    RETURN NEW;
END $$;
CREATE TRIGGER insert_process_metrics INSTEAD OF INSERT ON collector.process_metrics_raw
    FOR EACH ROW EXECUTE FUNCTION collector.insert_process_metrics();
REVOKE ALL ON FUNCTION collector.process_key(integer, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.insert_process_metrics() FROM PUBLIC;

-- Partitions for the days of the rows that are there, then the rows.
SELECT collector.ensure_partition(stored, to_date(substring(c.relname FROM '_([0-9]{8})$'), 'YYYYMMDD'))
FROM pg_inherits h
JOIN pg_class c ON c.oid = h.inhrelid,
     unnest(ARRAY['process_samples', 'process_identities']) stored
WHERE h.inhparent = 'collector.process_metrics_wide'::regclass
ORDER BY c.relname;

CREATE TEMPORARY TABLE converted ON COMMIT DROP AS
SELECT w.*, d.day, d.started,
       collector.process_key(w.pid, ROW(d.day, w.start_ticks, floor(extract(epoch FROM d.started) / 10), w.fd_limit, w.uid,
                                        w.parent_pid, w.watched, w.process_name, w.unit)::text) AS process
FROM collector.process_metrics_wide w,
     LATERAL (SELECT date_bin('1 day', w.ts, timestamptz '2000-01-01 00:00:00+00') AS day,
                     CASE WHEN w.uptime_secs > 0 THEN w.ts - make_interval(secs => w.uptime_secs) END AS started) d;

INSERT INTO collector.process_identities
SELECT DISTINCT ON (host_id, process) day, host_id, process, start_ticks, started, fd_limit, uid, parent_pid, watched,
       process_name, unit
FROM converted;

INSERT INTO collector.process_samples
SELECT ts, host_id, thread_count, process, rss_bytes, vsz_bytes, cpu_pct, read_bytes_total, write_bytes_total,
       fd_count, process_count << 8 | ascii(state)
FROM converted
ORDER BY ts;

DROP TABLE collector.process_metrics_wide;
DELETE FROM collector.stray_days WHERE table_name = 'process_metrics_raw';

-- What the table of before did not take yet is now taken by both.
UPDATE collector.spool_watermark SET progress = (
    SELECT jsonb_object_agg(class, CASE
        WHEN kept -> 'owed' ? 'process_metrics_raw' THEN jsonb_set(kept, '{owed}',
            (kept -> 'owed') - 'process_metrics_raw'
            || jsonb_build_object('process_samples', kept #> '{owed,process_metrics_raw}',
                                  'process_identities', kept #> '{owed,process_metrics_raw}'))
        ELSE kept END)
    FROM jsonb_each(progress) p (class, kept))
WHERE progress::text LIKE '%"process_metrics_raw"%';

DROP INDEX collector.findings_seen;
