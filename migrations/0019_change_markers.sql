-- What was changed on a host: packages, units, settings, schemas, configurations. Most incidents begin with a change.

CREATE TABLE collector.change_markers (
    ts      timestamptz NOT NULL,
    host_id integer NOT NULL,
    kind    text NOT NULL,
    subject text NOT NULL,
    action  text NOT NULL,
    before  text,
    after   text,
    source  text NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX change_markers_ts ON collector.change_markers (host_id, ts);
COMMENT ON TABLE collector.change_markers IS 'Changes of packages, units, servers, settings, schemas and configurations, from logs and as collectors see them.';
