-- Health of the parts of the system: a score of 0 to 100 with what it is made of, every five minutes.
--
-- Why so: the reference's table (domain, score, components) with two columns more, because a mean hides what is dead among
-- much that is well: what caps the score, and what it would be without.
CREATE TABLE collector.health_scores (
    ts              timestamptz NOT NULL,
    host_id         integer NOT NULL,
    domain          text NOT NULL,
    score           double precision,
    mean_score      double precision,
    capped_by       text,
    component_count bigint NOT NULL,
    components      jsonb NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX health_scores_ts ON collector.health_scores (host_id, ts);
COMMENT ON TABLE collector.health_scores IS 'Health of the parts of the system from 0 to 100, with the worst components, every five minutes.';
