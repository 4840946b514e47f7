-- Lines of logs have identifiers of their own.
--
-- Why so: a page of lines goes on after a line, and a link leads to one. Two files of one source may hold a
-- line at the same offset in the same microsecond, so instant, source and offset are not enough; the row's
-- place in its table, which was the rest of the key, changes when the table is rewritten. Whoever stores lines
-- reserves a block of identifiers per session and numbers its lines by itself, which costs the server nothing
-- per row. No index has the identifier: it is compared only among lines that are otherwise equal.

CREATE SEQUENCE collector.log_line_blocks AS integer;
COMMENT ON SEQUENCE collector.log_line_blocks IS 'Blocks of log_entries.line_id: one per session that stores lines.';

-- Reserves a block: 2^32 identifiers, beginning with the one returned. Runs with the owner's rights.
CREATE FUNCTION collector.reserve_log_lines() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT nextval('collector.log_line_blocks') << 32
$$;

-- Lines that are stored already have 0: no row is rewritten. An older collector, which leaves the column out,
-- takes a block per line.
ALTER TABLE collector.log_entries ADD COLUMN line_id bigint NOT NULL DEFAULT 0;
ALTER TABLE collector.log_entries ALTER COLUMN line_id SET DEFAULT collector.reserve_log_lines();

-- But those that only their place told apart.
UPDATE collector.log_entries e SET line_id = collector.reserve_log_lines()
FROM (SELECT host_id, ts, source, at FROM collector.log_entries GROUP BY host_id, ts, source, at HAVING count(*) > 1) twin
WHERE e.host_id = twin.host_id AND e.ts = twin.ts AND e.source = twin.source AND e.at = twin.at;

REVOKE ALL ON FUNCTION collector.reserve_log_lines() FROM PUBLIC;
