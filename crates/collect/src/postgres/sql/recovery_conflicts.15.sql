-- Why were statements cancelled on this standby? One row per database that had some, none on a primary;
-- value: all of them. PostgreSQL 15 and newer, readable by everybody.
SELECT datname::text AS object,
       (confl_tablespace + confl_lock + confl_snapshot + confl_bufferpin + confl_deadlock
        + confl_active_logicalslot -- @since 16
       )::float8 AS value,
       confl_tablespace, confl_lock, confl_snapshot, confl_bufferpin, confl_deadlock,
       confl_active_logicalslot -- @since 16
       NULL::int8 AS confl_active_logicalslot -- @before 16
FROM pg_stat_database_conflicts WHERE pg_is_in_recovery() ORDER BY value DESC;
