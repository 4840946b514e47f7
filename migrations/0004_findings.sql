-- Findings: what was concluded from what is stored, from when it was found until it was over.
--
-- Why so: an alert, an insight and a recommendation live alike (found, seen again, over), so they are
-- one table with one life cycle; the views give each kind under its own name.

CREATE TABLE collector.findings (
    host_id     integer NOT NULL REFERENCES collector.hosts,
    finding_id  bigint GENERATED ALWAYS AS IDENTITY,
    -- The rule that says it, and what it says it of: a source, a pattern, an address.
    rule        text NOT NULL,
    target      text NOT NULL,
    -- 'alert', 'insight' or 'recommendation'.
    kind        text NOT NULL,
    -- Part of the system: 'logs' or 'security'.
    domain      text NOT NULL,
    -- 'info', 'warn' or 'critical'.
    severity    text NOT NULL,
    -- What is wrong, without figures, so that it reads the same each time it comes back.
    title       text NOT NULL,
    -- What was seen, with figures.
    message     text NOT NULL,
    -- What to do, in this order.
    steps       text[] NOT NULL,
    -- What was measured, what was to be expected, and how odd that is: -log10 of the probability.
    value       double precision,
    expected    double precision,
    score       double precision,
    details     jsonb,
    opened_at   timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL,
    -- In how many passes it was seen.
    times       bigint NOT NULL DEFAULT 1,
    -- When it was over; NULL while it lasts.
    resolved_at timestamptz,
    PRIMARY KEY (host_id, finding_id)
);
CREATE UNIQUE INDEX findings_open ON collector.findings (host_id, rule, target) WHERE resolved_at IS NULL;
CREATE INDEX findings_seen ON collector.findings (host_id, seen_at);
COMMENT ON TABLE collector.findings IS 'What was concluded from what is stored: opened when found, seen again while it lasts, resolved when over.';

CREATE VIEW collector.alerts AS
SELECT host_id, finding_id AS id, opened_at AS ts, rule AS alert_type, severity, domain AS component, target, title,
       message, resolved_at IS NOT NULL AS resolved, resolved_at
FROM collector.findings WHERE kind = 'alert';
COMMENT ON VIEW collector.alerts IS 'Findings somebody has to act on.';

CREATE VIEW collector.insights AS
SELECT host_id, finding_id AS id, opened_at AS ts, rule AS insight_type, severity, domain, target AS metric_key, title,
       message, value AS current_value, expected AS baseline_mean, score, resolved_at IS NOT NULL AS resolved, resolved_at
FROM collector.findings WHERE kind = 'insight';
COMMENT ON VIEW collector.insights IS 'Findings worth knowing.';

CREATE VIEW collector.recommendations AS
SELECT host_id, finding_id AS id, opened_at AS ts, domain AS category, severity, target, title, message AS description,
       steps, resolved_at IS NOT NULL AS resolved, resolved_at
FROM collector.findings WHERE kind = 'recommendation';
COMMENT ON VIEW collector.recommendations IS 'Findings that say what to do.';

-- Forgets findings that were over before `old`. Returns how many.
CREATE FUNCTION collector.forget_findings(host integer, old timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    forgotten bigint;
BEGIN
    DELETE FROM collector.findings WHERE host_id = host AND resolved_at < old;
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END $$;
REVOKE ALL ON FUNCTION collector.forget_findings(integer, timestamptz) FROM PUBLIC;
