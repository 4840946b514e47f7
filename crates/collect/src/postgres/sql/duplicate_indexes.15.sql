-- Which indexes does another one make superfluous? One row each, biggest first; value: bytes, as of the last
-- vacuum, and unknown before the first. Equal ones, and B-trees whose columns another begins with; method,
-- operator classes, collations, order, expressions and predicate must agree. Never one that is unique, the
-- replica identity or behind a constraint. PostgreSQL 15 and newer, readable by everybody.
-- Pairs are found before anything is named: seven tables joined at once take ten times as long to plan.
WITH pairs AS MATERIALIZED (
  SELECT i.indexrelid, i.indrelid, j.indexrelid AS by,
         i.indkey::text = j.indkey::text AND i.indnatts = j.indnatts AS equal
  FROM pg_index i
  JOIN pg_index j ON j.indrelid = i.indrelid AND j.indexrelid <> i.indexrelid AND j.indisvalid
                 AND j.indkey[0] = i.indkey[0]
  WHERE NOT i.indisunique AND NOT i.indisreplident AND i.indisvalid AND i.indrelid >= 16384
    AND ((i.indkey::text = j.indkey::text AND i.indnatts = j.indnatts AND i.indclass::text = j.indclass::text
          AND i.indcollation::text = j.indcollation::text AND i.indoption::text = j.indoption::text
          AND (j.indisunique OR i.indexrelid > j.indexrelid))
      OR (i.indnatts = i.indnkeyatts AND j.indnkeyatts > i.indnkeyatts
          AND starts_with(j.indkey::text, i.indkey::text || ' ')
          AND starts_with(j.indclass::text, i.indclass::text || ' ')
          AND starts_with(j.indcollation::text, i.indcollation::text || ' ')
          AND starts_with(j.indoption::text, i.indoption::text || ' ')))
    AND coalesce(pg_get_expr(i.indpred, i.indrelid), '') = coalesce(pg_get_expr(j.indpred, j.indrelid), '')
    AND coalesce(pg_get_expr(i.indexprs, i.indrelid), '') = coalesce(pg_get_expr(j.indexprs, j.indrelid), ''))
SELECT n.nspname || '.' || ci.relname AS object,
       CASE WHEN t.reltuples >= 0
            THEN ci.relpages::float8 * current_setting('block_size')::float8 END AS value,
       t.relname AS table_name, cj.relname AS covered_by,
       CASE WHEN p.equal THEN 'duplicate' ELSE 'prefix' END AS kind
FROM pairs p
JOIN pg_class ci ON ci.oid = p.indexrelid
JOIN pg_class cj ON cj.oid = p.by AND cj.relam = ci.relam
JOIN pg_class t ON t.oid = p.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE (p.equal OR ci.relam = (SELECT oid FROM pg_am WHERE amname = 'btree'))
  AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND n.oid <> {own}
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = p.indexrelid)
ORDER BY value DESC NULLS LAST, object;
