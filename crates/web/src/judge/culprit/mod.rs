//! The culprit of a problem, by name, with the command to copy.
//!
//! Only problems that exist are looked into: a healthy host costs nothing. Culprits are those of the
//! newest sample, so a session that has ended is no longer named although the window of its problem
//! still includes it. A query that times out yields no culprit; the problem is reported all the same.

mod processes;
mod sessions;

use std::collections::HashMap;

use schema::tables::{DbSample, LogSource, TargetSample};
use schema::{Cell, Sample, TableDef, Timestamp};
use store::series::{self, Instant, ReadError, steps};
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use self::processes::Processes;
use self::sessions::Sessions;
use super::command;
use crate::hosts::Host;
use crate::wire::now::Problem;

/// Longest cause, characters.
const LONGEST: usize = 400;
/// How far back failures of endpoints are counted, microseconds: the window over which their share is evaluated.
const FAILURES: i64 = 300_000_000;
/// Two slow ticks, the second of which may be a minute late, microseconds.
const SLOW: i64 = 660_000_000;

/// Where the culprit of a problem is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CulpritKind {
    /// The session that most others wait for.
    Blocker,
    /// The session idle in a transaction for longest.
    Idle,
    /// The session with the oldest transaction.
    Transaction,
    /// The session with the longest statement.
    Statement,
    /// The processes that use most CPU.
    Cpu,
    /// The processes that hold most memory.
    Memory,
    /// The processes that read and write most.
    Io,
    /// The error of a PostgreSQL server.
    ServerError,
    /// The error of a target.
    TargetError,
    /// The error of a log.
    LogError,
    /// The endpoints that fail most.
    Endpoint,
    /// The command for a table or index.
    Relation,
}

/// Kinds by metric.
const CULPRITS: &[(&str, CulpritKind)] = &[
    ("db.conn_waiting", CulpritKind::Blocker),
    ("db.longest_lock_wait_secs", CulpritKind::Blocker),
    ("db.oldest_idle_in_xact_secs", CulpritKind::Idle),
    ("db.oldest_xact_secs", CulpritKind::Transaction),
    ("db.longest_query_secs", CulpritKind::Statement),
    ("db.slow_queries", CulpritKind::Statement),
    ("system.cpu_busy_pct", CulpritKind::Cpu),
    ("system.load_per_core", CulpritKind::Cpu),
    ("system.pressure_cpu_some_pct", CulpritKind::Cpu),
    ("system.mem_used_pct", CulpritKind::Memory),
    ("system.swap_used_pct", CulpritKind::Memory),
    ("system.oom_kills_per_sec", CulpritKind::Memory),
    ("system.pressure_memory_full_pct", CulpritKind::Memory),
    ("system.cpu_iowait_pct", CulpritKind::Io),
    ("system.pressure_io_full_pct", CulpritKind::Io),
    ("disk.busy_pct", CulpritKind::Io),
    ("db.up", CulpritKind::ServerError),
    ("target.up", CulpritKind::TargetError),
    ("target.bad_values", CulpritKind::TargetError),
    ("log.readable", CulpritKind::LogError),
    ("api.error_pct", CulpritKind::Endpoint),
    ("table.dead_pct", CulpritKind::Relation),
    ("index.invalid", CulpritKind::Relation),
];

/// The description of a culprit; an empty field leaves that of the problem as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Culprit {
    cause: String,
    fix: String,
    command: String,
}

fn kind_of(problem: &Problem) -> Option<CulpritKind> {
    let known = CULPRITS.iter().find(|(id, _)| *id == problem.metric);
    known.map(|(_, kind)| *kind)
}

/// Names the culprit of each problem.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn name(
    client: &Client,
    host: &Host,
    at: Timestamp,
    problems: &mut [Problem],
) -> Result<(), ReadError> {
    for problem in problems.iter_mut() {
        if let Some(command) = command::of(&problem.metric, problem.key.as_deref()) {
            problem.command = command;
        }
    }
    let kinds: Vec<CulpritKind> = problems.iter().filter_map(kind_of).collect();
    let has = |wanted: &[CulpritKind]| kinds.iter().any(|kind| wanted.contains(kind));
    let mut found = FoundCulprits::default();
    if has(&[
        CulpritKind::Blocker,
        CulpritKind::Idle,
        CulpritKind::Transaction,
        CulpritKind::Statement,
    ]) {
        found.sessions = unless_late(Sessions::read(client, host, at).await)?;
    }
    if has(&[CulpritKind::Cpu, CulpritKind::Memory, CulpritKind::Io]) {
        let read = Processes::read(client, host, at, has(&[CulpritKind::Io])).await;
        found.processes = unless_late(read)?;
    }
    for (kind, table, column) in [
        (CulpritKind::ServerError, DbSample::TABLE, "instance"),
        (CulpritKind::TargetError, TargetSample::TABLE, "target"),
        (CulpritKind::LogError, LogSource::TABLE, "source"),
    ] {
        if has(&[kind]) {
            let read = errors(client, host, at, table, column).await;
            found.errors.push((kind, unless_late(read)?));
        }
    }
    if has(&[CulpritKind::Endpoint]) {
        found.endpoints = unless_late(endpoints(client, host, at).await)?;
    }
    if has(&[CulpritKind::Relation]) {
        let of = |problem: &&Problem| kind_of(problem) == Some(CulpritKind::Relation);
        let keys = problems.iter().filter(of);
        let keys = keys.filter_map(|problem| problem.key.clone()).collect();
        found.relations = unless_late(relations(client, host, at, keys).await)?;
    }
    for problem in problems {
        if let Some(culprit) = found.culprit_of(problem) {
            apply(problem, culprit);
        }
    }
    Ok(())
}

/// Replaces repeated causes by a reference to the first one, in the order of the page: a process with three
/// problems is described once, with its command.
pub(super) fn shorten(problems: &mut [Problem]) {
    let mut named: HashMap<(String, String), (String, String)> = HashMap::new();
    for problem in problems {
        // A cause with a command concerns what the command names.
        if problem.cause.is_empty() || problem.command.is_empty() {
            continue;
        }
        let cause = (problem.cause.clone(), problem.command.clone());
        if let Some((title, fix)) = named.get(&cause) {
            problem.cause = format!("Same cause as “{title}”.");
            problem.command.clear();
            // The fix that introduces the command goes with it.
            if problem.fix == *fix {
                problem.fix.clear();
            }
        } else {
            named.insert(cause, (problem.title.clone(), problem.fix.clone()));
        }
    }
}

fn apply(problem: &mut Problem, culprit: Culprit) {
    problem.cause = words::cut(&culprit.cause, LONGEST);
    for (held, named) in [
        (&mut problem.fix, culprit.fix),
        (&mut problem.command, culprit.command),
    ] {
        if !named.is_empty() {
            *held = named;
        }
    }
}

/// The possible culprits, as read.
#[derive(Debug, Default)]
struct FoundCulprits {
    sessions: Sessions,
    processes: Processes,
    errors: Vec<(CulpritKind, HashMap<String, String>)>,
    /// By target.
    endpoints: HashMap<String, String>,
    /// By key: the database and the command.
    relations: HashMap<String, (String, String)>,
}

impl FoundCulprits {
    fn culprit_of(&self, problem: &Problem) -> Option<Culprit> {
        let kind = kind_of(problem)?;
        let key = problem.key.as_deref();
        match kind {
            CulpritKind::Blocker => self.sessions.blocker(key?),
            CulpritKind::Idle => self.sessions.idle(key?),
            CulpritKind::Transaction => self.sessions.transaction(key?),
            CulpritKind::Statement => self.sessions.statement(key?),
            CulpritKind::Cpu => self.processes.cpu(),
            CulpritKind::Memory => self.processes.memory(),
            CulpritKind::Io => self.processes.io(),
            CulpritKind::ServerError | CulpritKind::TargetError | CulpritKind::LogError => {
                let (_, errors) = self.errors.iter().find(|(of, _)| *of == kind)?;
                Some(Culprit {
                    cause: errors.get(key?)?.clone(),
                    ..Culprit::default()
                })
            }
            CulpritKind::Endpoint => Some(Culprit {
                cause: self.endpoints.get(key?)?.clone(),
                ..Culprit::default()
            }),
            CulpritKind::Relation => {
                let (database, command) = self.relations.get(key?)?;
                Some(Culprit {
                    fix: format!("{} In database {}:", problem.fix, words::cut(database, 60)),
                    command: command.clone(),
                    ..Culprit::default()
                })
            }
        }
    }
}

/// Replaces a time-out by an empty result.
fn unless_late<T: Default>(read: Result<T, ReadError>) -> Result<T, ReadError> {
    match read {
        Err(error) if error.is_timeout() => Ok(T::default()),
        read => read,
    }
}

fn back(at: Timestamp, micros: i64) -> Timestamp {
    Timestamp(at.as_micros().saturating_sub(micros))
}

fn end(at: Timestamp) -> Timestamp {
    Timestamp(at.as_micros().saturating_add(1))
}

/// Reads the error of each owner's newest sample, where it has one.
async fn errors(
    client: &Client,
    host: &Host,
    at: Timestamp,
    table: &'static TableDef,
    column: &str,
) -> Result<HashMap<String, String>, ReadError> {
    let from = back(at, (3 * host.app_interval).max(120_000_000));
    let rows = series::rows(client, table, host.id, from, end(at), &[column, "error"]).await?;
    let mut found = HashMap::new();
    // Oldest first, so that the newest row wins.
    for (_, cells) in rows {
        match cells.as_slice() {
            [Cell::Text(owner), Cell::Text(error)] if !error.is_empty() => {
                found.insert(owner.to_string(), error.to_string());
            }
            [Cell::Text(owner), _] => {
                found.remove(&**owner);
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Reads which endpoints of each target fail most.
async fn endpoints(
    client: &Client,
    host: &Host,
    at: Timestamp,
) -> Result<HashMap<String, String>, ReadError> {
    let (from, to) = (Instant(back(at, FAILURES)), Instant(end(at)));
    let params = [
        (&host.id as &(dyn ToSql + Sync), Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
    ];
    let fault = |source| ReadError::new("failing endpoints", source);
    let sql = steps::expand(include_str!("../../sql/culprit_endpoints.sql"));
    let rows = client.query_typed(&sql, &params).await.map_err(fault)?;
    let mut by_target: HashMap<String, Vec<String>> = HashMap::new();
    for row in rows {
        let target: String = row.try_get("target").map_err(fault)?;
        let endpoint: String = row.try_get("endpoint").map_err(fault)?;
        let status: i32 = row.try_get("status").map_err(fault)?;
        let failed: i64 = row.try_get("failed").map_err(fault)?;
        let named = by_target.entry(target).or_default();
        if named.len() < 2 {
            let endpoint = words::cut(&endpoint, 80);
            named.push(format!("{endpoint} with status {status} ({failed} times)"));
        }
    }
    let sentence = |(target, named): (String, Vec<String>)| {
        let text = format!(
            "Most fail at {} in the last 5 min.",
            named.join(", then at ")
        );
        (target, text)
    };
    Ok(by_target.into_iter().map(sentence).collect())
}

/// Reads the database and the command of tables and indexes, by their keys.
async fn relations(
    client: &Client,
    host: &Host,
    at: Timestamp,
    keys: Vec<String>,
) -> Result<HashMap<String, (String, String)>, ReadError> {
    let (from, to) = (Instant(back(at, SLOW)), Instant(end(at)));
    let params = [
        (&host.id as &(dyn ToSql + Sync), Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
        (&keys, Type::TEXT_ARRAY),
    ];
    let fault = |source| ReadError::new("relations", source);
    let sql = include_str!("../../sql/culprit_relations.sql");
    let rows = client.query_typed(sql, &params).await.map_err(fault)?;
    rows.iter()
        .map(|row| {
            let named = (row.try_get("database")?, row.try_get("command")?);
            Ok((row.try_get("key")?, named))
        })
        .collect::<Result<_, _>>()
        .map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_session_is_described_once() {
        let problem = |title: &str, command: &str| Problem {
            title: title.to_owned(),
            cause: format!("{command} is busy"),
            command: command.to_owned(),
            ..super::super::data::about("x", schema::Severity::Warn, "postgres")
        };
        let mut problems = [
            problem("3 sessions wait", "end 1"),
            problem("CPU", "ps 2"),
            problem("A session waits", "end 1"),
            problem("Down", ""),
            problem("Down too", ""),
        ];
        shorten(&mut problems);
        let causes = problems.map(|problem| (problem.cause, problem.command));
        let causes: Vec<(&str, &str)> = causes
            .iter()
            .map(|(cause, command)| (cause.as_str(), command.as_str()))
            .collect();
        assert_eq!(
            causes,
            [
                ("end 1 is busy", "end 1"),
                ("ps 2 is busy", "ps 2"),
                ("Same cause as “3 sessions wait”.", ""),
                (" is busy", ""),
                (" is busy", "")
            ]
        );
    }

    #[test]
    fn every_metric_that_is_asked_about_can_be_a_problem() {
        for (id, _) in CULPRITS {
            let metric = schema::metric(id).unwrap_or_else(|| panic!("{id}"));
            assert!(metric.evaluated_over_secs > 0, "{id}");
        }
    }
}
