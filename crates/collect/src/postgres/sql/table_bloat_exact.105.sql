-- How much of a table's heap is dead or free, by looking? One row; value: percent. $1 counts the ticks and
-- chooses among the 20 biggest tables up to 1 GB in turn: one per slow tick, as it reads the pages that are
-- not all visible. Extension pgstattuple 1.5 and newer; needs EXECUTE on pgstattuple_approx(), which waits
-- for a lock on the table.
SELECT c.object, b.dead_tuple_percent + b.approx_free_percent AS value,
       b.table_len, b.scanned_percent, b.dead_tuple_percent, b.approx_free_percent
FROM (SELECT c.oid, n.nspname || '.' || c.relname AS object,
             row_number() OVER (ORDER BY c.relpages DESC, c.oid) AS place, count(*) OVER () AS candidates
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm') AND c.relpages BETWEEN 8 AND 131072 AND c.relpersistence = 'p'
        AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.oid <> {own}) c
CROSS JOIN LATERAL {schema}.pgstattuple_approx(c.oid) b
WHERE c.place = 1 + $1 % least(c.candidates, 20);
