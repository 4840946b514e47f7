-- Which tables hold the wraparound horizon of this database back? The 20 oldest of those past half the
-- age at which autovacuum must come; value: age in transactions. PostgreSQL 15 and newer, readable by
-- everybody.
SELECT n.nspname || '.' || c.relname AS object,
       greatest(age(c.relfrozenxid), age(t.relfrozenxid))::float8 AS value,
       greatest(mxid_age(c.relminmxid), mxid_age(t.relminmxid))::int8 AS mxid_age,
       c.relpages::int8 * current_setting('block_size')::int8 AS heap_bytes
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
WHERE c.relkind IN ('r', 'm') AND c.relfrozenxid <> '0'::xid
  AND (greatest(age(c.relfrozenxid), age(t.relfrozenxid))
         > current_setting('autovacuum_freeze_max_age')::int8 / 2
       OR greatest(mxid_age(c.relminmxid), mxid_age(t.relminmxid))
         > current_setting('autovacuum_multixact_freeze_max_age')::int8 / 2)
ORDER BY value DESC, object LIMIT 20;
