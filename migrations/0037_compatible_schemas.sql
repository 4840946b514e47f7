-- Which programs may go on with a schema that is newer than they are.
--
-- Why so: in a fleet the schema is migrated first and collectors are upgraded one after the other. A migration that only adds
-- (tables, views, columns with a default or NULL) breaks no older collector, since it names the columns that it writes. So each line
-- says which version a program must know at least. NULL, as in all lines before this one, says that none older may go on.
ALTER TABLE collector.schema_migrations ADD COLUMN compatible_from integer;
COMMENT ON COLUMN collector.schema_migrations.compatible_from IS
    'Programs that know this version of the schema or a newer one work with it; NULL when only those that know this line do.';
