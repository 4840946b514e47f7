-- Many hosts in one store: leases instead of locks of a session, hosts that were removed, and whose turn the housekeeping is.
--
-- Why so: a lock of a session ends with the session, which a pooler shares between clients and another node of a cluster does not know. A
-- lease is a column of the row that each delivering transaction updates anyway, so that renewing it costs nothing.

ALTER TABLE collector.spool_watermark
    -- Until when its agent alone writes for the host; NULL: it does not. By the clock of the database.
    ADD COLUMN lease_until timestamptz,
    -- The run of the agent that took the lease.
    ADD COLUMN lease_run uuid,
    -- The boot in which that run began: another one of the same boot is its successor, as one agent at a time has the spool.
    ADD COLUMN lease_boot text;
COMMENT ON COLUMN collector.spool_watermark.lease_until IS 'Until when this agent alone writes for the host; each delivering transaction prolongs it. NULL: it does not write.';

ALTER TABLE collector.hosts
    ADD COLUMN removed_at timestamptz,
    -- Whether its name was given by hand; otherwise it is that of the machine.
    ADD COLUMN is_renamed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN collector.hosts.removed_at IS 'When it was removed: it is in no view while this is set. NULL: not removed, or it has reported since.';

CREATE TABLE collector.store_tasks (
    task    text PRIMARY KEY,
    host_id integer NOT NULL,
    until   timestamptz NOT NULL
);
COMMENT ON TABLE collector.store_tasks IS 'Work for all hosts that one collector does: which one, and until when no other one asks for it.';
