//! I/O pressure: the load is high while PostgreSQL writes.
//!
//! That all tasks wait for I/O is a threshold of the catalogue. It is not known on every kernel, so this follows the
//! reference: the load, with the steps of what checkpoints and sessions write.

use crate::judge::{Judge, TickFacts};
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::memory::fields::Fields;
use crate::rule::{Life, Rule};
use schema::finding::{Figures, Kind};
use schema::micros::MINUTE;
use schema::tables::{DbSample, SystemSample};
use schema::{Finding, Row, Sample, Severity, Timestamp, Unit};
use std::collections::{HashMap, VecDeque};

/// The load is high while a server writes.
pub const PRESSURE: Rule = Rule {
    id: "io_pressure",
    kind: Kind::Alert,
    domain: "system",
    title: "Disks do not keep up",
    life: Life {
        clear_secs: 300,
        ..Life::sampled(120)
    },
    because: &["system.pressure_io_full_pct"],
};

/// The rules of this judge.
pub const RULES: &[Rule] = &[PRESSURE];

/// Load over a minute: the reference's figure …
const LOAD: f64 = 8.0;
/// … and this for each core, as 8 is little for a host of 16.
const LOAD_PER_CORE: f64 = 2.0;
/// Milliseconds that checkpoints wrote within the window: the reference's figure.
const CHECKPOINT_MS: f64 = 1000.0;
/// Buffers that sessions wrote themselves within the window: the reference's figure.
const BACKEND_BUFFERS: f64 = 100.0;
/// What was written is added up over this time.
const WINDOW: i64 = 5 * MINUTE;

/// What a server writes.
#[derive(Debug, Default)]
struct Writes {
    epoch: Box<str>,
    /// Counters of the newest sample: milliseconds of checkpoints, buffers of sessions.
    totals: Option<(f64, f64)>,
    steps: VecDeque<(Timestamp, f64, f64)>,
}

/// Judges I/O pressure.
#[derive(Debug, Default)]
pub struct IoPressureJudge {
    servers: HashMap<Box<str>, Writes>,
}

impl Judge for IoPressureJudge {
    type Facts<'a> = TickFacts<'a>;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        RULES.iter()
    }

    fn evaluate(&mut self, facts: TickFacts<'_>, _: &Lifecycle, at: Timestamp) -> Evaluation {
        for row in facts.rows_of(DbSample::TABLE) {
            self.note(row);
        }
        let mut evaluation = Evaluation::default();
        let Some(host) = facts.rows_of(SystemSample::TABLE).next() else {
            return evaluation;
        };
        let fields = Fields(host);
        if let Some(load) = fields.number("load_1") {
            let cores = fields.number("cpu_count").unwrap_or_default();
            evaluation.rules.push(&PRESSURE);
            evaluation.found.extend(self.pressure(load, cores, at));
        }
        evaluation
    }
}

impl IoPressureJudge {
    fn note(&mut self, row: &Row) {
        let fields = Fields(row);
        let instance = fields.text("instance");
        if !self.servers.contains_key(instance) {
            self.servers.insert(instance.into(), Writes::default());
        }
        let Some(writes) = self.servers.get_mut(instance) else {
            return;
        };
        let totals = fields
            .number("checkpoint_write_ms_total")
            .zip(fields.number("buffers_backend"));
        let epoch = fields.text("epoch");
        let is_same = *writes.epoch == *epoch;
        if let (Some(before), Some(now), true) = (writes.totals, totals, is_same) {
            let (ms, buffers) = (now.0 - before.0, now.1 - before.1);
            if ms > 0.0 || buffers > 0.0 {
                writes
                    .steps
                    .push_back((row.ts, ms.max(0.0), buffers.max(0.0)));
            }
        }
        if !is_same {
            writes.epoch = epoch.into();
        }
        writes.totals = totals;
    }

    fn pressure(&mut self, load: f64, cores: f64, at: Timestamp) -> Option<Finding> {
        let threshold = LOAD.max(LOAD_PER_CORE * cores);
        let from = at.as_micros() - WINDOW;
        self.servers.retain(|_, writes| {
            writes.steps.retain(|(ts, ..)| ts.as_micros() > from);
            // A server that is not watched any more has no steps.
            writes.totals.is_some() || !writes.steps.is_empty()
        });
        if load <= threshold {
            return None;
        }
        let mut writing: Vec<(&str, f64, f64)> = self
            .servers
            .iter()
            .map(|(instance, writes)| {
                let steps = writes.steps.iter();
                let (ms, buffers) = steps.fold((0.0_f64, 0.0_f64), |sum, (_, ms, buffers)| {
                    (sum.0 + ms, sum.1 + buffers)
                });
                (&**instance, ms, buffers)
            })
            .filter(|(_, ms, buffers)| *ms > CHECKPOINT_MS || *buffers > BACKEND_BUFFERS)
            .collect();
        writing.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(b.0)));
        let (instance, ms, buffers) = writing.first()?;
        let message = format!(
            "Load is {} while {instance} writes: {} of checkpoints and {} buffers by sessions within 5 min",
            words::value(load, Unit::Ratio),
            words::value(*ms, Unit::Ms),
            words::value(*buffers, Unit::Count),
        );
        Some(Finding {
            steps: vec![
                "See which processes wait for a disk, and spread checkpoints with max_wal_size and checkpoint_timeout:".to_owned(),
            ],
            command: Some("iostat -x 5 3".to_owned()),
            metric: Some("system.load_1".to_owned()),
            figures: Figures {
                threshold: Some(threshold),
                ..Figures::of(words::round(load))
            },
            ..PRESSURE.finding("", Severity::Warn, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Intervals;
    use crate::memory::Memory;
    use schema::micros::SECOND;

    const NOW: i64 = 1_800_000_000 * SECOND;
    const INTERVALS: Intervals = Intervals {
        host: 10 * SECOND,
        services: 10 * SECOND,
    };

    fn rows(secs: i64, load: f64, cores: i32, (ms, buffers): (f64, i64)) -> [Row; 2] {
        let at = Timestamp(NOW + secs * SECOND);
        let server = DbSample {
            instance: "store".to_owned(),
            epoch: "1".to_owned(),
            checkpoint_write_ms_total: Some(ms),
            buffers_backend: Some(buffers),
            ..DbSample::default()
        };
        let host = SystemSample {
            load_1: Some(load),
            cpu_count: Some(cores),
            ..SystemSample::default()
        };
        [server.into_row(at), host.into_row(at)]
    }

    fn evaluate(judge: &mut IoPressureJudge, memory: &mut Memory, rows: &[Row]) -> Vec<Finding> {
        let facts = TickFacts {
            memory,
            rows: &[rows],
            intervals: INTERVALS,
        };
        let lifecycle = Lifecycle::new(IoPressureJudge::rules());
        judge.evaluate(facts, &lifecycle, rows[0].ts).found
    }

    #[test]
    fn a_high_load_with_writes_is_pressure() {
        for (load, cores, step, expected) in [
            (8.1, 2, (0.0, 101), true),
            (8.1, 2, (1001.0, 0), true),
            (8.0, 2, (5000.0, 500), false),
            // Two for each core.
            (30.0, 16, (5000.0, 500), false),
            (33.0, 16, (5000.0, 500), true),
            // The load comes from computation.
            (50.0, 2, (900.0, 100), false),
        ] {
            let mut judge = IoPressureJudge::default();
            let mut memory = Memory::new(INTERVALS).unwrap();
            // Counters since the start of the server say nothing.
            assert_eq!(
                evaluate(
                    &mut judge,
                    &mut memory,
                    &rows(0, load, cores, (1e6, 1_000_000))
                ),
                []
            );
            let next = rows(10, load, cores, (1e6 + step.0, 1_000_000 + step.1));
            let found = evaluate(&mut judge, &mut memory, &next);
            assert_eq!(
                found.len(),
                usize::from(expected),
                "{load} {cores} {step:?}"
            );
            // Five minutes later what was written is past.
            let later = rows(311, load, cores, (1e6 + step.0, 1_000_000 + step.1));
            assert_eq!(evaluate(&mut judge, &mut memory, &later), []);
        }
    }

    #[test]
    fn the_message_has_both_figures() {
        let mut judge = IoPressureJudge::default();
        let mut memory = Memory::new(INTERVALS).unwrap();
        evaluate(&mut judge, &mut memory, &rows(0, 12.5, 2, (0.0, 0)));
        let found = evaluate(&mut judge, &mut memory, &rows(10, 12.5, 2, (9000.0, 1200)));
        assert_eq!(
            found[0].message,
            "Load is 12.5 while store writes: 9 s of checkpoints and 1200 buffers by sessions within 5 min"
        );
        assert_eq!(found[0].figures.threshold, Some(8.0));
    }
}
