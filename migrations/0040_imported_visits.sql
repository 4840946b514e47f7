-- Web analytics: what was imported, and health checks of the receiver.
--
-- Why so: a file must not count twice, packed or not, and a day that the tracker counted must not count what a log says of it. Both are noted in
-- the transaction that stores the rows, so an import that is killed has done nothing.

CREATE TABLE collector.web_analytics_imports (
    site_id     integer NOT NULL,
    -- SHA-256 of what the file holds, unpacked.
    digest      bytea NOT NULL CHECK (octet_length(digest) = 32),
    kind        text NOT NULL,
    name        text NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site_id, digest)
);
COMMENT ON TABLE collector.web_analytics_imports IS 'Files that were imported whole, by the digest of what they hold: access logs, exports of other programs.';

CREATE TABLE collector.web_analytics_imported_days (
    site_id integer NOT NULL,
    day     date NOT NULL,
    -- Only what is later is imported; NULL: sums were, and nothing more is.
    until   timestamptz,
    PRIMARY KEY (site_id, day)
);
COMMENT ON TABLE collector.web_analytics_imported_days IS 'Days of a site whose rows or sums were imported; the tracker counted the others.';

-- The receiver stores the visit of a health check, too. Who may store words is its role: it need not be granted its rights anew.
DO $$
DECLARE
    role name;
BEGIN
    FOR role IN
        SELECT r.rolname FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee
        WHERE p.pronamespace = 'collector'::regnamespace AND p.proname = 'web_analytics_touch_words' AND a.privilege_type = 'EXECUTE'
          AND a.grantee <> p.proowner
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION collector.web_analytics_synthetic(integer) TO %I', role);
    END LOOP;
END $$;
