//! The judges of the tick over a generated month, restarted when the collector is.

use insight::live::Intervals;
use insight::{Lifecycle, TickJudges};
use schema::Timestamp;
use schema::finding::CORRELATION;
use schema::tables::FindingTransition;
use serde_json::Value;
use std::collections::BTreeMap;
use store::findings::{Begun, OpenFinding, Recent};
use testkit::month::{Month, Plan, Tick};

/// Findings are remembered across a restart for so long.
const RECENT: i64 = 3_600_000_000;

/// A finding that was confirmed, by its newest transition.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) rule: String,
    pub(crate) target: String,
    /// As of the transition that confirmed it.
    pub(crate) message: String,
    /// Seconds after the beginning of the month.
    pub(crate) opened: i64,
    pub(crate) confirmed: i64,
    pub(crate) resolved: Option<i64>,
    /// Rule of what explained it at any time, other than an incident that it belonged to.
    pub(crate) cause: Option<String>,
    /// Whether it belonged to an incident.
    pub(crate) is_member: bool,
    /// Of an incident its likely cause and how many belonged to it, as of its last row.
    pub(crate) likely: Option<(String, usize)>,
    pub(crate) worst: &'static str,
}

/// Returns the likely cause of an incident, and its number of members.
fn likely(row: &FindingTransition) -> Option<(String, usize)> {
    let details = row.details.as_ref().filter(|_| row.rule == CORRELATION)?;
    let details: Value = serde_json::from_str(&details.0).unwrap();
    let rule = details["hypotheses"][0]["rule"].as_str()?;
    Some((rule.to_owned(), details["members"].as_array()?.len()))
}

/// What the database would have, by rule and target.
#[derive(Default)]
struct Stored {
    open: BTreeMap<(String, String), (Timestamp, FindingTransition)>,
    /// When findings began.
    began: Vec<(Timestamp, String, String)>,
    /// What was confirmed.
    known: Vec<Begun>,
}

/// Judges a month and returns every problem, in the order in which they were confirmed.
pub(crate) fn problems(plan: &Plan) -> Vec<Problem> {
    let secs = |at: Timestamp| (at.as_micros() - plan.begin.as_micros()) / 1_000_000;
    let interval = i64::from(plan.interval_secs) * 1_000_000;
    let intervals = Intervals {
        host: interval,
        services: interval,
    };
    let mut judges = TickJudges::new(intervals).unwrap();
    let mut findings = Lifecycle::new(insight::rules());
    let mut stored = Stored::default();
    let mut found: Vec<Problem> = Vec::new();
    let mut open: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (nth, Tick { ts, is_first, rows }) in Month::new(plan).enumerate() {
        let mut transitions = Vec::new();
        if is_first && nth > 0 {
            judges = TickJudges::new(intervals).unwrap();
            findings = Lifecycle::new(insight::rules());
            transitions = stored.restore(&mut findings, ts);
        }
        if is_first {
            transitions.extend(judges.begin_relating(&stored.known, plan.begin, &mut findings, ts));
        }
        transitions.extend(judges.judge(&[&rows], &mut findings, ts).transitions);
        for (at, row) in transitions {
            // What is unusual has tests of its own, and a restart may be meant.
            if row.rule.starts_with("unusual.") || row.rule == "process_restarted" {
                continue;
            }
            let key = (row.rule.clone(), row.target.clone());
            if let (Some(confirmed), false) = (row.confirmed_at, open.contains_key(&key)) {
                open.insert(key.clone(), found.len());
                found.push(Problem {
                    rule: row.rule.clone(),
                    target: row.target.clone(),
                    message: row.message.clone(),
                    opened: secs(row.opened_at),
                    confirmed: secs(confirmed),
                    resolved: None,
                    cause: None,
                    is_member: false,
                    likely: None,
                    worst: "",
                });
            }
            if let Some(problem) = open.get(&key).and_then(|nth| found.get_mut(*nth)) {
                problem.resolved = row.resolved_at.map(secs);
                problem.worst = row.worst.as_str();
                let cause = row.cause_rule.as_deref();
                problem.is_member |= cause == Some(CORRELATION);
                let explained = cause.filter(|cause| *cause != CORRELATION);
                problem.cause = problem.cause.take().or(explained.map(str::to_owned));
                problem.likely = likely(&row).or(problem.likely.take());
            }
            if row.resolved_at.is_some() {
                open.remove(&key);
            }
            stored.apply(at, row);
        }
    }
    found
}

impl Stored {
    fn apply(&mut self, ts: Timestamp, row: FindingTransition) {
        let key = (row.rule.clone(), row.target.clone());
        if row.resolved_at.is_some() {
            self.open.remove(&key);
            return;
        }
        if let Some(confirmed_at) = row.confirmed_at
            && matches!(&*row.transition, "opened" | "confirmed")
        {
            self.known.push(Begun {
                rule: row.rule.clone(),
                opened_at: row.opened_at,
                confirmed_at,
                is_problem: row.worst.is_problem(),
                cause_rule: row.cause_rule.clone(),
            });
        }
        if row.transition == "opened" {
            self.began.push((ts, key.0.clone(), key.1.clone()));
        }
        self.open.insert(key, (ts, row));
    }

    /// Continues what is open, as the collector does at its start.
    fn restore(
        &mut self,
        findings: &mut Lifecycle,
        at: Timestamp,
    ) -> Vec<(Timestamp, FindingTransition)> {
        self.began
            .retain(|(ts, ..)| at.as_micros() - ts.as_micros() < RECENT);
        let recent = self.began.iter().map(|(ts, rule, target)| Recent {
            rule: rule.clone(),
            target: target.clone(),
            began: vec![*ts],
            ended_at: None,
        });
        let open = self
            .open
            .values()
            .map(|(ts, row)| OpenFinding::after(*ts, row));
        findings.restore(open.collect(), recent.collect(), at)
    }
}
