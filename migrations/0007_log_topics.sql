-- What messages are about, and which lines were not understood.
--
-- Why so: what a message is about is found where its text is read. Its pattern has masks in the place of
-- names and values, so words that somebody looks for there may be missing. How much of a source fits no head of its
-- parser is counted like its levels: a source that can be read need not be understood.

ALTER TABLE collector.log_patterns ADD COLUMN topic text;
COMMENT ON COLUMN collector.log_patterns.topic IS 'What its messages are about, where that is known; advice.<topic> is what to do.';

ALTER TABLE collector.log_sources_raw ADD COLUMN unread_lines bigint, ADD COLUMN configured_parser text;
