//! The verdict of `now`, from evaluated values and the age of the data.

use schema::{Severity, Timestamp};

use super::data::{Context, about, about_data, agent_state, freshness, secs, unknown_because};
use super::evaluation::Evaluation;
use super::presence::Presence;
use crate::areas::{AREAS, Kinds, area_of};
use crate::hosts::Host;
use crate::times;
use crate::wire::now::{
    Agent, AgentState, Area, Badge, DatabaseNow, DatabaseState, Freshness, FreshnessState, HostNow,
    Now, Problem, Verdict,
};

/// Most problems of an answer.
const LISTED: usize = 50;

/// Returns the answer of `now` while the database answers.
pub(crate) fn compose(
    context: &Context<'_>,
    host: Option<&Host>,
    evaluation: Option<&Evaluation>,
) -> Now {
    let Some(host) = host else {
        return nothing(context);
    };
    let freshness = freshness(context, host);
    let (state, silence) = agent_state(context, host);
    let mut problems = about_data(host, state, silence, context.now);
    problems.extend(
        evaluation
            .iter()
            .flat_map(|evaluation| evaluation.problems.iter().cloned()),
    );
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    let mut facts = evaluation.map_or_else(Vec::new, |evaluation| evaluation.facts.clone());
    let pending = facts
        .iter()
        .find(|fact| fact.metric == "collector.pending_records");
    let pending = pending.and_then(|fact| fact.value);
    let reason = unknown_because(context, host, freshness.state, state);
    let is_known = reason.is_none() && evaluation.is_some();
    if !is_known {
        for fact in &mut facts {
            fact.severity = Severity::Unknown;
        }
    }
    let presence = evaluation.map(|evaluation| &evaluation.presence);
    let areas = areas(&problems, presence, is_known);
    let verdict = reason.map_or_else(|| summarize(context, &problems, &areas), unknown);
    let mut badges = badges(&problems, is_known);
    let processes = evaluation
        .filter(|_| is_known)
        .map(|evaluation| evaluation.processes);
    badges.insert(
        "processes",
        processes.unwrap_or(Badge::new(Severity::Unknown, 0)),
    );
    problems.truncate(LISTED);
    Now {
        now_ms: 0,
        version: env!("CARGO_PKG_VERSION"),
        host: host_now(host),
        verdict,
        freshness,
        agent: Agent {
            state,
            heartbeat_ms: host.heartbeat.map(Timestamp::as_millis),
            pending_records: pending,
        },
        database: answering(),
        problems,
        areas,
        badges,
        facts,
        generation: host.generation.clone(),
    }
}

fn unknown((text, since): (String, Option<Timestamp>)) -> Verdict {
    Verdict {
        severity: Severity::Unknown,
        text,
        since_ms: since.map(Timestamp::as_millis),
    }
}

fn host_now(host: &Host) -> HostNow {
    HostNow {
        id: host.id,
        name: host.name.clone(),
        kernel: host.kernel.clone(),
        cores: host.cores,
        memory_bytes: host.memory_bytes,
        boot_ms: host.boot.map(Timestamp::as_millis),
        first_ms: host.first_start.map(Timestamp::as_millis),
    }
}

fn answering() -> DatabaseNow {
    DatabaseNow {
        state: DatabaseState::Ok,
        since_ms: None,
        message: String::new(),
    }
}

/// Returns the answer before there is any host.
fn nothing(context: &Context<'_>) -> Now {
    Now {
        now_ms: 0,
        version: env!("CARGO_PKG_VERSION"),
        host: HostNow::default(),
        verdict: Verdict {
            severity: Severity::Unknown,
            text: "Unknown: no collector has stored a sample yet.".to_owned(),
            since_ms: None,
        },
        freshness: Freshness {
            newest_ms: None,
            age_secs: None,
            interval_secs: context.interval_secs,
            state: FreshnessState::Empty,
        },
        agent: Agent {
            state: AgentState::Never,
            heartbeat_ms: None,
            pending_records: None,
        },
        database: answering(),
        problems: Vec::new(),
        areas: areas(&[], None, false),
        badges: badges(&[], false),
        facts: Vec::new(),
        generation: String::new(),
    }
}

/// Returns the last answer for the time in which the database does not answer: its values stay readable,
/// and its severities are unknown.
pub(crate) fn unreachable(
    context: &Context<'_>,
    last: Option<Now>,
    since: Timestamp,
    message: &str,
) -> Now {
    let mut answer = last.unwrap_or_else(|| nothing(context));
    let sentence = format!("{}.", message.trim_end_matches('.'));
    answer.database = DatabaseNow {
        state: DatabaseState::Unreachable,
        since_ms: Some(since.as_millis()),
        message: sentence.clone(),
    };
    answer.verdict = Verdict {
        severity: Severity::Unknown,
        text: format!("Unknown: {sentence}"),
        since_ms: Some(since.as_millis()),
    };
    let interval = answer.freshness.interval_secs;
    if let Some(newest) = answer.freshness.newest_ms {
        let age = secs((context.now.as_millis() - newest).max(0) * 1000);
        answer.freshness.age_secs = Some(age);
        answer.freshness.state = match age / interval {
            ages if ages > 6.0 => FreshnessState::Stale,
            ages if ages > 2.0 => FreshnessState::Late,
            _ => FreshnessState::Live,
        };
    }
    for fact in &mut answer.facts {
        fact.severity = Severity::Unknown;
    }
    for area in &mut answer.areas {
        area.severity = Severity::Unknown;
    }
    for badge in answer.badges.values_mut() {
        badge.severity = Severity::Unknown;
    }
    answer.problems.retain(|problem| problem.id != "database");
    answer.problems.insert(
        0,
        Problem {
            title: "The database does not answer".to_owned(),
            since_ms: Some(since.as_millis()),
            fix: "Check that the server is running and that this role may connect; the collector queues its samples meanwhile."
                .to_owned(),
            ..about("database", Severity::Critical, "collector")
        },
    );
    answer
}

/// The views whose badge counts problems.
const VIEWS: [&str; 8] = [
    "system",
    "postgres",
    "tables",
    "queries",
    "replication",
    "api",
    "logs",
    "collector",
];

fn area_of_problem(problem: &Problem, kinds: &Kinds) -> &'static str {
    let metric = schema::metric(&problem.metric);
    match metric.and_then(|metric| area_of(metric, problem.key.as_deref(), kinds)) {
        Some(area) => area.id,
        None if problem.id == "clock" => "kernel",
        None if problem.view == "postgres" => "postgres",
        None if problem.view == "logs" => "logs",
        None => "collector",
    }
}

fn areas(problems: &[Problem], presence: Option<&Presence>, is_known: bool) -> Vec<Area> {
    let nothing = Presence::default();
    let known = presence.unwrap_or(&nothing);
    AREAS
        .iter()
        .map(|area| {
            let mine = || {
                let of = |problem: &&Problem| area_of_problem(problem, &known.kinds) == area.id;
                problems.iter().filter(of)
            };
            let present =
                known.present.contains(&area.id) || !area.may_be_absent || mine().next().is_some();
            let good = if known.without_data.contains(&area.id) {
                Severity::Unknown
            } else {
                Severity::Ok
            };
            let severity = if is_known {
                mine().fold(good, |worst, problem| worst.max(problem.severity))
            } else {
                Severity::Unknown
            };
            Area {
                id: area.id,
                label: area.label,
                view: area.view,
                present,
                severity,
                count: mine().count(),
                worst: mine()
                    .next()
                    .map_or_else(String::new, |problem| problem.title.clone()),
            }
        })
        .collect()
}

fn badges(problems: &[Problem], is_known: bool) -> std::collections::BTreeMap<&'static str, Badge> {
    VIEWS
        .into_iter()
        .map(|view| {
            let mine = || problems.iter().filter(|problem| problem.view == view);
            let worst = mine().fold(Severity::Ok, |worst, problem| worst.max(problem.severity));
            let severity = if is_known { worst } else { Severity::Unknown };
            (view, Badge::new(severity, mine().count()))
        })
        .collect()
}

/// Sums up fresh data in one sentence.
fn summarize(context: &Context<'_>, problems: &[Problem], areas: &[Area]) -> Verdict {
    if let Some(first) = problems.first() {
        let since = first.since_ms.map(Timestamp::from_millis);
        let when = since.map_or_else(String::new, |since| {
            format!(" since {}", times::clock(since, context.now, context.zone))
        });
        return Verdict {
            severity: first.severity,
            text: format!(
                "{}: {}{when}.",
                words::counted(problems.len(), "problem"),
                words::within_sentence(&first.title)
            ),
            since_ms: first.since_ms,
        };
    }
    let without_data: Vec<&str> = areas
        .iter()
        .filter(|area| area.present && area.severity == Severity::Unknown)
        .map(|area| area.label)
        .collect();
    if without_data.is_empty() {
        return Verdict {
            severity: Severity::Ok,
            text: format!(
                "All {} areas normal.",
                areas.iter().filter(|area| area.present).count()
            ),
            since_ms: None,
        };
    }
    Verdict {
        severity: Severity::Unknown,
        text: format!(
            "Unknown: no data for {}; everything else is normal.",
            without_data.join(", ")
        ),
        since_ms: None,
    }
}
