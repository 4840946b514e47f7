//! Incidents with the cause that is expected, and what holds for every one of them: a host whose troubles are a table.

mod lives;
mod shapes;

use super::*;
use crate::lifecycle::Evaluation;
use schema::micros::{DAY, SECOND};
use serde_json::Value;
use std::collections::BTreeMap;
use store::findings::OpenFinding;
use testkit::Dice;

/// 2027-01-15 08:00 UTC: a multiple of a day.
const NOW: i64 = 1_800_000_000 * SECOND;
const TICK: i64 = 30 * SECOND;
const INTERVALS: Intervals = Intervals {
    host: 10 * SECOND,
    services: 30 * SECOND,
};

/// Something that is wrong: rule, target, minutes from and to.
type Trouble = (&'static str, &'static str, i64, i64);

/// The rows that the database would have.
#[derive(Default)]
struct Stored {
    open: BTreeMap<(String, String), (Timestamp, FindingTransition)>,
    begun: Vec<Begun>,
}

impl Stored {
    fn apply(&mut self, ts: Timestamp, row: FindingTransition) {
        let key = (row.rule.clone(), row.target.clone());
        if let Some(confirmed_at) = row.confirmed_at
            && is_beginning(&row)
        {
            self.begun.push(Begun {
                rule: row.rule.clone(),
                opened_at: row.opened_at,
                confirmed_at,
                is_problem: row.severity.is_problem(),
                cause_rule: None,
            });
        }
        match row.resolved_at {
            Some(_) => drop(self.open.remove(&key)),
            None => drop(self.open.insert(key, (ts, row))),
        }
    }

    fn open_findings(&self) -> Vec<OpenFinding> {
        let rows = self.open.values();
        rows.map(|(ts, row)| OpenFinding::after(*ts, row)).collect()
    }
}

/// A host with troubles.
struct Host {
    troubles: Vec<Trouble>,
    lifecycle: Lifecycle,
    judge: CauseJudge,
    stored: Stored,
    /// Transitions of incidents.
    incidents: Vec<(Timestamp, FindingTransition)>,
    /// Every transition.
    rows: Vec<(Timestamp, FindingTransition)>,
}

fn minutes(minutes: i64) -> i64 {
    NOW + minutes * MINUTE
}

impl Host {
    /// Begins at midnight with these troubles, a day after its collector was started.
    fn new(troubles: &[Trouble]) -> Self {
        let mut host = Self {
            troubles: troubles.to_vec(),
            lifecycle: Lifecycle::new(crate::rules()),
            judge: CauseJudge::new(INTERVALS),
            stored: Stored::default(),
            incidents: Vec::new(),
            rows: Vec::new(),
        };
        host.begin(NOW - DAY);
        host
    }

    fn begin(&mut self, at: i64) {
        let at = Timestamp(at);
        let known_since = Timestamp(NOW - 7 * DAY);
        self.judge
            .begin(&self.stored.begun, known_since, &self.lifecycle, at);
        let rows = self.judge.follow(&[], &mut self.lifecycle, at);
        self.keep(rows);
    }

    fn restart(&mut self, at: i64) {
        self.lifecycle = Lifecycle::new(crate::rules());
        self.judge = CauseJudge::new(INTERVALS);
        let open = self.stored.open_findings();
        let ended = self.lifecycle.restore(open, Vec::new(), Timestamp(at));
        self.keep(ended);
        self.begin(at);
    }

    fn keep(&mut self, rows: Vec<(Timestamp, FindingTransition)>) {
        for (ts, row) in rows {
            if row.rule == CORRELATION {
                self.incidents.push((ts, row.clone()));
            }
            self.rows.push((ts, row.clone()));
            self.stored.apply(ts, row);
        }
    }

    /// Returns what a judge finds of a trouble at an instant; what is unusual is known at the ends of cycles alone.
    fn found(&self, trouble: &Trouble, at: i64) -> Option<Finding> {
        let (id, target, from, to) = *trouble;
        let rule = self.lifecycle.rule(id).unwrap();
        let (from, to) = (minutes(from), minutes(to));
        let is_unusual = id.starts_with("unusual.");
        let cycle = 5 * MINUTE;
        let until = if is_unusual {
            to.div_euclid(cycle) * cycle + cycle
        } else {
            to
        };
        // The judge of logs runs every five minutes and finds what was written within the last five.
        let is_late = id.starts_with("log_") && at - from < 4 * MINUTE;
        let begins = if is_unusual {
            from.div_euclid(cycle) * cycle + cycle
        } else {
            from
        };
        if at < begins || at >= until || is_late {
            return None;
        }
        let mut finding = rule.finding(target, severity_of(id), format!("{id} of {target}"));
        finding.steps = vec![format!("Look at {id}")];
        finding.figures.score = Some(7.0);
        if id.starts_with("log_") {
            finding.span = Some((Timestamp(from), Timestamp(at.min(to))));
        }
        Some(finding)
    }

    fn tick(&mut self, at: i64) {
        let is_cycle = at % (5 * MINUTE) == 0;
        let is_judged = |id: &str| is_cycle || !id.starts_with("unusual.");
        let mut rules: Vec<&'static Rule> = Vec::new();
        for (id, ..) in &self.troubles {
            let rule = self.lifecycle.rule(id).unwrap();
            if is_judged(id) && !rules.contains(&rule) {
                rules.push(rule);
            }
        }
        let judged = self.troubles.iter().filter(|(id, ..)| is_judged(id));
        let evaluation = Evaluation {
            found: judged.filter_map(|one| self.found(one, at)).collect(),
            rules,
            ..Evaluation::default()
        };
        let at = Timestamp(at);
        self.judge.note_tick(at);
        let rows = self.lifecycle.reconcile(evaluation, at);
        let more = self.judge.follow(&rows, &mut self.lifecycle, at);
        self.keep(rows);
        self.keep(more);
    }

    fn run(&mut self, from: i64, to: i64) {
        let mut at = minutes(from);
        while at < minutes(to) {
            self.tick(at);
            at += TICK;
        }
    }

    /// Returns the incidents: the last row of each before it was resolved, in the order in which they were opened.
    fn found_incidents(&self) -> Vec<&FindingTransition> {
        let mut last: BTreeMap<&str, &FindingTransition> = BTreeMap::new();
        for (_, row) in &self.incidents {
            if row.resolved_at.is_none() {
                last.insert(&row.target, row);
            }
        }
        last.into_values().collect()
    }
}

fn severity_of(id: &str) -> Severity {
    if id.starts_with("unusual.") || id == "log_error_spike" {
        Severity::Warn
    } else {
        Severity::Critical
    }
}

fn details(row: &FindingTransition) -> Value {
    serde_json::from_str(&row.details.as_ref().unwrap().0).unwrap()
}

fn members(row: &FindingTransition) -> Vec<String> {
    let details = details(row);
    let members = details["members"].as_array().unwrap().iter();
    let mut names: Vec<String> = members
        .map(|one| one["rule"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn cause(row: &FindingTransition) -> String {
    let details = details(row);
    let best = &details["hypotheses"][0];
    best["rule"]
        .as_str()
        .or(best["says"].as_str())
        .unwrap()
        .to_owned()
}
