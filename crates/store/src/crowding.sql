-- Which limit of connections leaves this session's role the least room for another one?
-- Columns: kind text (role, database, server), name text (empty for the server), most int4.
-- Rows: one. What superusers and roles with pg_use_reserved_connections have to themselves is left out.
SELECT l.kind, l.name, l.most
FROM (SELECT 'role' AS kind, r.rolname::text AS name, r.rolconnlimit AS most,
             (SELECT count(*) FROM pg_catalog.pg_stat_activity a WHERE a.usesysid = r.oid) AS used
      FROM pg_catalog.pg_roles r
      WHERE r.rolname = session_user AND r.rolconnlimit >= 0
      UNION ALL
      SELECT 'database', d.datname::text, d.datconnlimit,
             (SELECT count(*) FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid AND a.usesysid IS NOT NULL)
      FROM pg_catalog.pg_database d
      WHERE d.datname = current_database() AND d.datconnlimit >= 0
      UNION ALL
      SELECT 'server', '',
             current_setting('max_connections')::int4 - current_setting('superuser_reserved_connections')::int4
                 - coalesce(current_setting('reserved_connections', true)::int4, 0),
             (SELECT count(*) FROM pg_catalog.pg_stat_activity a WHERE a.datid IS NOT NULL AND a.usesysid IS NOT NULL)) l
ORDER BY l.most - l.used, l.kind
LIMIT 1
