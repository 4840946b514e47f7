//! A generated month: a healthy host raises nothing, and each fault of another one is found, named once, and ended.
//!
//! Everyday a day of it is judged, `FAULTS=nightly` the month.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod watch;

use schema::finding::CORRELATION;
use testkit::month::{Cause, Plan, Size};
use watch::{Problem, problems};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

#[expect(
    clippy::disallowed_methods,
    reason = "a test asks how long it may take"
)]
fn is_nightly() -> bool {
    matches!(
        std::env::var("FAULTS").as_deref(),
        Ok("nightly" | "release")
    )
}

#[test]
fn a_healthy_host_raises_nothing() {
    let plans = if is_nightly() {
        vec![
            Plan::healthy(11, 30, Size::SMALL),
            Plan::healthy(12, 7, Size::USUAL),
        ]
    } else {
        vec![Plan::healthy(11, 1, Size::SMALL)]
    };
    for plan in plans {
        // Bursts of load are unusual together: of a month one a week at most, and none is critical.
        let found = problems(&plan);
        let is_of_unusual = |one: &Problem| one.rule == CORRELATION && one.worst != "critical";
        let (together, others): (Vec<Problem>, Vec<Problem>) =
            found.into_iter().partition(is_of_unusual);
        assert!(others.is_empty(), "{}", listed(&others));
        assert!(
            together.len() * 7 <= plan.days as usize,
            "{}",
            listed(&together)
        );
    }
}

/// What a fault leads to.
struct Expected {
    cause: Cause,
    lasts: i64,
    /// Rule and target of the problems that nothing else explains; the first is the one that comes first.
    problems: &'static [(&'static str, &'static str)],
    /// The message of the first begins like this.
    says: &'static str,
    /// Where its problems become one the rule of the likely cause. What began in the hours before makes chance likelier, so two
    /// of them are not enough on this day.
    together: Option<&'static str>,
    /// So many seconds after the beginning at the latest the first is confirmed.
    within: i64,
    /// So many seconds after its end every one of them is resolved.
    over: i64,
}

static FAULTS: [Expected; Cause::FAULTS.len()] = [
    Expected {
        cause: Cause::Suspend,
        lasts: 300,
        problems: &[("collector_stalled", "")],
        says: "The collector took no samples for 5 min",
        // With the first tick after it, of which it is a finding of the past.
        together: None,
        within: 300,
        over: 0,
    },
    Expected {
        cause: Cause::CpuBusy,
        lasts: 900,
        problems: &[("system.cpu_busy_pct", "")],
        says: "CPU usage is high",
        together: None,
        within: 70,
        over: 10,
    },
    Expected {
        cause: Cause::DiskFills,
        lasts: 1800,
        problems: &[("mount.used_pct", "/srv")],
        says: "File system /srv is 7",
        // It grows by a percent in 50 s, and is 75 % full after 19 min.
        together: None,
        within: 1200,
        over: 10,
    },
    Expected {
        cause: Cause::Leak,
        lasts: 1800,
        problems: &[("system.mem_used_pct", "")],
        says: "Memory usage is high: 7",
        together: None,
        within: 1300,
        over: 10,
    },
    Expected {
        cause: Cause::OomKill,
        lasts: 10,
        problems: &[("system.oom_kills_per_sec", "")],
        says: "1 process was killed by the OOM killer in the last 10 min",
        together: None,
        within: 10,
        over: 620,
    },
    Expected {
        cause: Cause::ClockLost,
        lasts: 1800,
        problems: &[("system.clock_synced", "")],
        says: "The clock is not synchronised",
        together: None,
        within: 600,
        over: 10,
    },
    Expected {
        cause: Cause::Lock,
        lasts: 240,
        problems: &[("db.longest_lock_wait_secs", "main")],
        says: "PID 9150 (application api, user app, database shop) blocks 3 sessions for 10 s",
        together: None,
        within: 10,
        over: 10,
    },
    Expected {
        cause: Cause::IdleTransaction,
        lasts: 1200,
        problems: &[("db.oldest_idle_in_xact_secs", "main")],
        says: "A session on main has been idle in a transaction for 5 min",
        together: None,
        within: 310,
        over: 10,
    },
    Expected {
        cause: Cause::ServerDown,
        lasts: 300,
        problems: &[("db.up", "main"), ("process_missing", "postgres")],
        says: "PostgreSQL main does not answer",
        together: None,
        within: 20,
        over: 10,
    },
    Expected {
        cause: Cause::ApiErrors,
        lasts: 900,
        problems: &[("api.error_pct", "api"), ("proxy.error_pct", "proxy")],
        says: "",
        together: None,
        within: 60,
        over: 60,
    },
    Expected {
        cause: Cause::ApiSlow,
        lasts: 900,
        problems: &[("api.p95_ms", "api"), ("proxy.latency_p95_ms", "proxy")],
        says: "p95 latency of api is high",
        together: None,
        within: 60,
        over: 10,
    },
    Expected {
        cause: Cause::ApiDown,
        lasts: 300,
        problems: &[
            ("target.up", "api"),
            ("process_missing", "pqcrypta-api"),
            ("proxy.error_pct", "proxy"),
        ],
        says: "",
        together: None,
        within: 20,
        over: 30,
    },
    Expected {
        cause: Cause::SlowDisk,
        lasts: 900,
        // What PostgreSQL and the API report is not explained by the host: they may be on another one.
        problems: &[
            ("io.read_ms", "main.autovacuum worker"),
            ("io.read_ms", "main.checkpointer"),
            ("io.read_ms", "main.client backend"),
            ("db.slow_queries", "main"),
            ("api.db_response_ms", "api"),
            ("api.p95_ms", "api"),
            ("system.pressure_io_full_pct", ""),
        ],
        says: "",
        together: Some("system.pressure_io_full_pct"),
        within: 120,
        over: 600,
    },
    Expected {
        cause: Cause::Zombie,
        lasts: 600,
        problems: &[("process_state", "pqcrypta-api")],
        says: "pqcrypta-api (PID ",
        together: None,
        within: 20,
        over: 10,
    },
    Expected {
        cause: Cause::LogDenied,
        lasts: 600,
        problems: &[("log.readable", "log0")],
        says: "Log log0 cannot be read",
        together: None,
        within: 60,
        over: 10,
    },
];

/// What is one problem with this cause only where less begins on its day: in the week of `FAULTS=nightly`.
const TOGETHER_IN_A_WEEK: [(Cause, &str); 1] = [(Cause::ApiErrors, "api.error_pct")];

/// Between the beginnings of two faults.
const APART: i64 = 2700;
/// When the first one begins.
const FIRST: i64 = 1200;

#[test]
fn each_fault_is_found_in_time_named_once_and_ended() {
    let is_expected = |cause: &Cause| FAULTS.iter().any(|one| one.cause == *cause);
    assert!(Cause::FAULTS.iter().all(is_expected));
    let days = if is_nightly() { 7 } else { 1 };
    let mut plan = Plan::healthy(21, days, Size::SMALL);
    let day_of = |nth: i64| if days == 1 { 0 } else { nth % i64::from(days) };
    let times: Vec<i64> = (0..)
        .zip(&FAULTS)
        .map(|(nth, _)| day_of(nth) * DAY + FIRST + nth * APART)
        .collect();
    for (from, one) in times.iter().zip(&FAULTS) {
        plan = plan.with(one.cause, *from, one.lasts);
    }
    let found = problems(&plan);
    let mut wrong = Vec::new();
    for (from, one) in times.iter().zip(&FAULTS) {
        let during = from - 60..from + APART - 60;
        let of: Vec<&Problem> = found
            .iter()
            .filter(|problem| during.contains(&problem.confirmed))
            .collect();
        if let Err(problem) = check(one, *from, &of) {
            let all: Vec<Problem> = of.into_iter().cloned().collect();
            wrong.push(format!(
                "{:?} from {from}: {problem}\n{}",
                one.cause,
                listed(&all)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(one: &Expected, from: i64, found: &[&Problem]) -> Result<(), String> {
    let roots: Vec<&&Problem> = found
        .iter()
        .filter(|problem| problem.cause.is_none() && problem.rule != CORRELATION)
        .collect();
    let of = |rule: &str, target: &str| {
        roots
            .iter()
            .find(|problem| problem.rule == rule && problem.target.starts_with(target))
    };
    let incidents = found.iter().filter(|problem| problem.rule == CORRELATION);
    let likely: Vec<&str> = incidents
        .filter_map(|problem| Some(&*problem.likely.as_ref()?.0))
        .collect();
    let mut quieter = TOGETHER_IN_A_WEEK.iter().filter(|_| is_nightly());
    let in_a_week = quieter.find(|(cause, _)| *cause == one.cause);
    if likely != Vec::from_iter(one.together.or(in_a_week.map(|(_, rule)| *rule))) {
        return Err(format!("problems that began together: {likely:?}"));
    }
    for (rule, target) in one.problems {
        let problem = of(rule, target).ok_or(format!("{rule} {target} is missing"))?;
        let resolved = problem.resolved.ok_or(format!("{rule} has not ended"))?;
        if resolved > from + one.lasts + one.over {
            return Err(format!(
                "{rule} ended {} s late",
                resolved - from - one.lasts
            ));
        }
    }
    if roots.len() != one.problems.len() {
        return Err(format!("{} problems", roots.len()));
    }
    let first = roots
        .iter()
        .min_by_key(|problem| problem.confirmed)
        .unwrap();
    if first.confirmed > from + one.within {
        return Err(format!("confirmed after {} s", first.confirmed - from));
    }
    if !first.message.starts_with(one.says) {
        return Err(format!("the first says {}", first.message));
    }
    Ok(())
}

/// A slow disk on a host that is otherwise well: many problems, and one of them is the cause.
#[test]
fn a_slow_disk_is_one_problem_with_its_cause() {
    let plan = Plan::healthy(23, 1, Size::SMALL).with(Cause::SlowDisk, 40_000, 900);
    let found = problems(&plan);
    let incidents: Vec<&Problem> = found.iter().filter(|one| one.rule == CORRELATION).collect();
    assert_eq!(incidents.len(), 1, "{}", listed(&found));
    let incident = incidents[0];
    let (cause, members) = incident.likely.clone().unwrap();
    assert_eq!(cause, "system.pressure_io_full_pct", "{}", listed(&found));
    let is_alone = |one: &&Problem| one.cause.is_none() && one.rule != CORRELATION;
    let alone: Vec<&Problem> = found.iter().filter(is_alone).collect();
    assert_eq!(members, alone.len(), "{}", listed(&found));
    assert!(alone.iter().all(|one| one.is_member), "{}", listed(&found));
    assert!(incident.confirmed <= 40_000 + 300, "{}", incident.confirmed);
    // It ends when it is known that the last of them has: after two good samples, of what is sampled slowly five minutes apart.
    let last = alone.iter().filter_map(|one| one.resolved).max().unwrap();
    let ended = incident.resolved.unwrap();
    assert!((last..=last + 300).contains(&ended), "{ended} {last}");
}

fn listed(found: &[Problem]) -> String {
    let line = |one: &Problem| {
        format!(
            "  {} {} {}: {} (opened {}, confirmed {}, resolved {:?}, because of {:?}, likely {:?})",
            one.worst,
            one.rule,
            one.target,
            one.message,
            one.opened,
            one.confirmed,
            one.resolved,
            one.cause,
            one.likely
        )
    };
    found.iter().map(line).collect::<Vec<_>>().join("\n")
}
