//! Tables whose rows are updated again and again, each time with a new version in every index.
//!
//! Judged at each slow tick over about the last day. An update that stays in its page (HOT) touches no index and is cleaned up
//! by the next reader of the page, so a table whose updates are of that kind needs nothing.

use super::decay::Decaying;
use crate::judge::{Judge, TickFacts};
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::memory::fields::{Column, Fields};
use crate::quoting::identifier;
use crate::rule::{Life, NoData, Rule};
use schema::finding::{Figures, Kind};
use schema::tables::TableSample;
use schema::{Every, Finding, Row, Sample, Severity, Timestamp, Unit};
use std::collections::{HashMap, HashSet};

/// The rows of a table are updated several times a day.
const CHURN: Rule = Rule {
    id: "table_churn",
    kind: Kind::Recommendation,
    domain: "table",
    title: "Rows are updated again and again",
    // An hour: a migration that touches each row twice is over by then.
    life: Life::sampled(3600).no_data(NoData::Keep),
    because: &["db.up"],
};

/// The rules of this judge.
const RULES: &[Rule] = &[CHURN];

const SPAN_SECS: f64 = 86_400.0;
/// Updates of each row a day: the reference's figure, which counts since the statistics were reset.
const UPDATES_PER_ROW: f64 = 2.0;
/// Live rows without which a table is small enough to be scanned at any time: the reference's figure for vacuum.
const LEAST_ROWS: f64 = 1000.0;
/// Share of HOT updates from which nothing is to be done. Own choice.
const HOT_PCT: f64 = 90.0;
/// Seconds that must be covered: a quarter of a day, so that a batch does not decide.
const LEAST_COVERED: f64 = 6.0 * 3600.0;
/// Most findings, those with most updates first.
const MOST: usize = 20;

const INSTANCE: Column = Column::of::<TableSample>("instance");
const DATABASE: Column = Column::of::<TableSample>("database");
const SCHEMA: Column = Column::of::<TableSample>("schema_name");
const TABLE: Column = Column::of::<TableSample>("table_name");
const LIVE: Column = Column::of::<TableSample>("n_live_tup");
const UPDATED: Column = Column::of::<TableSample>("n_tup_upd");
const HOT: Column = Column::of::<TableSample>("n_tup_hot_upd");
const EPOCH: Column = Column::of::<TableSample>("epoch");

/// A table that was seen.
#[derive(Debug)]
struct Followed {
    at: Timestamp,
    epoch: Box<str>,
    /// Updates and HOT updates since the statistics were reset.
    counters: [f64; 2],
    done: Decaying<2>,
}

/// Judges updates.
#[derive(Debug, Default)]
pub struct ChurnJudge {
    tables: HashMap<Box<str>, Followed>,
}

impl Judge for ChurnJudge {
    type Facts<'a> = TickFacts<'a>;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        RULES.iter()
    }

    fn evaluate(&mut self, facts: TickFacts<'_>, open: &Lifecycle, at: Timestamp) -> Evaluation {
        let mut evaluation = Evaluation::default();
        let mut databases: HashSet<(&str, &str)> = HashSet::new();
        let mut young: HashSet<String> = HashSet::new();
        let mut churned: Vec<Finding> = Vec::new();
        for row in facts.rows_of(TableSample::TABLE) {
            let fields = Fields(row);
            databases.insert((fields.text(INSTANCE), fields.text(DATABASE)));
            let target = target(fields);
            match self.follow(&target, row) {
                Some(done) if done.covered >= LEAST_COVERED => {
                    churned.extend(finding(&target, fields, done));
                }
                _ => drop(young.insert(target)),
            }
        }
        let mut targets = open.targets(CHURN.id).peekable();
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
            let key = (CHURN.id, target.to_owned());
            if is_looked_at && !young.contains(target) {
                continue;
            }
            if !is_looked_at && fresh.is_silent(TableSample::TABLE, target, every, at) {
                evaluation.absent.push(key);
            } else {
                // After a start it takes hours until it is known again.
                evaluation.unchanged.push(key);
            }
        }
        // What was dropped, or has fallen out of the tables that are sampled.
        let old = at.as_micros() - 4 * every;
        self.tables.retain(|_, one| one.at.as_micros() >= old);
        churned.sort_by(|a, b| {
            let updates = |one: &Finding| one.figures.value.unwrap_or_default();
            updates(b).total_cmp(&updates(a))
        });
        churned.truncate(MOST);
        evaluation.rules.push(&CHURN);
        evaluation.found = churned;
        evaluation
    }
}

fn target(fields: Fields<'_>) -> String {
    [INSTANCE, DATABASE, SCHEMA, TABLE]
        .map(|part| fields.text(part))
        .join(".")
}

impl ChurnJudge {
    /// Adds the steps of a table's counters since its row before, and returns its sums.
    fn follow(&mut self, target: &str, row: &Row) -> Option<Decaying<2>> {
        let fields = Fields(row);
        let counters = [fields.number(UPDATED)?, fields.number(HOT)?];
        let epoch = fields.text(EPOCH);
        let Some(one) = self.tables.get_mut(target) else {
            let begun = Followed {
                at: row.ts,
                epoch: epoch.into(),
                counters,
                done: Decaying::default(),
            };
            self.tables.insert(target.into(), begun);
            return None;
        };
        let steps = [counters[0] - one.counters[0], counters[1] - one.counters[1]];
        #[expect(clippy::cast_precision_loss, reason = "a span of time")]
        let secs = (row.ts.as_micros() - one.at.as_micros()) as f64 / 1e6;
        // Across a reset nothing is known.
        if *one.epoch == *epoch && secs > 0.0 && steps.iter().all(|step| *step >= 0.0) {
            one.done.add(secs, steps, SPAN_SECS);
        }
        (one.at, one.counters) = (row.ts, counters);
        one.epoch = epoch.into();
        Some(one.done)
    }
}

fn finding(target: &str, fields: Fields<'_>, done: Decaying<2>) -> Option<Finding> {
    let live = fields.number(LIVE).filter(|live| *live >= LEAST_ROWS)?;
    let per_day = done.per_second(0)? * SPAN_SECS;
    let hot_pct = 100.0 * done.sums[1] / done.sums[0];
    if per_day / live <= UPDATES_PER_ROW || hot_pct >= HOT_PCT {
        return None;
    }
    let (schema, table) = (fields.text(SCHEMA), fields.text(TABLE));
    let message = format!(
        "{} in database {} of {} has {} updates a day for {} rows, {} of them within their page",
        words::cut(&format!("{schema}.{table}"), 80),
        words::cut(fields.text(DATABASE), 60),
        words::cut(fields.text(INSTANCE), 60),
        words::value(per_day.round(), Unit::Count),
        words::value(live, Unit::Count),
        words::value(hot_pct.round(), Unit::Percent),
    );
    let is_plain = !format!("{schema}{table}").chars().any(char::is_control);
    Some(Finding {
        steps: vec![
            "See whether all these updates change anything, and whether they change indexed columns: those cannot stay in their page.".to_owned(),
            format!(
                "Leave room in each page for the next version of a row; pages that are there get it when they are rewritten. In database {}:",
                words::cut(fields.text(DATABASE), 60)
            ),
        ],
        action_sql: is_plain.then(|| {
            format!(
                "ALTER TABLE {}.{} SET (fillfactor = 80);",
                identifier(schema),
                identifier(table)
            )
        }),
        figures: Figures {
            threshold: Some(words::round(UPDATES_PER_ROW * live)),
            ..Figures::of(words::round(per_day))
        },
        ..CHURN.finding(target, Severity::Info, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommendations::tests::{Host, at};
    use schema::micros::HOUR;

    fn table(hour: i64, name: &str, live: i64, updated: i64, hot: i64, epoch: &str) -> Row {
        TableSample {
            instance: "store".to_owned(),
            database: "shop".to_owned(),
            schema_name: "public".to_owned(),
            table_name: name.to_owned(),
            epoch: epoch.to_owned(),
            n_live_tup: Some(live),
            n_tup_upd: Some(updated),
            n_tup_hot_upd: Some(hot),
            ..TableSample::default()
        }
        .into_row(at(hour * HOUR))
    }

    #[test]
    fn a_table_whose_rows_are_updated_again_and_again_is_told_until_that_ends() {
        let mut host = Host::<ChurnJudge>::default();
        let mut busiest = String::new();
        for hour in 0..60 {
            let busy = hour.min(30);
            host.tick([
                table(hour, "or\"ders", 10_000, busy * 2000, busy * 600, ""),
                // Within their page.
                table(hour, "hot", 10_000, hour * 2000, hour * 1900, ""),
                // Small, and seldom.
                table(hour, "few", 500, hour * 2000, 0, ""),
                table(hour, "slow", 100_000, hour * 2000, 0, ""),
                // Counted anew at each tick.
                table(
                    hour,
                    "reset",
                    10_000,
                    1_000_000 * (hour % 2),
                    0,
                    &hour.to_string(),
                ),
            ]);
            if hour == 30 {
                busiest.clone_from(&host.last.message);
            }
        }
        let told: Vec<&str> = host.steps.iter().map(String::as_str).collect();
        let of = |step: &str| told.iter().position(|one| one.contains(step)).unwrap();
        assert!(
            told[0].starts_with("7 opened store.shop.public.or\"ders"),
            "{told:?}"
        );
        assert!(of("confirmed") < of("resolved"), "{told:?}");
        assert!(told.iter().all(|one| one.contains("or\"ders")), "{told:?}");
        let found = &host.last;
        assert!(
            busiest.starts_with("public.or\"ders in database shop of store has 48000 updates a day for 10000 rows, 30 %"),
            "{busiest}"
        );
        assert_eq!(
            found.action_sql.as_deref(),
            Some("ALTER TABLE \"public\".\"or\"\"ders\" SET (fillfactor = 80);")
        );
    }
}
