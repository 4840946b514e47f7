//! What delivers the samples: collectors that fail, sources that are silent, statistics that cannot be read, records that
//! were lost or rejected, and the collector's own pauses and crashes.

use crate::judge::{Judge, TickFacts};
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::memory::fields::Fields;
use crate::rule::{Life, NoData, Rule};
use schema::finding::{Figures, Kind};
use schema::micros::SECOND;
use schema::tables::{
    CollectorRun, DbSample, ProcessSample, SelfSample, SystemSample, TargetSample, VisibilityGap,
};
use schema::{Finding, Row, RunOutcome, Sample, Severity, TableDef, Timestamp};
use std::collections::{BTreeMap, HashMap, VecDeque};
use store::crowding::Crowding;

mod crowding;

pub use crowding::CROWDED;
use crowding::crowded;

const fn rule(id: &'static str, domain: &'static str, title: &'static str, life: Life) -> Rule {
    Rule {
        id,
        kind: Kind::Alert,
        domain,
        title,
        life,
        because: &[],
    }
}

/// A collector failed several times in a row.
pub const FAILED: Rule = Rule {
    because: &["no_data", "db.up", "target.up"],
    ..rule(
        "collector_failed",
        "collector",
        "A collector fails",
        Life {
            clear_evaluations: 1,
            ..Life::sampled(0)
        },
    )
};
/// What delivered is silent.
pub const NO_DATA: Rule = rule(
    "no_data",
    "collector",
    "No data",
    Life::sampled(0).no_data(NoData::Keep),
);
/// The collector did not run for a while although it was not stopped.
pub const STALLED: Rule = rule(
    "collector_stalled",
    "collector",
    "The collector stood still",
    Life {
        clear_evaluations: 1,
        ..Life::counted(0)
    },
);
/// The collector's run before this one ended without being stopped.
pub const CRASHED: Rule = Rule {
    id: "collector_crashed",
    title: "The collector crashed",
    ..STALLED
};
/// Records are lost for good.
pub const LOST: Rule = rule(
    "data_lost",
    "collector",
    "Data lost",
    Life::counted(LOSS_SECS),
);
/// The database refused the content of rows.
pub const REJECTED: Rule = rule(
    "rows_rejected",
    "collector",
    "Rows rejected by the database",
    Life::counted(LOSS_SECS),
);
/// Statistics of a PostgreSQL server cannot be read.
pub const VISIBILITY: Rule = Rule {
    because: &["db.up"],
    ..rule(
        "db_visibility",
        "db",
        "Statistics cannot be read",
        Life::sampled(0),
    )
};

/// The rules of this judge.
pub const RULES: &[Rule] = &[
    FAILED, NO_DATA, STALLED, CRASHED, LOST, REJECTED, VISIBILITY, CROWDED,
];

/// A loss is reported for an hour: it is past, and somebody should see it.
const LOSS_SECS: u32 = 3600;

/// Runs in a row that must fail: one may be chance, as with a query that met a lock.
const FAILED_RUNS: u32 = 3;
/// The collector stood still when two ticks are further apart than so many intervals …
const STALLED_INTERVALS: i64 = 3;
/// … and than this. A tick may be late on a busy host.
const STALLED_LEAST: i64 = 30 * SECOND;
/// Longest remedy, characters.
const LONGEST: usize = 400;

/// Tables that every tick of their source has rows of, how the source is called, and whether it is a service.
const SOURCES: [(&TableDef, &str, &str, bool); 4] = [
    (SystemSample::TABLE, "host", "the host", false),
    (ProcessSample::TABLE, "processes", "processes", false),
    (DbSample::TABLE, "db", "PostgreSQL", true),
    (TargetSample::TABLE, "target", "target", true),
];

/// The states of a gap that are a fault; statistics that are off or not installed are a choice.
const FAULTS: [&str; 3] = ["denied", "failed", "unreachable"];
/// Families that need grants beyond those of a monitoring role, and without which no other figure is too good.
const OPTIONAL: [&str; 10] = [
    "archive_pending",
    "checkpoint_pressure",
    "cluster",
    "index_bloat_exact",
    "sequences",
    "sizes",
    "table_bloat",
    "table_bloat_exact",
    "temp_dir",
    "wal_dir",
];

/// Runs of a collector that failed in a row.
#[derive(Debug, Default)]
struct Failures {
    runs: u32,
    since: Timestamp,
    error: String,
}

/// Events that the collector counts since its start, as those of the last hour.
#[derive(Debug, Default)]
struct Losses {
    total: i64,
    /// When the total was read last.
    read_at: Option<Timestamp>,
    /// Begin and end of the interval in which the total rose, and by how much.
    steps: VecDeque<(Timestamp, Timestamp, i64)>,
}

/// Judges what delivers.
#[derive(Debug, Default)]
pub struct DeliveryJudge {
    /// When the run before this one wrote last, which ended without being stopped; until it is reported.
    crashed: Option<Timestamp>,
    lost: Losses,
    rejected: Losses,
    failures: BTreeMap<String, Failures>,
    /// The newest tick of the host.
    ticked: Option<Timestamp>,
    /// By server and database or family: the newest gap, as of the server's newest row.
    gaps: HashMap<String, (Timestamp, Vec<Gap>)>,
    /// Sessions that the database has no room for now.
    crowding: Crowding,
}

/// Statistics that cannot be read.
#[derive(Debug)]
struct Gap {
    label: String,
    remedy: String,
    ts: Timestamp,
}

impl Judge for DeliveryJudge {
    type Facts<'a> = TickFacts<'a>;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        RULES.iter()
    }

    fn evaluate(&mut self, facts: TickFacts<'_>, _: &Lifecycle, at: Timestamp) -> Evaluation {
        let mut evaluation = Evaluation::default();
        let rows = || facts.rows.iter().copied().flatten();
        let of = |table: &'static TableDef| move |row: &&Row| row.table.name == table.name;
        let mut has_runs = false;
        for row in rows().filter(of(CollectorRun::TABLE)) {
            self.note_run(row);
            has_runs = true;
        }
        if has_runs {
            evaluation.rules.push(&FAILED);
            evaluation
                .found
                .extend(self.failures.iter().filter_map(failed));
        }
        if let Some(row) = rows().find(of(SelfSample::TABLE)) {
            evaluation.rules.extend([&LOST, &REJECTED]);
            let fields = Fields(row);
            evaluation.found.extend(lost(
                self.lost.count(fields.int("lost_records_total"), row.ts),
            ));
            evaluation.found.extend(rejected(
                self.rejected
                    .count(fields.int("dead_letters_total"), row.ts),
            ));
        }
        if let Some(row) = rows().find(of(SystemSample::TABLE)) {
            evaluation.rules.extend([&STALLED, &CRASHED, &CROWDED]);
            evaluation.found.extend(crowded(&self.crowding));
            let last = self.crashed.take();
            evaluation
                .found
                .extend(last.map(|last| crashed(last, row.ts)));
            let before = self.ticked.replace(row.ts);
            evaluation
                .found
                .extend(before.and_then(|before| stalled(before, row.ts, facts.intervals.host)));
        }
        let mut has_server = false;
        for row in rows() {
            if row.table.name == VisibilityGap::TABLE.name {
                self.note_gap(row);
            } else if row.table.name == DbSample::TABLE.name {
                has_server = true;
            }
        }
        if has_server {
            evaluation.rules.push(&VISIBILITY);
            self.drop_old_gaps(at, facts.intervals.services);
            evaluation
                .found
                .extend(self.gaps.iter().filter_map(unreadable));
        }
        evaluation.rules.push(&NO_DATA);
        for (table, name, words, is_of_service) in SOURCES {
            let interval = facts.intervals.of(is_of_service);
            let silent = facts.memory.freshness.silent(table, interval, at);
            evaluation
                .found
                .extend(silent.map(|(owner, newest)| no_data(name, words, owner, newest)));
        }
        evaluation
    }
}

impl Losses {
    /// Takes the total and returns how many there were in the last hour, and within which time. The first total counts
    /// from 0: what was found to be lost at the start was lost since the last run.
    fn count(&mut self, total: Option<i64>, ts: Timestamp) -> Option<(i64, Timestamp, Timestamp)> {
        if let Some(total) = total {
            let step = total - self.total;
            if step > 0 {
                let from = self.read_at.unwrap_or(ts);
                self.steps.push_back((from, ts, step));
            }
            self.total = total;
            self.read_at = Some(ts);
        }
        let from = ts.as_micros() - i64::from(LOSS_SECS) * SECOND;
        self.steps.retain(|(_, to, _)| to.as_micros() > from);
        let (first, last) = (self.steps.front()?, self.steps.back()?);
        let sum = self.steps.iter().map(|(.., step)| step).sum();
        Some((sum, first.0, last.1))
    }
}

impl DeliveryJudge {
    /// Notes that the run before this one ended without being stopped; `last` is when it wrote last.
    pub(crate) fn note_crash(&mut self, last: Timestamp) {
        self.crashed = Some(last);
    }

    /// Takes the sessions that the database has no room for now.
    pub(crate) fn note_crowding(&mut self, crowding: Crowding) {
        self.crowding = crowding;
    }

    fn note_run(&mut self, row: &Row) {
        let fields = Fields(row);
        let name = fields.text("collector").to_owned();
        let is_good = [RunOutcome::Failed, RunOutcome::Timeout]
            .iter()
            .all(|bad| bad.as_str() != fields.text("outcome"));
        if is_good {
            self.failures.remove(&name);
            return;
        }
        let failures = self.failures.entry(name).or_default();
        if failures.runs == 0 {
            failures.since = row.ts;
        }
        failures.runs = failures.runs.saturating_add(1);
        fields.text("error").clone_into(&mut failures.error);
    }

    fn note_gap(&mut self, row: &Row) {
        let fields = Fields(row);
        let (family, database) = (fields.text("family"), fields.text("database"));
        // A server that cannot be reached at all has a finding of its own.
        let is_down = fields.text("state") == "unreachable" && database.is_empty();
        let is_extra = fields.text("state") == "denied" && OPTIONAL.contains(&family);
        if is_down || is_extra || !FAULTS.contains(&fields.text("state")) {
            return;
        }
        let label = match database {
            "" => family.to_owned(),
            database => format!("{family} of {database}"),
        };
        let (newest, gaps) = self
            .gaps
            .entry(fields.text("instance").to_owned())
            .or_default();
        *newest = row.ts.max(*newest);
        gaps.retain(|gap| gap.label != label);
        gaps.push(Gap {
            label,
            remedy: fields.text("remedy").to_owned(),
            ts: row.ts,
        });
    }

    /// Forgets gaps that were not reported again: those of slow ticks come every few minutes.
    fn drop_old_gaps(&mut self, at: Timestamp, interval: i64) {
        let patience = 2 * schema::Every::Slow.micros(interval);
        for (_, gaps) in self.gaps.values_mut() {
            gaps.retain(|gap| at.as_micros() - gap.ts.as_micros() <= patience);
        }
        self.gaps.retain(|_, (_, gaps)| !gaps.is_empty());
    }
}

/// Returns what a collector's failure is about: of `postgres_slow shop` it is `shop.postgres_slow`, a part of the server,
/// so that one that is down explains it. The runs of the only server, which is called `store`, go without its name.
fn subject(collector: &str) -> String {
    match collector.split_once(' ') {
        Some((kind, service)) => format!("{service}.{kind}"),
        None if collector.starts_with("postgres") => format!("store.{collector}"),
        None => collector.to_owned(),
    }
}

fn failed((name, failures): (&String, &Failures)) -> Option<Finding> {
    if failures.runs < FAILED_RUNS {
        return None;
    }
    let mut finding = FAILED.finding(
        &subject(name),
        Severity::Warn,
        format!(
            "Collector {name} has failed {} times in a row",
            failures.runs
        ),
    );
    finding.since = Some(failures.since);
    finding.steps = vec!["The Collector view lists its runs; see the collector's log:".to_owned()];
    finding.command = Some("journalctl -u pqcrypta-collector -n 50".to_owned());
    finding.details = (!failures.error.is_empty())
        .then(|| serde_json::json!({"cause": words::cut(&failures.error, LONGEST)}).to_string());
    Some(finding)
}

fn crashed(last: Timestamp, ts: Timestamp) -> Finding {
    let message = format!(
        "The collector ended without being stopped and took no samples for {}",
        span(last, ts)
    );
    let mut finding = CRASHED.finding("", Severity::Warn, message);
    finding.span = Some((last.min(ts), ts));
    finding.steps = vec![
        "It crashed, was killed, perhaps for lack of memory, or the host went down. See its last lines:"
            .to_owned(),
    ];
    finding.command = Some("journalctl -u pqcrypta-collector -n 100".to_owned());
    finding
}

fn lost(losses: Option<(i64, Timestamp, Timestamp)>) -> Option<Finding> {
    let (count, first, last) = losses?;
    let message = format!(
        "{} lost {}",
        words::counted(count, "record"),
        words::within((first, last))
    );
    let mut finding = LOST.finding("", Severity::Warn, message);
    finding.figures = Figures::of(exact(count));
    finding.span = Some((first, last));
    finding.steps =
        vec!["The Collector view lists time range and reason of each gap in the data.".to_owned()];
    Some(finding)
}

fn rejected(losses: Option<(i64, Timestamp, Timestamp)>) -> Option<Finding> {
    let (count, first, last) = losses?;
    let message = format!(
        "The database rejected {} {}",
        words::counted(count, "row"),
        words::within((first, last))
    );
    let mut finding = REJECTED.finding("", Severity::Warn, message);
    finding.figures = Figures::of(exact(count));
    finding.span = Some((first, last));
    finding.steps =
        vec!["The Collector view lists each row with its error under Dead letters.".to_owned()];
    Some(finding)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn exact(count: i64) -> f64 {
    count as f64
}

/// Formats the time between two instants.
#[expect(
    clippy::cast_precision_loss,
    reason = "spans of time are far below 2^53 µs"
)]
fn span(from: Timestamp, to: Timestamp) -> String {
    words::duration((to.as_micros() - from.as_micros()).max(0) as f64 / 1e6)
}

fn stalled(before: Timestamp, ts: Timestamp, interval: i64) -> Option<Finding> {
    let gap = ts.as_micros() - before.as_micros();
    if gap <= (STALLED_INTERVALS * interval).max(STALLED_LEAST) {
        return None;
    }
    let message = format!("The collector took no samples for {}", span(before, ts));
    let mut finding = STALLED.finding("", Severity::Warn, message);
    finding.span = Some((before, ts));
    finding.steps = vec![
        "The host was suspended, the process was stopped or frozen, or the clock was set. See what happened at that time:".to_owned(),
    ];
    finding.command = Some("journalctl --since -1h -p warning".to_owned());
    Some(finding)
}

fn no_data(name: &str, words: &str, owner: &str, newest: Timestamp) -> Finding {
    let (target, subject) = match owner {
        "" => (name.to_owned(), words.to_owned()),
        owner => (
            format!("{name} {owner}"),
            format!("{words} {}", words::cut(owner, 60)),
        ),
    };
    let mut finding = NO_DATA.finding(&target, Severity::Warn, format!("No data from {subject}"));
    finding.since = Some(newest);
    finding.steps = vec![
        "It delivered before. See in the Collector view whether its collector fails or hangs:"
            .to_owned(),
    ];
    finding.command = Some("journalctl -u pqcrypta-collector -n 50".to_owned());
    finding
}

/// The keywords with which a remedy that is a statement begins; any other remedy is a sentence.
const STATEMENTS: [&str; 5] = ["ALTER ", "CREATE ", "GRANT ", "SELECT ", "SET "];

fn unreadable((instance, (_, gaps)): (&String, &(Timestamp, Vec<Gap>))) -> Option<Finding> {
    let mut labels: Vec<String> = gaps.iter().map(|gap| gap.label.replace('_', " ")).collect();
    labels.sort();
    labels.dedup();
    if labels.is_empty() {
        return None;
    }
    let mut remedies: Vec<&str> = gaps
        .iter()
        .map(|gap| gap.remedy.as_str())
        .filter(|one| !one.is_empty())
        .collect();
    remedies.sort_unstable();
    remedies.dedup();
    let (statements, sentences): (Vec<&str>, Vec<&str>) = remedies
        .into_iter()
        .partition(|remedy| STATEMENTS.iter().any(|begin| remedy.starts_with(begin)));
    let statements: Vec<String> = statements
        .iter()
        .map(|statement| format!("{};", statement.trim_end_matches(';')))
        .collect();
    let all = statements.join(" ");
    // A truncated statement is useless.
    let sql = if all.chars().count() > LONGEST {
        statements.into_iter().next()
    } else {
        Some(all)
    };
    let message = format!(
        "{} unavailable on {instance}: {}",
        words::counted(labels.len(), "statistic"),
        labels.join(", ")
    );
    let mut finding = VISIBILITY.finding(instance, Severity::Warn, words::cut(&message, 160));
    finding.action_sql = sql.filter(|sql| !sql.is_empty());
    finding.steps = vec![match (&finding.action_sql, sentences.is_empty()) {
        (Some(_), true) => "Run as an administrator of the server:".to_owned(),
        _ => words::cut(&sentences.join(" "), LONGEST),
    }];
    Some(finding)
}

#[cfg(test)]
mod tests;
