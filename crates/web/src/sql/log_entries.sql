-- Lines of logs within a range that pass filters; the caller adds an order and a limit.
-- Parameters: $1 host_id int4, $2 from, $3 to (timestamptz), $4 levels text[], $5 sources text[],
-- $6 fingerprints text[], $7 text in small ASCII letters to be found whatever the case, $8 the same
-- beyond ASCII; lines before the key $9 timestamptz, $10 source, $11 at int8, $12 line_id int8; lines
-- after the key $13 to $16; $17 limit int8; $18 text to be found unchanged. NULL: no restriction.
-- Columns: ts timestamptz, source, at int8, line_id int8, level, component, message, message_chars int4,
-- context text (JSON), fingerprint.
-- Index: log_entries_ts, _source_ts, _grave_ts, _fingerprint_ts. A text is looked for by strpos, which
-- needs no escapes and skips where LIKE tries each place; the C collation keeps lower() cheap.
SELECT ts, source, at, line_id, level, component, message, message_chars, context::text AS context,
       fingerprint
FROM collector.log_entries
WHERE host_id = $1 AND ts >= $2 AND ts < $3
  AND ($4::text[] IS NULL OR level = ANY ($4))
  AND ($5::text[] IS NULL OR source = ANY ($5))
  AND ($6::text[] IS NULL OR fingerprint = ANY ($6))
  AND ($18::text IS NULL OR strpos(message, $18) > 0)
  AND ($7::text IS NULL OR strpos(lower(message COLLATE "C"), $7) > 0)
  AND ($8::text IS NULL OR strpos(lower(message), lower($8)) > 0)
  AND ($9::timestamptz IS NULL OR (ts, source, at, line_id) < ($9, $10, $11, $12))
  AND ($13::timestamptz IS NULL OR (ts, source, at, line_id) > ($13, $14, $15, $16))
