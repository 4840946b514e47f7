//! Connections that leak: they grew by half within an hour, and nearly all are in use.
//!
//! One sample a minute of each server is kept for an hour. A leak that has opened goes on as long as the connections are
//! nearly used up: an hour later they have not grown any more, and are as many.

use crate::judge::{Judge, TickFacts};
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::memory::fields::Fields;
use crate::rule::{Life, Rule};
use schema::finding::{Figures, Kind};
use schema::micros::{HOUR, MINUTE};
use schema::tables::DbSample;
use schema::{Finding, Sample, Severity, Timestamp};
use std::collections::{HashMap, VecDeque};

/// Connections of a server grow without end.
pub const LEAK: Rule = Rule {
    id: "connection_leak",
    kind: Kind::Alert,
    domain: "db",
    title: "Connections leak",
    life: Life {
        clear_secs: 300,
        ..Life::sampled(120)
    },
    because: &["db.up", "db.longest_lock_wait_secs"],
};

/// The rules of this judge.
pub const RULES: &[Rule] = &[LEAK];

/// Growth within an hour: the reference's figure.
const GROWTH: f64 = 1.5;
/// Share of the connections in use, percent: the reference's figure.
const USED_PCT: f64 = 80.0;
/// A leak goes on down to this share.
const LEFT_PCT: f64 = 76.0;
/// A sample of an hour ago may be older by so much.
const SLACK: i64 = 5 * MINUTE;

/// Judges the growth of connections.
#[derive(Debug, Default)]
pub struct ConnectionJudge {
    /// By server: instants and connections, a minute apart.
    hours: HashMap<Box<str>, VecDeque<(Timestamp, f64)>>,
}

impl Judge for ConnectionJudge {
    type Facts<'a> = TickFacts<'a>;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        RULES.iter()
    }

    fn evaluate(&mut self, facts: TickFacts<'_>, open: &Lifecycle, at: Timestamp) -> Evaluation {
        let mut evaluation = Evaluation::default();
        let mut known: Vec<&str> = Vec::new();
        for row in facts.rows_of(DbSample::TABLE) {
            let fields = Fields(row);
            let instance = fields.text("instance");
            let Some((total, most)) = fields.number("conn_total").zip(fields.number("conn_max"))
            else {
                continue;
            };
            known.push(instance);
            let most = most - fields.number("conn_reserved").unwrap_or_default();
            let before = self.note(instance, row.ts, total);
            let is_open = open.severity(LEAK.id, instance).is_some();
            evaluation
                .found
                .extend(leak(instance, before, total, most, is_open));
        }
        let mut targets = open.targets(LEAK.id).peekable();
        if known.is_empty() && targets.peek().is_none() {
            return evaluation;
        }
        let fresh = &facts.memory.freshness;
        let every = facts.intervals.services;
        for target in targets.filter(|target| !known.contains(target)) {
            let key = (LEAK.id, target.to_owned());
            if fresh.is_silent(DbSample::TABLE, target, every, at) {
                evaluation.absent.push(key);
            } else {
                evaluation.unchanged.push(key);
            }
        }
        evaluation.rules.push(&LEAK);
        evaluation
    }
}

impl ConnectionJudge {
    /// Notes a sample and returns the connections an hour before; `None` where they are not known.
    fn note(&mut self, instance: &str, ts: Timestamp, total: f64) -> Option<f64> {
        if !self.hours.contains_key(instance) {
            self.hours.insert(instance.into(), VecDeque::new());
        }
        let samples = self.hours.get_mut(instance)?;
        let age = |at: Timestamp| ts.as_micros() - at.as_micros();
        let is_due = samples
            .back()
            .is_none_or(|(last, _)| age(*last) >= MINUTE || age(*last) < 0);
        if is_due {
            samples.retain(|(at, _)| (0..=HOUR + SLACK).contains(&age(*at)));
            samples.push_back((ts, total));
        }
        let old = samples.iter().rev().find(|(at, _)| age(*at) >= HOUR);
        old.map(|(_, total)| *total)
    }
}

fn leak(
    instance: &str,
    before: Option<f64>,
    total: f64,
    most: f64,
    is_open: bool,
) -> Option<Finding> {
    let used = 100.0 * total / most;
    let has_grown = before.is_some_and(|before| total > GROWTH * before);
    let holds = match is_open {
        true => used > LEFT_PCT,
        false => used > USED_PCT && has_grown,
    };
    if !(holds && most > 0.0) {
        return None;
    }
    let message = match before.filter(|_| has_grown) {
        Some(before) => format!(
            "Connections of {instance} grew from {before:.0} to {total:.0} within an hour; {most:.0} are available"
        ),
        None => format!(
            "{total:.0} of the {most:.0} connections of {instance} are in use after they grew fast"
        ),
    };
    Some(Finding {
        steps: vec![
            "A client opens connections and does not close them, or answers have become slow. See whose they are:".to_owned(),
        ],
        action_sql: Some(
            "SELECT usename, application_name, client_addr, state, count(*), min(backend_start) FROM pg_stat_activity GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC;"
                .to_owned(),
        ),
        metric: Some("db.conn_total".to_owned()),
        metric_key: Some(instance.to_owned()),
        figures: Figures {
            threshold: Some(words::round(most * USED_PCT / 100.0)),
            expected: before,
            ..Figures::of(total)
        },
        ..LEAK.finding(instance, Severity::Critical, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Intervals;
    use crate::memory::Memory;
    use schema::Row;
    use schema::micros::SECOND;

    const NOW: i64 = 1_800_000_000 * SECOND;
    const INTERVALS: Intervals = Intervals {
        host: 60 * SECOND,
        services: 60 * SECOND,
    };

    fn server(minute: i64, total: Option<i64>) -> Row {
        DbSample {
            instance: "store".to_owned(),
            up: total.is_some(),
            conn_total: total,
            conn_max: total.map(|_| 103),
            conn_reserved: total.map(|_| 3),
            ..DbSample::default()
        }
        .into_row(Timestamp(NOW + minute * MINUTE))
    }

    /// Follows connections by the minute and returns the steps with their minute.
    fn steps(connections: impl Fn(i64) -> Option<i64>, until: i64) -> Vec<(i64, String, String)> {
        let mut memory = Memory::new(INTERVALS).unwrap();
        let mut judge = ConnectionJudge::default();
        let mut lifecycle = Lifecycle::new(ConnectionJudge::rules());
        let mut steps = Vec::new();
        for minute in 0..until {
            let rows = [server(minute, connections(minute))];
            memory.take(&rows);
            let facts = TickFacts {
                memory: &mut memory,
                rows: &[&rows],
                intervals: INTERVALS,
            };
            let at = rows[0].ts;
            let evaluation = judge.evaluate(facts, &lifecycle, at);
            let told = lifecycle.reconcile(evaluation, at);
            steps.extend(
                told.into_iter()
                    .filter(|(_, row)| row.transition != "refreshed")
                    .map(|(_, row)| (minute, row.transition, row.message)),
            );
        }
        steps
    }

    #[test]
    fn connections_that_grow_are_a_leak_until_they_are_gone() {
        let growing = |minute: i64| {
            Some(if minute < 200 {
                (40 + minute / 2).min(95)
            } else {
                20
            })
        };
        let found = steps(growing, 220);
        let words: Vec<(i64, &str)> = found
            .iter()
            .map(|(at, word, _)| (*at, word.as_str()))
            .collect();
        // 81 at minute 82, after 51 an hour before.
        assert_eq!(
            words,
            [(82, "opened"), (84, "confirmed"), (204, "resolved")]
        );
        assert_eq!(
            found[0].2,
            "Connections of store grew from 51 to 81 within an hour; 100 are available"
        );
    }

    #[test]
    fn neither_many_nor_growing_connections_alone_are_one() {
        for (name, connections) in [
            ("many", (|_| Some(97)) as fn(i64) -> Option<i64>),
            ("growing", |minute| Some(10 + minute / 2)),
            // A restart of the collector knows nothing of an hour ago.
            ("new", |minute| Some(if minute < 30 { 20 } else { 99 })),
        ] {
            let until = if name == "new" { 59 } else { 130 };
            assert_eq!(steps(connections, until), [], "{name}");
        }
    }

    #[test]
    fn a_server_that_does_not_answer_leaves_it_as_it_is() {
        let found = steps(
            |minute| match minute {
                ..70 => Some(30),
                70..80 => Some(90),
                80..90 => None,
                _ => Some(90),
            },
            100,
        );
        let words: Vec<(i64, &str)> = found
            .iter()
            .map(|(at, word, _)| (*at, word.as_str()))
            .collect();
        assert_eq!(words, [(70, "opened"), (72, "confirmed")]);
    }
}
