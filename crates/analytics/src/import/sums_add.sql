-- Adds sums: arrays of one length.
INSERT INTO imported_sums
SELECT t.day::date, t.dimension, t.word, t.title, t.visitors, t.visits, t.views, t.bounces, t.entries, t.exits, t.secs
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::int8[], $11::int8[])
     t (day, dimension, word, title, visitors, visits, views, bounces, entries, exits, secs)
