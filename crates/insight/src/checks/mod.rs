//! Checks of PostgreSQL servers: the objects that they report become findings.
//!
//! A slow tick stores the objects of every check, those of hourly checks again, so the newest slow tick of a server
//! has everything that holds. The table `declared` states of each check what makes an object a finding and in which words. A
//! finding is about a server, a database and an object (`store.shop.public.orders_id_seq`).
//!
//! * A server whose rows are not in the batch had no slow tick: nothing is known to have changed.
//! * A check that could not be read has a row about that in the batch; its findings are kept.
//! * A slow tick that ended early may lack any object; what it has is true.

mod declared;
mod object;
mod settings;
#[cfg(test)]
mod tests;

use crate::judge::{Judge, TickFacts};
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::memory::fields::Fields;
use crate::rule::Rule;
use declared::CHECKS;
use object::Object;
use schema::micros::MINUTE;
use schema::tables::{CheckSample, CollectorRun, DbSample, VisibilityGap};
use schema::{Every, Finding, Row, RunOutcome, Sample, Timestamp};
use std::collections::HashMap;

/// How often open findings of servers that have no slow tick are looked at.
const LOOK_EVERY: i64 = MINUTE;
/// Most findings of a check and server, the worst first: a schema with a thousand of them is one task.
const MOST: usize = 50;
/// States of a gap that do not pass by themselves.
const LASTING: [&str; 4] = ["denied", "missing", "not_installed", "off"];

/// Judges checks.
#[derive(Debug, Default)]
pub struct ChecksJudge {
    looked: Timestamp,
}

/// The slow tick of a server.
#[derive(Default)]
struct SlowTick<'a> {
    objects: Vec<Object<'a>>,
    /// Database, check and state of what could not be read.
    gaps: Vec<(&'a str, &'a str, &'a str)>,
    /// Whether it ended early.
    is_cut: bool,
}

/// What an open finding that was not found means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missed {
    /// It has ended.
    Ended,
    /// There is nothing new.
    Unchanged,
    /// There are no data any more.
    Absent,
}

impl Judge for ChecksJudge {
    type Facts<'a> = TickFacts<'a>;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        CHECKS
            .iter()
            .map(|check| &check.rule)
            .chain(settings::RULES)
    }

    fn evaluate(&mut self, facts: TickFacts<'_>, open: &Lifecycle, at: Timestamp) -> Evaluation {
        let ticks = slow_ticks(facts.rows);
        let is_time = at.as_micros() - self.looked.as_micros() >= LOOK_EVERY;
        if ticks.is_empty() && !is_time {
            return Evaluation::default();
        }
        self.looked = at;
        let mut evaluation = Evaluation::default();
        for tick in ticks.values() {
            evaluation.found.extend(found(tick, open));
        }
        let fresh = &facts.memory.freshness;
        let every = Every::Slow.micros(facts.intervals.services);
        for rule in Self::rules() {
            evaluation.rules.push(rule);
            for target in open.targets(rule.id) {
                let instance = target.split('.').next().unwrap_or_default();
                let missed = match ticks.get(instance) {
                    Some(tick) => tick.missed(rule, target),
                    None if fresh.is_silent(DbSample::TABLE, instance, every, at) => Missed::Absent,
                    None => Missed::Unchanged,
                };
                let key = (rule.id, target.to_owned());
                match missed {
                    Missed::Ended => {}
                    Missed::Unchanged => evaluation.unchanged.push(key),
                    Missed::Absent => evaluation.absent.push(key),
                }
            }
        }
        evaluation
    }
}

impl SlowTick<'_> {
    /// Returns what it means for an open finding that this tick may not have found.
    fn missed(&self, rule: &Rule, target: &str) -> Missed {
        if self.is_cut {
            return Missed::Unchanged;
        }
        let check = declared::name_of(rule);
        let gap = self.gaps.iter().find(|(database, family, _)| {
            let is_family = *family == check || *family == "database";
            let rest = target.split_once('.').map_or("", |(_, rest)| rest);
            let of_database = |rest: &str| {
                let rest = rest.strip_prefix(database);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            is_family && (database.is_empty() || of_database(rest))
        });
        // Where a part of the objects is closed, the others were read.
        let gap = gap.filter(|(database, ..)| {
            let mut objects = self.objects.iter();
            !objects.any(|one| one.check == check && one.database == *database)
        });
        match gap {
            Some((_, _, state)) if LASTING.contains(state) => Missed::Absent,
            Some(_) => Missed::Unchanged,
            None => Missed::Ended,
        }
    }
}

/// Collects the slow ticks of a batch, by server.
fn slow_ticks<'a>(batches: &'a [&'a [Row]]) -> HashMap<&'a str, SlowTick<'a>> {
    let mut ticks: HashMap<&str, SlowTick<'_>> = HashMap::new();
    let rows = || batches.iter().copied().flatten();
    for row in rows().filter(|row| row.table.name == CheckSample::TABLE.name) {
        let object = Object::of(row);
        ticks
            .entry(object.instance)
            .or_default()
            .objects
            .push(object);
    }
    if ticks.is_empty() {
        return ticks;
    }
    for row in rows() {
        let fields = Fields(row);
        if row.table.name == VisibilityGap::TABLE.name {
            if let Some(tick) = ticks.get_mut(fields.text("instance")) {
                let gap = (
                    fields.text("database"),
                    fields.text("family"),
                    fields.text("state"),
                );
                tick.gaps.push(gap);
            }
        } else if row.table.name == CollectorRun::TABLE.name {
            // The run of a server is called by its name, that of the only one is not.
            let Some(name) = fields.text("collector").strip_prefix("postgres_slow") else {
                continue;
            };
            if fields.text("outcome") == RunOutcome::Ok.as_str() {
                continue;
            }
            for (instance, tick) in &mut ticks {
                tick.is_cut |= name.is_empty() || name.trim_start() == *instance;
            }
        }
    }
    ticks
}

/// Returns the findings of a slow tick.
fn found(tick: &SlowTick<'_>, open: &Lifecycle) -> Vec<Finding> {
    let mut found = Vec::new();
    for check in CHECKS {
        let of_check = tick.objects.iter().filter(|one| one.check == check.name);
        let mut of_check: Vec<Finding> = of_check
            .filter_map(|one| check.finding(one, open))
            .collect();
        if of_check.len() > MOST {
            of_check.sort_by(|a, b| {
                let is_open = |one: &Finding| open.severity(one.rule, &one.target).is_some();
                is_open(b)
                    .cmp(&is_open(a))
                    .then(b.severity.cmp(&a.severity))
            });
            of_check.truncate(MOST);
        }
        found.extend(of_check);
    }
    let of_settings = tick
        .objects
        .iter()
        .filter(|one| one.check == settings::NAME);
    found.extend(of_settings.filter_map(settings::finding));
    found
}
