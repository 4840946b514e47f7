//! The verdict of `now`, from evaluated values and the age of the data.

use schema::{Severity, Timestamp};

use super::data::{Context, about, agent_problem, agent_state, freshness, secs, unknown_because};
use super::evaluation::Evaluation;
use super::presence::Presence;
use crate::areas::{AREAS, Kinds, area_of};
use crate::hosts::Host;
use crate::times;
use crate::wire::now::{
    Agent, AgentState, Area, Badge, DatabaseNow, DatabaseState, FleetNow, Freshness,
    FreshnessState, HostNow, Now, Problem, Verdict,
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
    let found = evaluation.map(|evaluation| &evaluation.findings);
    let mut problems = Vec::from_iter(agent_problem(host, state, silence));
    problems.extend(
        found
            .iter()
            .flat_map(|found| found.problems.iter().cloned()),
    );
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
    let active = found.map(|found| found.active);
    let badges = badges(&problems, active, is_known);
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
        ended: found.map_or_else(Vec::new, |found| found.ended.clone()),
        changes: found.map_or_else(Vec::new, |found| found.changes.clone()),
        areas,
        badges,
        facts,
        generation: host.generation.clone(),
        fleet: None,
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
        ended: Vec::new(),
        changes: Vec::new(),
        areas: areas(&[], None, false),
        badges: badges(&[], None, false),
        facts: Vec::new(),
        generation: String::new(),
        fleet: None,
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
    // Before the first answer nothing is known, not even that there is no collector.
    let mut answer = last.unwrap_or_else(|| {
        let mut answer = nothing(context);
        answer.agent.state = AgentState::Unknown;
        answer
    });
    if let Some(fleet) = &mut answer.fleet {
        *fleet = unread(fleet.hosts);
    }
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
            fix: "The collector queues its samples meanwhile. See which step of the connection fails:".to_owned(),
            command: "pqcrypta doctor".to_owned(),
            ..about("database", Severity::Critical, "collector")
        },
    );
    answer
}

/// Returns the verdict over all hosts while they cannot be read.
pub(crate) fn unread(hosts: usize) -> FleetNow {
    FleetNow {
        hosts,
        severity: Severity::Unknown,
        text: format!("Unknown: {} cannot be read.", words::counted(hosts, "host")),
        bad: 0,
        unread: hosts,
    }
}

/// The views whose badge counts problems.
const VIEWS: [&str; 10] = [
    "system",
    "processes",
    "postgres",
    "tables",
    "queries",
    "replication",
    "api",
    "logs",
    "insights",
    "collector",
];

/// A problem or an effect of one, as areas and badges see it.
struct Trouble<'a> {
    metric: &'a str,
    key: Option<&'a str>,
    view: &'a str,
    severity: Severity,
    title: &'a str,
    /// Effects colour what they concern; only problems are counted.
    is_counted: bool,
}

fn troubles(problems: &[Problem]) -> Vec<Trouble<'_>> {
    let counted = problems.iter().map(|problem| Trouble {
        metric: &problem.metric,
        key: problem.key.as_deref(),
        view: &problem.view,
        severity: problem.severity,
        title: &problem.title,
        is_counted: true,
    });
    let effects = problems.iter().flat_map(|problem| &problem.effects);
    let effects = effects.map(|effect| Trouble {
        metric: &effect.metric,
        key: effect.key.as_deref(),
        view: &effect.view,
        severity: effect.severity,
        title: &effect.title,
        is_counted: false,
    });
    counted.chain(effects).collect()
}

/// Returns the area of a problem; `None` for those of processes, which have a badge of their own.
fn area_of_trouble(trouble: &Trouble<'_>, kinds: &Kinds) -> Option<&'static str> {
    if let Some(metric) = schema::metric(trouble.metric) {
        return area_of(metric, trouble.key, kinds).map(|area| area.id);
    }
    match trouble.view {
        // Those of an incident have areas of their own.
        "processes" | "insights" => None,
        "system" => Some("kernel"),
        "postgres" | "tables" | "queries" => Some("postgres"),
        "replication" => Some("replication"),
        "api" => Some("api"),
        "logs" => Some("logs"),
        _ => Some("collector"),
    }
}

fn areas(problems: &[Problem], presence: Option<&Presence>, is_known: bool) -> Vec<Area> {
    let nothing = Presence::default();
    let known = presence.unwrap_or(&nothing);
    let troubles = troubles(problems);
    AREAS
        .iter()
        .map(|area| {
            let mine = || {
                let of = |one: &&Trouble<'_>| area_of_trouble(one, &known.kinds) == Some(area.id);
                troubles.iter().filter(of)
            };
            let present =
                known.present.contains(&area.id) || !area.may_be_absent || mine().next().is_some();
            let good = if known.without_data.contains(&area.id) {
                Severity::Unknown
            } else {
                Severity::Ok
            };
            let severity = if is_known {
                mine().fold(good, |worst, one| worst.max(one.severity))
            } else {
                Severity::Unknown
            };
            Area {
                id: area.id,
                label: area.label,
                view: area.view,
                present,
                severity,
                count: mine().filter(|one| one.is_counted).count(),
                worst: mine()
                    .rev()
                    .max_by_key(|one| one.severity)
                    .map_or_else(String::new, |one| one.title.to_owned()),
            }
        })
        .collect()
}

/// Returns the badges of the views: those of what is watched count its problems, that of alerts what is active.
fn badges(
    problems: &[Problem],
    active: Option<Badge>,
    is_known: bool,
) -> std::collections::BTreeMap<&'static str, Badge> {
    let troubles = troubles(problems);
    let of_views = VIEWS.into_iter().map(|view| {
        let mine = || troubles.iter().filter(|one| one.view == view);
        let worst = mine().fold(Severity::Ok, |worst, one| worst.max(one.severity));
        let count = mine().filter(|one| one.is_counted).count();
        (view, Badge::new(worst, count))
    });
    let of_alerts = ("alerts", active.unwrap_or_default());
    let known = |(view, badge): (_, Badge)| {
        let severity = if is_known {
            badge.severity
        } else {
            Severity::Unknown
        };
        (view, Badge { severity, ..badge })
    };
    of_views.chain([of_alerts]).map(known).collect()
}

/// Sums up fresh data in one sentence.
fn summarize(context: &Context<'_>, problems: &[Problem], areas: &[Area]) -> Verdict {
    // The order is by impact; the one that decides the verdict is named.
    let severity = problems.iter().map(|problem| problem.severity).max();
    let worst = |problem: &&Problem| Some(problem.severity) == severity;
    if let Some(first) = problems.iter().find(worst) {
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
