-- Who keeps vacuum from removing rows? One row per session, prepared transaction, slot and standby, oldest
-- first; value: age in transactions. PostgreSQL 15 and newer. Sessions need pg_read_all_stats.
SELECT kind || ' ' || who AS object, xmin_age::float8 AS value, held_secs
FROM (
  SELECT 'session' AS kind, concat_ws(' ', pid::text, usename::text) AS who,
         greatest(age(backend_xmin), age(backend_xid))::int8 AS xmin_age,
         extract(epoch FROM clock_timestamp() - xact_start)::float8 AS held_secs
  FROM pg_stat_activity
  WHERE pid <> pg_backend_pid() AND backend_type <> 'walsender'
    AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
  UNION ALL
  SELECT 'prepared', gid, age(transaction)::int8,
         extract(epoch FROM clock_timestamp() - prepared)::float8 FROM pg_prepared_xacts
  UNION ALL
  SELECT 'slot', slot_name::text, greatest(age(xmin), age(catalog_xmin))::int8, NULL
  FROM pg_replication_slots WHERE xmin IS NOT NULL OR catalog_xmin IS NOT NULL
  UNION ALL
  SELECT 'standby', application_name, age(backend_xmin)::int8, NULL
  FROM pg_stat_replication WHERE backend_xmin IS NOT NULL) h
ORDER BY value DESC NULLS LAST;
