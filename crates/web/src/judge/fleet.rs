//! All hosts at once: the verdict on each, and one over all.
//!
//! A verdict is made of the same parts as that of *Now* (`compose`): the age of the data, the state of the agent, the open findings
//! ranked alike, and which areas have no data. What it does without are the latest values of metrics, so all hosts
//! together cost three statements. A host that is not read is unknown, whatever was found while it was.

use std::collections::HashMap;

use schema::micros::{DAY, MINUTE};
use schema::{Severity, Timestamp};
use store::alerts::{self, Alert};
use store::series::{Instant, ReadError};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::data::Context;
use super::evaluation::Evaluation;
use super::findings::{Findings, READ, arrange};
use super::presence::Presence;
use super::verdict::compose;
use crate::areas::AREAS;
use crate::hosts::Host;
use crate::wire::now::{AgentState, FleetNow, FreshnessState, Now, Problem, Verdict};

/// Within this time, or three intervals, a service was sampled that still is, microseconds.
const RECENT: i64 = MINUTE;
/// Most hosts of one state that the sentence names, and the longest name in it, characters.
const NAMED: usize = 3;
const LONGEST_NAME: usize = 40;

/// The state of a host among the others, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// A critical problem.
    Critical,
    /// Its data are old, or its collector is silent or was stopped: nothing is known of it.
    Unread,
    /// A warning.
    Warn,
    /// Nothing is wrong, but some of it has no data.
    Incomplete,
    /// All areas are normal.
    Normal,
}

impl State {
    /// Every state, the worst first.
    const ALL: [Self; 5] = [
        Self::Critical,
        Self::Unread,
        Self::Warn,
        Self::Incomplete,
        Self::Normal,
    ];

    /// Returns its word in the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Unread => "unread",
            Self::Warn => "warn",
            Self::Incomplete => "incomplete",
            Self::Normal => "normal",
        }
    }

    /// Returns its word in a sentence.
    const fn word(self) -> &'static str {
        match self {
            Self::Warn => "with warnings",
            Self::Incomplete => "without some data",
            _ => self.as_str(),
        }
    }

    const fn severity(self) -> Severity {
        match self {
            Self::Critical => Severity::Critical,
            Self::Warn => Severity::Warn,
            Self::Unread | Self::Incomplete => Severity::Unknown,
            Self::Normal => Severity::Ok,
        }
    }
}

/// A host of the fleet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    /// The host.
    pub(crate) host: Host,
    /// Its state.
    pub(crate) state: State,
    /// The verdict on it.
    pub(crate) verdict: Verdict,
    /// How old its data are.
    pub(crate) freshness: FreshnessState,
    /// The age of its newest sample.
    pub(crate) age_secs: Option<f64>,
    /// Number of its problems.
    pub(crate) problems: usize,
    /// The problem that decides the verdict.
    pub(crate) worst: Option<Problem>,
}

/// All hosts, the worst first, equals by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fleet {
    pub(crate) members: Vec<Member>,
}

/// The newest rows of a host by what they are about.
#[derive(Clone, Debug, Default)]
struct Sampled {
    mounts: Option<Timestamp>,
    interfaces: Option<Timestamp>,
    agents: Option<Timestamp>,
    targets: Option<Timestamp>,
    servers: Option<Timestamp>,
    logs: Option<Timestamp>,
    slots: Option<Timestamp>,
    /// Names and kinds of the targets.
    kinds: HashMap<String, String>,
}

impl Sampled {
    fn of(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let instant = |column| {
            let at = row.try_get::<_, Option<Instant>>(column)?;
            Ok::<_, tokio_postgres::Error>(at.map(|at| at.0))
        };
        let texts = |column| {
            let texts = row.try_get::<_, Option<Vec<String>>>(column)?;
            Ok::<_, tokio_postgres::Error>(texts.unwrap_or_default())
        };
        Ok(Self {
            mounts: instant("mounts")?,
            interfaces: instant("interfaces")?,
            agents: instant("agents")?,
            targets: instant("targets")?,
            servers: instant("servers")?,
            logs: instant("logs")?,
            slots: instant("slots")?,
            kinds: texts("names")?.into_iter().zip(texts("kinds")?).collect(),
        })
    }
}

/// Reads the state of all `hosts`; `contexts` has the context of each.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn fleet<'a>(
    client: &Client,
    hosts: &[Host],
    contexts: impl Fn(&Host) -> Context<'a>,
    now: Timestamp,
) -> Result<Fleet, ReadError> {
    let (found, sampled) = tokio::try_join!(
        alerts::worst_of_all(client, now, READ),
        sampled(client, now)
    )?;
    let mut found = found;
    let members = hosts.iter().map(|host| {
        let sampled = sampled.get(&host.id).cloned().unwrap_or_default();
        let found = found.remove(&host.id).unwrap_or_default();
        member(&contexts(host), host, found, sampled)
    });
    let mut members: Vec<Member> = members.collect();
    members.sort_by(|a, b| {
        let rank = |one: &Member| (one.state, std::cmp::Reverse(one.problems));
        rank(a).cmp(&rank(b))
    });
    Ok(Fleet { members })
}

async fn sampled(client: &Client, now: Timestamp) -> Result<HashMap<i32, Sampled>, ReadError> {
    let fault = |source| ReadError::new("the services of all hosts", source);
    let at = |offset: i64| Instant(Timestamp(now.as_micros().saturating_add(offset)));
    let (from, to) = (at(-DAY), at(DAY));
    let params = [
        (&from as &(dyn ToSql + Sync), Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
    ];
    let sql = include_str!("../sql/fleet_services.sql");
    let rows = client.query_typed(sql, &params).await.map_err(fault)?;
    rows.iter()
        .map(|row| Ok((row.try_get("host_id")?, Sampled::of(row)?)))
        .collect::<Result<_, tokio_postgres::Error>>()
        .map_err(fault)
}

fn member(
    context: &Context<'_>,
    host: &Host,
    found: Vec<(Alert, i64)>,
    sampled: Sampled,
) -> Member {
    let evaluation = Evaluation {
        facts: Vec::new(),
        findings: Findings {
            problems: arrange(found),
            ..Findings::default()
        },
        presence: presence(host, sampled),
    };
    let now = compose(context, Some(host), Some(&evaluation));
    let own = usize::from(now.problems.first().is_some_and(|one| one.id == "agent"));
    Member {
        host: host.clone(),
        state: state(&now),
        freshness: now.freshness.state,
        age_secs: now.freshness.age_secs,
        problems: evaluation.findings.problems.len() + own,
        worst: deciding(&now).cloned(),
        verdict: now.verdict,
    }
}

/// Returns the problem that decides the verdict: of an unread host that of its collector, otherwise the first of the worst.
fn deciding(now: &Now) -> Option<&Problem> {
    if now.verdict.severity == Severity::Unknown {
        return now.problems.iter().find(|problem| problem.id == "agent");
    }
    let worst = now.problems.iter().map(|problem| problem.severity).max();
    let mut problems = now.problems.iter();
    problems.find(|problem| Some(problem.severity) == worst)
}

fn state(now: &Now) -> State {
    let is_read = now.agent.state == AgentState::Running
        && matches!(
            now.freshness.state,
            FreshnessState::Live | FreshnessState::Late
        );
    match now.verdict.severity {
        _ if !is_read => State::Unread,
        Severity::Critical => State::Critical,
        Severity::Warn => State::Warn,
        Severity::Unknown => State::Incomplete,
        Severity::Info | Severity::Ok => State::Normal,
    }
}

/// Sorts what is sampled into areas, as `presence` does from the latest values.
fn presence(host: &Host, sampled: Sampled) -> Presence {
    let Some(newest) = host.newest else {
        return Presence::default();
    };
    let recent = newest.as_micros() - RECENT.max(3 * host.app_interval);
    let since = host.started.map_or(i64::MIN, Timestamp::as_micros);
    let since = since.max(newest.as_micros().saturating_sub(DAY));
    // Known, silent since the agent's start, or absent.
    let known = |at: Option<Timestamp>| at.is_some_and(|at| at.as_micros() >= recent);
    let silent = |at: Option<Timestamp>| at.is_some_and(|at| at.as_micros() >= since) && !known(at);
    let of_kind = |kind: &str| sampled.kinds.values().any(|known| known == kind);
    let mut found = Presence::default();
    for area in AREAS {
        let (is_known, is_silent) = match area.id {
            "api" | "proxy" if !of_kind(area.id) => (false, false),
            "api" | "proxy" => (known(sampled.targets), silent(sampled.targets)),
            "postgres" => (known(sampled.servers), silent(sampled.servers)),
            "logs" => (known(sampled.logs), silent(sampled.logs)),
            // Without its server it is unknown whether a slot still exists.
            "replication" => (
                known(sampled.slots),
                silent(sampled.slots) && !known(sampled.servers),
            ),
            // These are part of every host.
            "disks" => (known(sampled.mounts), !known(sampled.mounts)),
            "network" => (known(sampled.interfaces), !known(sampled.interfaces)),
            "collector" => (known(sampled.agents), !known(sampled.agents)),
            _ => (true, false),
        };
        if is_known || is_silent || !area.may_be_absent {
            found.present.push(area.id);
        }
        if is_silent {
            found.without_data.push(area.id);
        }
    }
    found.kinds = sampled.kinds;
    found
}

impl Fleet {
    /// Returns the verdict over all.
    pub(crate) fn verdict(&self) -> FleetNow {
        let of = |state: State| self.members.iter().filter(move |one| one.state == state);
        let count = |state| of(state).count();
        let states = State::ALL.into_iter().filter(|state| count(*state) > 0);
        let severities = State::ALL.into_iter().filter(|state| count(*state) > 0);
        let severity = severities.map(State::severity).max().unwrap_or_default();
        let hosts = self.members.len();
        let text = if count(State::Normal) == hosts {
            format!("All {hosts} hosts normal.")
        } else {
            let parts = states.map(|state| match state {
                State::Normal => format!("{} normal", count(state)),
                _ => format!("{} {} ({})", count(state), state.word(), named(of(state))),
            });
            let parts: Vec<String> = parts.collect();
            format!("{}: {}.", words::counted(hosts, "host"), parts.join(", "))
        };
        FleetNow {
            hosts,
            severity,
            text,
            bad: count(State::Critical) + count(State::Warn),
            unread: count(State::Unread),
        }
    }
}

/// Names the first of some hosts, whose number stands before.
fn named<'a>(members: impl Iterator<Item = &'a Member>) -> String {
    let mut names: Vec<String> = members
        .take(NAMED + 1)
        .map(|one| words::cut(&one.host.name, LONGEST_NAME))
        .collect();
    if names.len() > NAMED {
        names[NAMED] = "…".to_owned();
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_state_is_first_and_decides() {
        assert!(State::ALL.is_sorted());
        let words: Vec<&str> = State::ALL.iter().map(|one| one.as_str()).collect();
        assert_eq!(
            words,
            ["critical", "unread", "warn", "incomplete", "normal"]
        );
    }
}
