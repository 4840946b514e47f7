-- Recommendations follow from findings of any kind.
--
-- Why so: most of what is recommended is the next step of an alert. Storing it a second time as a finding of its own would judge
-- the same condition twice. So the rule's category, subject and title are in the details of the finding (`advice`), and the view
-- shows all of them.

CREATE OR REPLACE VIEW collector.recommendations AS
SELECT f.host_id, f.finding_id AS id, f.opened_at AS ts, coalesce(f.details #>> '{advice,category}', f.domain) AS category, f.severity,
       coalesce(f.details #>> '{advice,target}', f.target) AS target, coalesce(f.details #>> '{advice,title}', f.title) AS title,
       f.message AS description, f.steps, f.resolved_at IS NOT NULL AS resolved, f.resolved_at, f.command, f.action_sql,
       f.acknowledged, f.expires_at, f.rule, f.kind, f.cause_rule, f.verified, f.verified_at,
       m.mark, m.until AS marked_until, m.marked_by
FROM collector.findings f
LEFT JOIN collector.finding_marks m
       ON m.host_id = f.host_id AND m.rule = f.rule AND m.target = f.target AND f.resolved_at IS NULL
WHERE (f.kind = 'recommendation' OR f.details ? 'advice') AND f.confirmed_at IS NOT NULL;
COMMENT ON VIEW collector.recommendations IS 'What to do: the next step of each confirmed finding that has one. Resolved when its cause has ended.';
