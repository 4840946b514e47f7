//! Tables whose vacuum is overdue: autovacuum's own condition holds, and the last vacuum was days ago.
//!
//! The share of dead rows is a threshold of the catalogue. Here it is the time that counts: a large table with a high
//! scale factor may have few dead rows in percent and still be long due, and one that nobody writes to needs no vacuum
//! however long ago it was.

use crate::judge::{Judge, TickFacts};
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::memory::fields::Fields;
use crate::quoting::identifier;
use crate::rule::{Life, Rule};
use schema::finding::{Figures, Kind};
use schema::micros::DAY;
use schema::tables::TableSample;
use schema::{Every, Finding, Row, Sample, Severity, Timestamp, Unit};
use std::cmp::Ordering;
use std::collections::HashSet;

/// A table's vacuum is overdue.
pub const OVERDUE: Rule = Rule {
    id: "vacuum_overdue",
    kind: Kind::Alert,
    domain: "table",
    title: "Vacuum is overdue",
    life: Life {
        clear_evaluations: 1,
        clear_secs: 600,
        ..Life::sampled(600)
    },
    because: &[
        "db.up",
        "check.autovacuum_queue",
        "check.autovacuum_workers",
        "check.xmin_horizon",
    ],
};

/// The rules of this judge.
pub const RULES: &[Rule] = &[OVERDUE];

/// Days since the later of the last vacuum and the last autovacuum: the reference's figure.
const OVERDUE_DAYS: i64 = 4;
/// Most findings, those with most dead rows first.
const MOST: usize = 50;

/// Judges when tables were vacuumed.
#[derive(Debug, Default)]
pub struct VacuumJudge;

impl Judge for VacuumJudge {
    type Facts<'a> = TickFacts<'a>;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        RULES.iter()
    }

    fn evaluate(&mut self, facts: TickFacts<'_>, open: &Lifecycle, at: Timestamp) -> Evaluation {
        let mut evaluation = Evaluation::default();
        let mut databases: HashSet<(&str, &str)> = HashSet::new();
        let mut overdue: Vec<Finding> = Vec::new();
        let mut last = ("", "");
        for row in facts.rows_of(TableSample::TABLE) {
            let fields = Fields(row);
            let database = (fields.text("instance"), fields.text("database"));
            if database != last {
                last = database;
                databases.insert(database);
            }
            overdue.extend(finding(row));
        }
        let mut targets = open.targets(OVERDUE.id).peekable();
        if databases.is_empty() && targets.peek().is_none() {
            return evaluation;
        }
        let fresh = &facts.memory.freshness;
        let every = Every::Slow.micros(facts.intervals.services);
        for target in targets {
            let is_looked_at = databases.iter().any(|(instance, database)| {
                let rest = target.strip_prefix(instance);
                let rest = rest.and_then(|rest| rest.strip_prefix('.')?.strip_prefix(database));
                rest.is_some_and(|rest| rest.starts_with('.'))
            });
            if is_looked_at {
                continue;
            }
            let key = (OVERDUE.id, target.to_owned());
            if fresh.is_silent(TableSample::TABLE, target, every, at) {
                evaluation.absent.push(key);
            } else {
                evaluation.unchanged.push(key);
            }
        }
        overdue.sort_by(|a, b| {
            b.figures
                .value
                .partial_cmp(&a.figures.value)
                .unwrap_or(Ordering::Equal)
        });
        overdue.truncate(MOST);
        evaluation.rules.push(&OVERDUE);
        evaluation.found = overdue;
        evaluation
    }
}

/// Returns the finding about a table past its own trigger whose last vacuum was too long ago. A table that was never
/// vacuumed has no such time; that autovacuum does not come at all is a finding of its queue.
fn finding(row: &Row) -> Option<Finding> {
    let fields = Fields(row);
    let dead = fields.number("n_dead_tup")?;
    let trigger = fields.number("vacuum_threshold")?;
    if dead <= trigger {
        return None;
    }
    let last = [fields.time("last_vacuum"), fields.time("last_autovacuum")];
    let last = last.into_iter().flatten().max()?;
    let age = row.ts.as_micros() - last.as_micros();
    if age <= OVERDUE_DAYS * DAY {
        return None;
    }
    let parts = ["instance", "database", "schema_name", "table_name"].map(|name| fields.text(name));
    let target = parts.join(".");
    let [instance, database, schema, table] = parts;
    let message = format!(
        "{} in database {database} of {instance} was vacuumed {} days ago and has {} dead rows; autovacuum is due at {}",
        words::cut(&format!("{schema}.{table}"), 80),
        age / DAY,
        words::value(dead, Unit::Count),
        words::value(trigger.round(), Unit::Count),
    );
    Some(Finding {
        steps: vec![format!(
            "See whether autovacuum is switched off for it, cancelled by locks, or held back. In database {}:",
            words::cut(database, 60)
        )],
        action_sql: Some(format!(
            "VACUUM (VERBOSE, ANALYZE) {}.{};",
            identifier(schema),
            identifier(table)
        )),
        metric: Some("table.n_dead_tup".to_owned()),
        metric_key: Some(target.clone()),
        figures: Figures {
            threshold: Some(words::round(trigger)),
            ..Figures::of(dead)
        },
        ..OVERDUE.finding(&target, Severity::Warn, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Intervals;
    use crate::memory::Memory;
    use schema::micros::SECOND;

    const NOW: i64 = 1_800_000_000 * SECOND;

    fn table(secs: i64, name: &str, dead: i64, days: [Option<i64>; 2]) -> Row {
        let at = NOW + secs * SECOND;
        let ago = |days: Option<i64>| days.map(|days| Timestamp(at - days * DAY - SECOND));
        TableSample {
            instance: "store".to_owned(),
            database: "shop".to_owned(),
            schema_name: "public".to_owned(),
            table_name: name.to_owned(),
            n_dead_tup: Some(dead),
            vacuum_threshold: Some(1000.0),
            last_vacuum: ago(days[0]),
            last_autovacuum: ago(days[1]),
            ..TableSample::default()
        }
        .into_row(Timestamp(at))
    }

    #[test]
    fn the_later_vacuum_and_the_own_trigger_decide() {
        for (dead, days, expected) in [
            (2000, [None, Some(5)], true),
            (2000, [Some(9), Some(4)], true),
            // The one by hand counts.
            (2000, [Some(1), Some(30)], false),
            (2000, [None, Some(3)], false),
            // Nobody writes to it.
            (1000, [None, Some(300)], false),
            // Since when it waits is not known.
            (9000, [None, None], false),
        ] {
            let found = finding(&table(0, "orders", dead, days));
            assert_eq!(found.is_some(), expected, "{dead} {days:?}");
        }
        let found = finding(&table(0, "or.d\"ers", 2500, [None, Some(6)])).unwrap();
        assert_eq!(
            found.message,
            "public.or.d\"ers in database shop of store was vacuumed 6 days ago and has 2500 dead rows; autovacuum is due at 1000"
        );
        assert_eq!(
            found.action_sql.as_deref(),
            Some("VACUUM (VERBOSE, ANALYZE) \"public\".\"or.d\"\"ers\";")
        );
    }

    #[test]
    fn it_is_confirmed_after_two_slow_ticks_and_ends_with_a_vacuum() {
        let mut memory = Memory::new(Intervals {
            host: 10 * SECOND,
            services: 10 * SECOND,
        })
        .unwrap();
        let mut judge = VacuumJudge;
        let mut lifecycle = Lifecycle::new(VacuumJudge::rules());
        let mut steps = Vec::new();
        for (secs, rows) in [
            (0, vec![table(0, "a", 2000, [None, Some(5)])]),
            (300, vec![table(300, "a", 2000, [None, Some(5)])]),
            (310, vec![]),
            (600, vec![table(600, "a", 2100, [None, Some(5)])]),
            (900, vec![table(900, "a", 0, [Some(0), Some(5)])]),
            (1200, vec![table(1200, "a", 10, [Some(0), Some(5)])]),
        ] {
            memory.take(&rows);
            let facts = TickFacts {
                memory: &mut memory,
                rows: &[&rows],
                intervals: Intervals {
                    host: 10 * SECOND,
                    services: 10 * SECOND,
                },
            };
            let at = Timestamp(NOW + secs * SECOND);
            let evaluation = judge.evaluate(facts, &lifecycle, at);
            for (_, row) in lifecycle.reconcile(evaluation, at) {
                steps.push(format!("{secs} {} {}", row.transition, row.target));
            }
        }
        let target = "store.shop.public.a";
        assert_eq!(
            steps,
            [
                format!("0 opened {target}"),
                format!("600 confirmed {target}"),
                format!("1200 resolved {target}"),
            ]
        );
    }
}
