//! Log lines that are read and cannot be stored. All sources share a session, so they wait together, for one cause.

use crate::judge::{Judge, TickFacts};
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::memory::fields::Fields;
use crate::rule::{Life, Rule};
use schema::finding::{Figures, Kind};
use schema::tables::{LogSource, SystemSample};
use schema::{Finding, Sample, Severity, Timestamp};

/// Lines of logs cannot be stored.
pub const BLOCKED: Rule = Rule {
    id: "logs_blocked",
    kind: Kind::Alert,
    domain: "log",
    title: "Log lines cannot be stored",
    // A session that ends is followed by one that succeeds within seconds.
    life: Life::sampled(30),
    because: &["collector.db_healthy"],
};

/// The status of a source whose lines cannot be stored.
const STATUS: &str = "blocked";
/// Longest cause, characters.
const LONGEST: usize = 400;

/// Judges whether log lines are stored.
#[derive(Clone, Copy, Debug, Default)]
pub struct StoringJudge;

impl Judge for StoringJudge {
    type Facts<'a> = TickFacts<'a>;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        [&BLOCKED].into_iter()
    }

    /// The rows of all sources come with those of the host; without any, none is read.
    fn evaluate(&mut self, facts: TickFacts<'_>, _: &Lifecycle, _: Timestamp) -> Evaluation {
        let rows = || facts.rows.iter().copied().flatten();
        if !rows().any(|row| row.table.name == SystemSample::TABLE.name) {
            return Evaluation::default();
        }
        let mut sources = 0;
        let mut cause = "";
        for row in rows().filter(|row| row.table.name == LogSource::TABLE.name) {
            let fields = Fields(row);
            if fields.text("status") == STATUS {
                sources += 1;
                cause = fields.text("error");
            }
        }
        Evaluation {
            rules: vec![&BLOCKED],
            found: Vec::from_iter((sources > 0).then(|| blocked(sources, cause))),
            ..Evaluation::default()
        }
    }
}

fn blocked(sources: u32, cause: &str) -> Finding {
    let logs = words::counted(sources as usize, "log");
    Finding {
        figures: Figures::of(f64::from(sources)),
        details: (!cause.is_empty())
            .then(|| serde_json::json!({"cause": words::cut(cause, LONGEST)}).to_string()),
        steps: vec!["Their lines wait in the logs; see why in the collector's own:".to_owned()],
        command: Some("journalctl -u pqcrypta-collector -n 50".to_owned()),
        ..BLOCKED.finding(
            "",
            Severity::Warn,
            format!("Lines of {logs} cannot be stored"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Intervals;
    use crate::memory::Memory;
    use schema::Row;
    use schema::micros::SECOND;

    const INTERVALS: Intervals = Intervals {
        host: 10 * SECOND,
        services: 10 * SECOND,
    };

    fn source(name: &str, status: &str, ts: Timestamp) -> Row {
        LogSource {
            source: name.to_owned(),
            status: status.to_owned(),
            error: (status == STATUS).then(|| "permission denied for table log_entries".to_owned()),
            ..LogSource::default()
        }
        .into_row(ts)
    }

    #[test]
    fn sources_that_wait_together_are_one_finding_with_its_cause() {
        let mut memory = Memory::new(INTERVALS).unwrap();
        let mut lifecycle = Lifecycle::new(StoringJudge::rules());
        let mut tick = |secs: i64, statuses: &[&str], has_host: bool| -> Vec<(String, String)> {
            let at = Timestamp(1_800_000_000 * SECOND + secs * SECOND);
            let mut rows: Vec<Row> = statuses
                .iter()
                .enumerate()
                .map(|(n, status)| source(&format!("log{n}"), status, at))
                .collect();
            rows.extend(has_host.then(|| SystemSample::default().into_row(at)));
            let facts = TickFacts {
                memory: &mut memory,
                rows: &[&rows],
                intervals: INTERVALS,
            };
            let evaluation = StoringJudge.evaluate(facts, &lifecycle, at);
            let told = lifecycle.reconcile(evaluation, at).into_iter();
            told.map(|(_, row)| (row.transition, row.message)).collect()
        };
        let words = |told: &[(String, String)]| -> Vec<String> {
            told.iter().map(|(word, _)| word.clone()).collect()
        };
        assert_eq!(tick(0, &["ok", "limited"], true), []);
        let opened = tick(10, &["blocked", "blocked"], true);
        assert_eq!(opened[0].1, "Lines of 2 logs cannot be stored");
        assert_eq!(words(&opened), ["opened"]);
        // Rows of services say nothing about logs.
        assert_eq!(tick(20, &[], false), []);
        assert_eq!(words(&tick(40, &["blocked"], true)), ["confirmed"]);
        assert_eq!(tick(50, &["ok"], true), []);
        assert_eq!(
            words(&tick(60, &[], true)),
            ["resolved"],
            "no log is read any more"
        );
    }
}
