-- Describes columns of schema collector, as psql shows them.
-- Parameters: $1 text, a JSON object of relations with their columns and texts. What the database does not have is left out.
-- Partitions have no descriptions of their own.
SELECT collector.describe($1::text::jsonb)
