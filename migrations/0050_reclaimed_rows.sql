-- Rows of tables that an earlier collector did not know go into their tables after all.
--
-- Why so: after a downgrade the queue may have rows of tables that came later. An earlier collector dead-letters them, whole, since it
-- knows no such table. The next one that does takes them from there, in the transaction that stores them. Runs with the owner's rights:
-- the writer deletes nothing else.
CREATE FUNCTION collector.take_dead_letters(host integer, known text[], most integer)
RETURNS TABLE (table_name text, columns text[], tuple bytea)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM collector.dead_letter d
    WHERE d.host_id = host AND d.ctid = ANY (ARRAY(
        SELECT o.ctid FROM collector.dead_letter o
        WHERE o.host_id = host AND o.sqlstate = '42P01' AND o.error = 'this version has no such table'
          AND o.table_name = ANY (known)
        LIMIT most))
    RETURNING d.table_name, d.columns, d.tuple
$$;
REVOKE ALL ON FUNCTION collector.take_dead_letters(integer, text[], integer) FROM PUBLIC;
