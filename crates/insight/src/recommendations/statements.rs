//! Statements that are slow, or whose sorts and hashes do not fit into memory.
//!
//! Judged at each slow tick over about the last hour, and only if a statement ran often enough for its mean to mean something. The
//! text of a statement is known once its agent has stored it; secrets were removed before.

use super::decay::Decaying;
use crate::judge::{Judge, TickFacts};
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::memory::fields::{Column, Fields};
use crate::quoting::identifier;
use crate::rule::{Life, NoData, Rule};
use schema::finding::{Figures, Kind};
use schema::tables::{DbSample, StatementSample, StatementStore, StatementText, SystemSample};
use schema::{Better, Every, Finding, Levels, Sample, Severity, Timestamp, Unit};
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// A statement takes long on average.
const SLOW: Rule = rule("statement_slow", "Statement is slow on average");
/// A statement writes temporary files.
const SPILLS: Rule = rule("statement_spills", "Statement writes temporary files");

/// The rules of this judge.
const RULES: &[Rule] = &[SLOW, SPILLS];

const fn rule(id: &'static str, title: &'static str) -> Rule {
    Rule {
        id,
        kind: Kind::Recommendation,
        domain: "statement",
        title,
        // Three slow ticks: a first run with a cold cache is slow once.
        life: Life::sampled(900).no_data(NoData::Keep),
        because: &["db.up"],
    }
}

/// The span that is judged, seconds.
const SPAN_SECS: f64 = 3600.0;
/// Mean execution time, milliseconds: the reference's figures.
const MEAN_MS: Levels = Levels {
    info: Some(500.0),
    warn: Some(2000.0),
    critical: None,
};
/// Calls an hour without which a mean is that of a report or a backup. Own choice.
const LEAST_CALLS: f64 = 10.0;
/// Blocks of temporary files an hour: the reference's figure, 78 MiB.
const SPILLED_BLOCKS: f64 = 10_000.0;
/// Bytes of a block, unless PostgreSQL was built otherwise.
const BLOCK: f64 = 8192.0;
/// What a sort or hash needs in memory for each byte that it writes to a file, where rows have no headers and pointers. Own
/// choice, on the safe side: PostgreSQL states only that it is more.
const IN_MEMORY: f64 = 2.0;
/// The part of the memory of the host that the sessions may take together for sorts and hashes; as much again is the usual
/// shared_buffers. Own choice.
const FOR_SORTS: f64 = 0.25;
/// Least and greatest work_mem that is suggested, MiB: twice the default, and what the plans of a common server bear. Where memory
/// or connections are not known, at most `UNKNOWN_MOST`.
const WORK_MEM: (f64, f64) = (8.0, 1024.0);
const UNKNOWN_MOST: f64 = 64.0;
/// Seconds that must be covered: two slow ticks.
const LEAST_COVERED: f64 = 500.0;
/// Most findings of a rule and server, the worst first.
const MOST: usize = 20;
/// A statement that has lost this share of its calls is forgotten.
const FORGOTTEN_CALLS: f64 = 0.01;
/// Characters of a text that are kept.
const TEXT: usize = 160;
/// Most texts that are kept; further ones are told by their number.
const MOST_TEXTS: usize = 5000;

const INSTANCE: Column = Column::of::<StatementSample>("instance");
const DATABASE: Column = Column::of::<StatementSample>("database");
const ROLE: Column = Column::of::<StatementSample>("role");
const QUERYID: Column = Column::of::<StatementSample>("queryid");
const CALLS: Column = Column::of::<StatementSample>("calls");
const EXEC_MS: Column = Column::of::<StatementSample>("exec_ms");
const SPILLED: Column = Column::of::<StatementSample>("temp_blks_written");

/// A statement of a server, in one database.
#[derive(Debug, Default)]
struct Statement {
    /// The role that ran it last.
    role: Box<str>,
    /// Calls, milliseconds, blocks.
    ran: Decaying<3>,
}

/// The statements of a server.
#[derive(Debug, Default)]
struct Server {
    judged: Option<Timestamp>,
    /// By database and identifier.
    statements: HashMap<(Box<str>, i64), Statement>,
}

/// Judges statements.
#[derive(Debug, Default)]
pub struct StatementJudge {
    servers: HashMap<Box<str>, Server>,
    /// By server and identifier.
    texts: HashMap<(Box<str>, i64), Box<str>>,
    /// Memory of the host, bytes.
    memory: Option<f64>,
    /// By server its greatest number of connections.
    connections: HashMap<Box<str>, f64>,
}

impl Judge for StatementJudge {
    type Facts<'a> = TickFacts<'a>;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        RULES.iter()
    }

    fn evaluate(&mut self, facts: TickFacts<'_>, open: &Lifecycle, at: Timestamp) -> Evaluation {
        self.note_texts(&facts);
        self.note_room(&facts);
        let judged = self.take(&facts);
        let mut evaluation = Evaluation::default();
        let has_open = RULES
            .iter()
            .any(|rule| open.targets(rule.id).next().is_some());
        if judged.is_empty() && !has_open {
            return evaluation;
        }
        let fresh = &facts.memory.freshness;
        let every = Every::Slow.micros(facts.intervals.services);
        for rule in RULES {
            evaluation.rules.push(rule);
            for target in open.targets(rule.id) {
                let instance = target.split('.').next().unwrap_or_default();
                if judged.contains(instance) {
                    continue;
                }
                let key = (rule.id, target.to_owned());
                if fresh.is_silent(StatementStore::TABLE, instance, every, at) {
                    evaluation.absent.push(key);
                } else {
                    evaluation.unchanged.push(key);
                }
            }
        }
        for instance in judged {
            if let Some(server) = self.servers.get(instance) {
                evaluation.found.extend(self.found(instance, server));
            }
        }
        evaluation
    }
}

impl StatementJudge {
    /// Notes what bounds the memory of a session.
    fn note_room(&mut self, facts: &TickFacts<'_>) {
        for row in facts.rows_of(SystemSample::TABLE) {
            self.memory = Fields(row).number("mem_total").or(self.memory);
        }
        for row in facts.rows_of(DbSample::TABLE) {
            let fields = Fields(row);
            if let Some(most) = fields.number("conn_max") {
                self.connections
                    .insert(fields.text("instance").into(), most);
            }
        }
    }

    fn note_texts(&mut self, facts: &TickFacts<'_>) {
        for row in facts.rows_of(StatementText::TABLE) {
            let fields = Fields(row);
            let Some(id) = fields.int("queryid") else {
                continue;
            };
            let key = (fields.text("instance").into(), id);
            if self.texts.len() < MOST_TEXTS || self.texts.contains_key(&key) {
                let text = fields.text("query").split_whitespace();
                let text = text.collect::<Vec<_>>().join(" ");
                self.texts.insert(key, words::cut(&text, TEXT).into());
            }
        }
    }

    /// Adds what ran since the slow tick before, and returns the servers that had one now.
    fn take<'a>(&mut self, facts: &TickFacts<'a>) -> HashSet<&'a str> {
        let mut judged = HashSet::new();
        for row in facts.rows_of(StatementStore::TABLE) {
            let instance = Fields(row).text("instance");
            let server = self.servers.entry(instance.into()).or_default();
            let before = server.judged.replace(row.ts);
            #[expect(clippy::cast_precision_loss, reason = "a span of time")]
            let secs = before.map_or(0.0, |before| {
                (row.ts.as_micros() - before.as_micros()) as f64 / 1e6
            });
            for one in server.statements.values_mut() {
                one.ran.add(secs.max(0.0), [0.0; 3], SPAN_SECS);
            }
            judged.insert(instance);
        }
        if judged.is_empty() {
            return judged;
        }
        for row in facts.rows_of(StatementSample::TABLE) {
            let fields = Fields(row);
            let Some(server) = self.servers.get_mut(fields.text(INSTANCE)) else {
                continue;
            };
            let Some(id) = fields.int(QUERYID) else {
                continue;
            };
            let key = (fields.text(DATABASE).into(), id);
            let covers = fields.number("interval_secs").unwrap_or_default();
            let one = server.statements.entry(key).or_insert_with(|| Statement {
                ran: Decaying {
                    covered: covers,
                    ..Decaying::default()
                },
                ..Statement::default()
            });
            if *one.role != *fields.text(ROLE) {
                one.role = fields.text(ROLE).into();
            }
            let ran =
                [CALLS, EXEC_MS, SPILLED].map(|column| fields.number(column).unwrap_or_default());
            one.ran.add(0.0, ran, SPAN_SECS);
        }
        for server in self.servers.values_mut() {
            server
                .statements
                .retain(|_, one| one.ran.sums[0] >= FORGOTTEN_CALLS);
        }
        judged
    }

    fn found(&self, instance: &str, server: &Server) -> Vec<Finding> {
        let mut slow = Vec::new();
        let mut spills = Vec::new();
        for ((database, id), one) in &server.statements {
            if one.ran.covered < LEAST_COVERED {
                continue;
            }
            let per_hour = |nth| one.ran.per_second(nth).unwrap_or_default() * 3600.0;
            let subject = Subject {
                instance,
                database,
                id: *id,
                text: self.texts.get(&(instance.into(), *id)).map(|text| &**text),
            };
            let [calls, exec_ms, _] = one.ran.sums;
            let mean = exec_ms / calls;
            if let Some((severity, threshold)) = MEAN_MS.reached(Better::Lower, mean)
                && per_hour(0) >= LEAST_CALLS
            {
                slow.push((
                    mean * per_hour(0),
                    subject.slow(severity, threshold, mean, per_hour(0)),
                ));
            }
            if per_hour(2) > SPILLED_BLOCKS {
                let per_call = one.ran.sums[2] * BLOCK / calls;
                let most = most_work_mem(self.memory, self.connections.get(instance).copied());
                let room = WorkMem::of(per_call, most);
                spills.push((per_hour(2), subject.spills(per_hour(2), room, &one.role)));
            }
        }
        let mut found = Vec::new();
        for mut of_rule in [slow, spills] {
            of_rule.sort_by(|(a, _), (b, _)| b.total_cmp(a));
            found.extend(of_rule.into_iter().take(MOST).map(|(_, finding)| finding));
        }
        found
    }
}

/// Returns the greatest work_mem that a server bears, MiB: each of its sessions may take as much.
fn most_work_mem(memory: Option<f64>, connections: Option<f64>) -> f64 {
    let known = memory.zip(connections.filter(|most| *most >= 1.0));
    let most = known.map_or(UNKNOWN_MOST, |(memory, connections)| {
        let each = FOR_SORTS * memory / connections / 1_048_576.0;
        // The power of two below.
        each.max(1.0).log2().floor().exp2()
    });
    most.clamp(WORK_MEM.0, WORK_MEM.1)
}

/// The work_mem that a statement needs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct WorkMem {
    /// What is suggested, MiB.
    mib: f64,
    /// What it writes to temporary files at a call, bytes.
    written: f64,
    /// Whether that is enough to do without files.
    is_enough: bool,
}

impl WorkMem {
    /// Returns that of a statement that writes so many bytes to temporary files at each call, of a server that bears `most` MiB.
    fn of(written: f64, most: f64) -> Self {
        let needed = (IN_MEMORY * written / 1_048_576.0).max(WORK_MEM.0);
        let needed = needed.log2().ceil().exp2();
        Self {
            mib: needed.min(most),
            written,
            is_enough: needed <= most,
        }
    }
}

/// A statement that a finding is about.
#[derive(Clone, Copy)]
struct Subject<'a> {
    instance: &'a str,
    database: &'a str,
    id: i64,
    text: Option<&'a str>,
}

impl Subject<'_> {
    fn finding(self, rule: &Rule, severity: Severity, says: &str) -> Finding {
        let database = words::cut(self.database, 60);
        let text = self
            .text
            .map_or_else(String::new, |text| format!(": {text}"));
        let message = format!(
            "Statement {} in database {database} of {} {says}{text}",
            self.id,
            words::cut(self.instance, 60)
        );
        Finding {
            details: self.text.map(|text| json!({"statement": text}).to_string()),
            ..rule.finding(
                &format!("{}.{}.{}", self.instance, self.database, self.id),
                severity,
                message,
            )
        }
    }

    fn slow(self, severity: Severity, threshold: f64, mean: f64, calls: f64) -> Finding {
        let says = format!(
            "takes {} on average, {} times an hour",
            words::value(words::round(mean), Unit::Ms),
            words::value(calls.round(), Unit::Count)
        );
        Finding {
            steps: vec![
                "Open it under Queries: whether it reads, waits or computes decides what helps.".to_owned(),
                "Read its plan with its usual parameters: `EXPLAIN (ANALYZE, BUFFERS)`; look for rows removed by a filter, which an index would not read.".to_owned(),
            ],
            figures: Figures {
                threshold: Some(threshold),
                ..Figures::of(words::round(mean))
            },
            ..self.finding(&SLOW, severity, &says)
        }
    }

    fn spills(self, blocks: f64, room: WorkMem, role: &str) -> Finding {
        let says = format!(
            "writes {} blocks of temporary files an hour, {} at a call",
            words::value(blocks.round(), Unit::Count),
            words::value(room.written.round(), Unit::Bytes)
        );
        let is_plain = !role.is_empty() && !role.chars().any(char::is_control);
        let suffices = match room.is_enough {
            true => {
                "Each sort and hash of each session may take as much. For the role that runs it:"
            }
            false => {
                "With all connections more than this would take more than a quarter of the memory, so it will write less, not \
                 nothing. For the role that runs it:"
            }
        };
        Finding {
            steps: vec![
                "Its sorts and hashes need more than work_mem: see with `EXPLAIN (ANALYZE)` how much, and whether an index saves the sort.".to_owned(),
                suffices.to_owned(),
            ],
            action_sql: is_plain.then(|| {
                format!("ALTER ROLE {} SET work_mem = '{}MB';", identifier(role), room.mib)
            }),
            figures: Figures {
                threshold: Some(SPILLED_BLOCKS),
                ..Figures::of(words::round(blocks))
            },
            ..self.finding(&SPILLS, Severity::Info, &says)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommendations::tests::{Host, at};
    use schema::Row;
    use schema::micros::MINUTE;

    fn store(minute: i64) -> Row {
        StatementStore {
            instance: "store".to_owned(),
            ..StatementStore::default()
        }
        .into_row(at(minute * MINUTE))
    }

    fn ran(minute: i64, queryid: i64, calls: i64, exec_ms: f64, spilled: i64) -> Row {
        StatementSample {
            instance: "store".to_owned(),
            database: "shop".to_owned(),
            role: "app\"x".to_owned(),
            queryid,
            interval_secs: 300.0,
            calls,
            exec_ms,
            temp_blks_written: spilled,
            ..StatementSample::default()
        }
        .into_row(at(minute * MINUTE))
    }

    fn text(minute: i64) -> Row {
        StatementText {
            instance: "store".to_owned(),
            queryid: 1,
            query: "SELECT *\n  FROM orders WHERE note LIKE $1".to_owned(),
            ..StatementText::default()
        }
        .into_row(at(minute * MINUTE))
    }

    #[test]
    fn work_mem_follows_from_what_is_written_and_is_bounded_by_memory() {
        const MIB: f64 = 1_048_576.0;
        for (written, memory, connections, expected) in [
            // 1.6 MiB in a file fit into twice the default.
            (1.6, Some(24_576.0), Some(100.0), (8.0, true)),
            (10.0, Some(24_576.0), Some(100.0), (32.0, true)),
            // A quarter of 24 GiB is 61 MiB for each of 100 sessions.
            (300.0, Some(24_576.0), Some(100.0), (32.0, false)),
            (300.0, Some(262_144.0), Some(100.0), (512.0, false)),
            (200.0, Some(262_144.0), Some(100.0), (512.0, true)),
            (9000.0, Some(1e9), Some(10.0), (1024.0, false)),
            // A small host bears twice the default.
            (300.0, Some(1024.0), Some(500.0), (8.0, false)),
            // Nothing is known of a server that has not answered yet.
            (300.0, None, None, (64.0, false)),
        ] {
            let most = most_work_mem(memory.map(|mib: f64| mib * MIB), connections);
            let found = WorkMem::of(written * MIB, most);
            assert_eq!(
                (found.mib, found.is_enough),
                expected,
                "{written} {memory:?}"
            );
        }
    }

    #[test]
    fn slow_and_spilling_statements_are_told_and_end_when_they_do_not_run() {
        let mut host = Host::<StatementJudge>::default();
        for minute in (0..=60).step_by(5) {
            host.tick([
                text(minute),
                store(minute),
                ran(minute, 1, 10, 7000.0, 0),
                ran(minute, 2, 10, 100.0, 2000),
                // A report that runs once in a while, and a statement that is fast.
                ran(minute, 3, i64::from(minute == 30), 60_000.0, 0),
                ran(minute, 4, 1000, 1000.0, 1),
            ]);
        }
        let confirmed = |rule: &str| {
            let mut open = host.findings.confirmed();
            open.find(|(one, _)| one.rule == rule)
                .map(|(one, _)| one.clone())
        };
        let slow = confirmed("statement_slow").unwrap();
        assert_eq!(slow.target, "store.shop.1");
        assert_eq!(
            slow.message,
            "Statement 1 in database shop of store takes 700 ms on average, 120 times an hour: SELECT * FROM orders WHERE note LIKE $1"
        );
        let spills = confirmed("statement_spills").unwrap();
        assert_eq!(spills.target, "store.shop.2");
        assert_eq!(
            spills.action_sql.as_deref(),
            Some("ALTER ROLE \"app\"\"x\" SET work_mem = '8MB';")
        );
        assert!(
            spills.message.contains("an hour, 1.6 MiB at a call"),
            "{}",
            spills.message
        );
        assert_eq!(host.findings.confirmed().count(), 2, "{:?}", host.steps);
        // Between two slow ticks nothing changes.
        host.tick([]);
        assert_eq!(host.findings.confirmed().count(), 2);
        for minute in (65..400).step_by(5) {
            host.tick([store(minute)]);
        }
        assert_eq!(host.findings.confirmed().count(), 0, "{:?}", host.steps);
    }
}
