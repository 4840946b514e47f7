-- How dense are the leaves of a B-tree, by looking? One row; value: percent, about 90 when it is new. $1 counts
-- the ticks and chooses among the 20 biggest indexes up to 256 MB in turn: one per slow tick, as it reads
-- every page. Extension pgstattuple 1.5 and newer; needs EXECUTE on pgstatindex(), which waits for a lock
-- on the index.
SELECT c.object, b.avg_leaf_density AS value,
       b.index_size, b.leaf_pages, b.deleted_pages, b.leaf_fragmentation
FROM (SELECT c.oid, n.nspname || '.' || c.relname AS object,
             row_number() OVER (ORDER BY c.relpages DESC, c.oid) AS place, count(*) OVER () AS candidates
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am am ON am.oid = c.relam
      WHERE c.relkind = 'i' AND am.amname = 'btree' AND c.relpages BETWEEN 8 AND 32768
        AND c.relpersistence = 'p' AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND n.oid <> {own}) c
CROSS JOIN LATERAL {schema}.pgstatindex(c.oid::regclass) b
WHERE c.place = 1 + $1 % least(c.candidates, 20);
