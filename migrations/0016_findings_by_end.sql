-- The findings of a host by when they ended.
--
-- Why so: the first page lists what ended within a day with every sample, and the view of alerts counts what ended today, in
-- the range and last. Only the whole table answered that: with 100,000 findings of a host 61 ms instead of 0.3, 142 instead
-- of 0.3, 48 instead of 1.3. Open findings are not in it, so refreshing one still touches no index.
CREATE INDEX findings_resolved ON collector.findings (host_id, resolved_at) WHERE resolved_at IS NOT NULL;
