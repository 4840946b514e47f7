//! Who or what is behind a problem, by name, with the command to copy.
//!
//! Read for the problems there are and for no other: a host that is well costs nothing. What is named is
//! what the newest sample shows, so a session that has ended meanwhile is named no more although the
//! window of its problem still holds it. A question that takes too long names nobody: that there is a
//! problem counts more.

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
use crate::words;

/// Longest cause, characters.
const LONGEST: usize = 400;
/// How far back failures of endpoints are counted, microseconds: the window their share is judged over.
const FAILURES: i64 = 300_000_000;
/// Two slow ticks, the second of which may be a minute late, microseconds.
const SLOW: i64 = 660_000_000;

/// Where the one behind a problem is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
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

/// By metric.
const ASKS: &[(&str, Ask)] = &[
    ("db.conn_waiting", Ask::Blocker),
    ("db.longest_lock_wait_secs", Ask::Blocker),
    ("db.oldest_idle_in_xact_secs", Ask::Idle),
    ("db.oldest_xact_secs", Ask::Transaction),
    ("db.longest_query_secs", Ask::Statement),
    ("db.slow_queries", Ask::Statement),
    ("system.cpu_busy_pct", Ask::Cpu),
    ("system.load_per_core", Ask::Cpu),
    ("system.pressure_cpu_some_pct", Ask::Cpu),
    ("system.mem_used_pct", Ask::Memory),
    ("system.swap_used_pct", Ask::Memory),
    ("system.oom_kills_per_sec", Ask::Memory),
    ("system.pressure_memory_full_pct", Ask::Memory),
    ("system.cpu_iowait_pct", Ask::Io),
    ("system.pressure_io_full_pct", Ask::Io),
    ("disk.busy_pct", Ask::Io),
    ("db.up", Ask::ServerError),
    ("target.up", Ask::TargetError),
    ("target.bad_values", Ask::TargetError),
    ("log.readable", Ask::LogError),
    ("api.error_pct", Ask::Endpoint),
    ("table.dead_pct", Ask::Relation),
    ("index.invalid", Ask::Relation),
];

/// What is said about the one behind a problem; what is empty leaves the problem as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Culprit {
    cause: String,
    fix: String,
    command: String,
}

fn ask_of(problem: &Problem) -> Option<Ask> {
    let known = ASKS.iter().find(|(id, _)| *id == problem.metric);
    known.map(|(_, ask)| *ask)
}

/// Names who is behind each problem.
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
    let asks: Vec<Ask> = problems.iter().filter_map(ask_of).collect();
    let has = |wanted: &[Ask]| asks.iter().any(|ask| wanted.contains(ask));
    let mut found = Found::default();
    if has(&[Ask::Blocker, Ask::Idle, Ask::Transaction, Ask::Statement]) {
        found.sessions = unless_late(Sessions::read(client, host, at).await)?;
    }
    if has(&[Ask::Cpu, Ask::Memory, Ask::Io]) {
        let read = Processes::read(client, host, at, has(&[Ask::Io])).await;
        found.processes = unless_late(read)?;
    }
    for (ask, table, column) in [
        (Ask::ServerError, DbSample::TABLE, "instance"),
        (Ask::TargetError, TargetSample::TABLE, "target"),
        (Ask::LogError, LogSource::TABLE, "source"),
    ] {
        if has(&[ask]) {
            let read = errors(client, host, at, table, column).await;
            found.errors.push((ask, unless_late(read)?));
        }
    }
    if has(&[Ask::Endpoint]) {
        found.endpoints = unless_late(endpoints(client, host, at).await)?;
    }
    if has(&[Ask::Relation]) {
        let of = |problem: &&Problem| ask_of(problem) == Some(Ask::Relation);
        let keys = problems.iter().filter(of);
        let keys = keys.filter_map(|problem| problem.key.clone()).collect();
        found.relations = unless_late(relations(client, host, at, keys).await)?;
    }
    for problem in problems {
        if let Some(culprit) = found.behind(problem) {
            apply(problem, culprit);
        }
    }
    Ok(())
}

/// Refers to what was reported of the same one before, in the order of the page: with three problems of one
/// process it is described once, and its command is there once.
pub(super) fn shorten(problems: &mut [Problem]) {
    let mut named: HashMap<(String, String), (String, String)> = HashMap::new();
    for problem in problems {
        // A cause that goes with a command is about the one the command names.
        if problem.cause.is_empty() || problem.command.is_empty() {
            continue;
        }
        let said = (problem.cause.clone(), problem.command.clone());
        if let Some((title, fix)) = named.get(&said) {
            problem.cause = format!("Same cause as “{title}”.");
            problem.command.clear();
            // What introduced the command is there with it.
            if problem.fix == *fix {
                problem.fix.clear();
            }
        } else {
            named.insert(said, (problem.title.clone(), problem.fix.clone()));
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

/// What was read of those who may be behind a problem.
#[derive(Debug, Default)]
struct Found {
    sessions: Sessions,
    processes: Processes,
    errors: Vec<(Ask, HashMap<String, String>)>,
    /// By target.
    endpoints: HashMap<String, String>,
    /// By key: the database and the command.
    relations: HashMap<String, (String, String)>,
}

impl Found {
    fn behind(&self, problem: &Problem) -> Option<Culprit> {
        let ask = ask_of(problem)?;
        let key = problem.key.as_deref();
        match ask {
            Ask::Blocker => self.sessions.blocker(key?),
            Ask::Idle => self.sessions.idle(key?),
            Ask::Transaction => self.sessions.transaction(key?),
            Ask::Statement => self.sessions.statement(key?),
            Ask::Cpu => self.processes.cpu(),
            Ask::Memory => self.processes.memory(),
            Ask::Io => self.processes.io(),
            Ask::ServerError | Ask::TargetError | Ask::LogError => {
                let (_, errors) = self.errors.iter().find(|(of, _)| *of == ask)?;
                Some(Culprit {
                    cause: errors.get(key?)?.clone(),
                    ..Culprit::default()
                })
            }
            Ask::Endpoint => Some(Culprit {
                cause: self.endpoints.get(key?)?.clone(),
                ..Culprit::default()
            }),
            Ask::Relation => {
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

/// Nothing where a question took too long.
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

/// The newest error of each row's owner, where its newest sample has one.
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
    // Oldest first: the newest row has the last word.
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

/// For each target which endpoints fail most.
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

/// The database and the command of tables and indexes, by their keys.
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
        let said = problems.map(|problem| (problem.cause, problem.command));
        let said: Vec<(&str, &str)> = said
            .iter()
            .map(|(cause, command)| (cause.as_str(), command.as_str()))
            .collect();
        assert_eq!(
            said,
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
        for (id, _) in ASKS {
            let metric = schema::metric(id).unwrap_or_else(|| panic!("{id}"));
            assert!(metric.judged_over_secs > 0, "{id}");
        }
    }
}
