-- Findings that somebody acknowledged or dismissed, and what became of what was recommended.
--
-- Why so: a finding is acknowledged by its number, but what is acknowledged is its condition: rule and target. When the same
-- condition is found again, it has another number, and nobody wants to say it twice. So the mark is kept beside the findings,
-- and a finding that begins takes it. What is dismissed is not shown (`expires_at`) until the mark lapses: at its own time, or
-- when the condition has been over for a day.

CREATE TABLE collector.finding_marks (
    host_id   integer NOT NULL REFERENCES collector.hosts,
    rule      text NOT NULL,
    target    text NOT NULL,
    -- 'acknowledged': somebody knows, it stays in every list. 'dismissed': it is in none.
    mark      text NOT NULL CHECK (mark IN ('acknowledged', 'dismissed')),
    -- NULL: until the condition has ended.
    until     timestamptz,
    marked_at timestamptz NOT NULL DEFAULT now(),
    marked_by text NOT NULL DEFAULT session_user,
    PRIMARY KEY (host_id, rule, target)
);
COMMENT ON TABLE collector.finding_marks IS 'Conditions that somebody acknowledged or dismissed, by rule and target.';

ALTER TABLE collector.findings
    -- What became of it a day after its end, in a sentence, and when that was looked at.
    ADD COLUMN verified    text,
    ADD COLUMN verified_at timestamptz;
COMMENT ON COLUMN collector.findings.expires_at IS 'From then on it is in no list although nothing ended it: somebody dismissed it.';
COMMENT ON COLUMN collector.findings.verified IS 'What became of it a day after its end.';

-- Acknowledges or dismisses an open finding, for as long as its condition holds or until an instant. Returns whether it is
-- open. Runs with the owner's rights, so that a role that only does this needs no right on a table.
CREATE FUNCTION collector.mark_finding(finding bigint, new_mark text, lasts_until timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    open record;
BEGIN
    UPDATE collector.findings f SET
        acknowledged = true, expires_at = CASE new_mark WHEN 'dismissed' THEN now() END
    WHERE f.finding_id = finding AND f.resolved_at IS NULL
    RETURNING f.host_id, f.rule, f.target INTO open;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO collector.finding_marks (host_id, rule, target, mark, until)
    VALUES (open.host_id, open.rule, open.target, new_mark, lasts_until)
    ON CONFLICT (host_id, rule, target) DO UPDATE
    SET (mark, until, marked_at, marked_by) = (excluded.mark, excluded.until, excluded.marked_at, excluded.marked_by);
    RETURN true;
END $$;

-- Takes back the mark of a finding. Returns whether it had one.
CREATE FUNCTION collector.unmark_finding(finding bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of record;
BEGIN
    SELECT f.host_id, f.rule, f.target INTO of FROM collector.findings f WHERE f.finding_id = finding;
    DELETE FROM collector.finding_marks m WHERE m.host_id = of.host_id AND m.rule = of.rule AND m.target = of.target;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE collector.findings f SET acknowledged = false, expires_at = NULL
    WHERE f.host_id = of.host_id AND f.rule = of.rule AND f.target = of.target AND f.resolved_at IS NULL;
    RETURN true;
END $$;

-- Ends the marks of a host whose time has passed, and those whose condition has not held for a day. Returns their number.
CREATE FUNCTION collector.lapse_marks(host integer, at timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lapsed record;
    ended  bigint := 0;
BEGIN
    FOR lapsed IN
        DELETE FROM collector.finding_marks m
        WHERE m.host_id = host
          AND (m.until <= at
               OR NOT EXISTS (SELECT FROM collector.findings f
                              WHERE f.host_id = m.host_id AND f.rule = m.rule AND f.target = m.target
                                AND coalesce(f.resolved_at, 'infinity') > at - interval '1 day'))
        RETURNING m.rule, m.target
    LOOP
        UPDATE collector.findings f SET acknowledged = false, expires_at = NULL
        WHERE f.host_id = host AND f.rule = lapsed.rule AND f.target = lapsed.target AND f.resolved_at IS NULL;
        ended := ended + 1;
    END LOOP;
    RETURN ended;
END $$;
REVOKE ALL ON FUNCTION collector.mark_finding(bigint, text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.unmark_finding(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION collector.lapse_marks(integer, timestamptz) FROM PUBLIC;

-- A finding that begins takes the mark of its condition.
CREATE FUNCTION collector.take_mark() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known text;
BEGIN
    SELECT m.mark INTO known FROM collector.finding_marks m
    WHERE m.host_id = NEW.host_id AND m.rule = NEW.rule AND m.target = NEW.target AND coalesce(m.until, 'infinity') > now();
    IF FOUND THEN
        NEW.acknowledged := true;
        NEW.expires_at := CASE known WHEN 'dismissed' THEN now() END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER take_mark BEFORE INSERT ON collector.findings
FOR EACH ROW WHEN (NEW.resolved_at IS NULL) EXECUTE FUNCTION collector.take_mark();
