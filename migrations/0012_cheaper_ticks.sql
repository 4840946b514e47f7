-- Samples of processes have one index instead of two, and statistics of a new partition are computed once it has
-- rows worth it.
--
-- Why so: of what a tick wrote to the write-ahead log, a fifth each was an entry for every process in the index by
-- instant, and in that by process. One index now serves both: windows of two minutes are short enough that the
-- rows of an instant are found by reading at most those of its window, and long enough that the history of a process
-- is found by few look-ups. And the default of 50 rows had the server analyze a table of one row per tick
-- some thirty times a day, most of them in the first hour after midnight, each of which replaces a row of pg_statistic
-- for every column.
--
-- The index is built here for stored rows: some 1 s for each million of them.
SET LOCAL statement_timeout = 0;

CREATE OR REPLACE VIEW collector.process_metrics_raw AS
SELECT s.ts, s.host_id, i.process_name, (s.process >> 41)::integer AS pid, i.start_ticks, s.cpu_pct, s.rss_bytes,
       s.vsz_bytes, s.fd_count::bigint AS fd_count, i.fd_limit, s.thread_count, chr(s.state_count & 127) AS state,
       coalesce(extract(epoch FROM s.ts - i.started_at), 0)::double precision AS uptime_secs,
       s.read_bytes_total, s.write_bytes_total, i.parent_pid, i.unit, i.uid, i.watched,
       s.state_count >> 8 AS process_count,
       date_bin('2 minutes', s.ts, timestamptz '2000-01-01 00:00:00+00') AS sample_window,
       i.ts AS identity_day
FROM collector.process_samples s
JOIN collector.process_identities i ON i.host_id = s.host_id AND i.process = s.process;
COMMENT ON VIEW collector.process_metrics_raw IS 'One row per process and tick. A condition on identity_day beside that on ts makes it read few partitions; one on sample_window, with host_id, uses the index, and one on pid reads a part of it.';

DROP INDEX collector.process_samples_ts;
DROP INDEX collector.process_samples_window;
CREATE INDEX process_samples_window ON collector.process_samples
    (host_id, date_bin('2 minutes', ts, timestamptz '2000-01-01 00:00:00+00'), ((process >> 41)::integer));

-- As before, and with a threshold of its own for statistics.
CREATE OR REPLACE FUNCTION collector.ensure_partition(parent text, day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    most    CONSTANT bigint := 50000;
    instant name := collector.partition_column(parent);
    spare   text := parent || '_other';
    child   text := coalesce(parent || '_' || to_char(day, 'YYYYMMDD'), spare);
    strays  bigint := 0;
BEGIN
    IF collector.is_partition(parent, child) THEN
        RETURN false;
    END IF;
    -- Two agents at once would trip over the name; the first number is "pqcp" in ASCII.
    PERFORM pg_advisory_xact_lock(1886610288, hashtext(parent));
    IF collector.is_partition(parent, child) THEN
        RETURN false;
    END IF;
    IF day IS NOT NULL AND collector.is_partition(parent, spare) THEN
        EXECUTE format('LOCK TABLE collector.%I IN SHARE ROW EXCLUSIVE MODE', spare);
        EXECUTE format('SELECT count(*) FROM (SELECT FROM collector.%I WHERE %I >= %L AND %I < %L LIMIT %s) s',
                       spare, instant, day::timestamptz, instant, (day + 1)::timestamptz, most + 1)
            INTO strays;
        IF strays > most THEN
            RETURN false;
        END IF;
    END IF;
    EXECUTE format('CREATE TABLE collector.%I (LIKE collector.%I INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS) '
                   'WITH (autovacuum_analyze_threshold = 1000)',
                   child, parent);
    IF strays > 0 THEN
        EXECUTE format('WITH moved AS (DELETE FROM collector.%I WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO collector.%I SELECT * FROM moved',
                       spare, instant, day::timestamptz, instant, (day + 1)::timestamptz, child);
    END IF;
    IF day IS NULL THEN
        EXECUTE format('ALTER TABLE collector.%I ATTACH PARTITION collector.%I DEFAULT', parent, child);
    ELSE
        EXECUTE format('ALTER TABLE collector.%I ATTACH PARTITION collector.%I FOR VALUES FROM (%L) TO (%L)',
                       parent, child, day::timestamptz, (day + 1)::timestamptz);
    END IF;
    RETURN true;
END $$;
