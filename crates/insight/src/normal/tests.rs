//! On generated months: a clean one is silent, faults are found and over in time, and a restart changes nothing.

use super::episode::Lead;
use super::*;
use crate::live::Intervals;
use crate::memory::Memory;
use schema::tables::FindingTransition;
use testkit::month::{Cause, Month, Plan, Size};

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

/// The judge alone, with what it looks at.
struct Bench {
    memory: Memory,
    judge: NormalJudge,
    findings: Lifecycle,
    intervals: Intervals,
}

impl Bench {
    fn new(interval_secs: u32) -> Self {
        let interval = i64::from(interval_secs) * SECOND;
        let intervals = Intervals {
            host: interval,
            services: interval,
        };
        Self {
            memory: Memory::new(intervals).unwrap(),
            judge: NormalJudge::default(),
            findings: Lifecycle::new(crate::rules()),
            intervals,
        }
    }

    fn tick(&mut self, rows: &[schema::Row], at: Timestamp) -> Vec<(Timestamp, FindingTransition)> {
        self.memory.take(rows);
        let facts = TickFacts {
            memory: &mut self.memory,
            rows: &[rows],
            intervals: self.intervals,
        };
        let evaluation = self.judge.evaluate(facts, &self.findings, at);
        self.findings.reconcile(evaluation, at)
    }
}

/// A confirmed finding, seconds after the beginning, as of its newest transition.
#[derive(Debug)]
struct Found {
    confirmed: i64,
    resolved: Option<i64>,
    last: FindingTransition,
}

/// Returns days with a sample a minute: a single bad sample weighs twice as much as with the default interval.
fn plan(seed: u64, days: u32, size: Size) -> Plan {
    Plan {
        interval_secs: 60,
        ..Plan::healthy(seed, days, size)
    }
}

/// Judges a plan and returns what was confirmed.
fn found(plan: &Plan) -> Vec<Found> {
    let secs = |at: Timestamp| (at.as_micros() - plan.begin.as_micros()) / SECOND;
    let mut bench = Bench::new(plan.interval_secs);
    let mut all: Vec<Found> = Vec::new();
    for tick in Month::new(plan) {
        for (_, row) in bench.tick(&tick.rows, tick.ts) {
            let Some(confirmed) = row.confirmed_at else {
                continue;
            };
            let known = all.iter_mut().find(|one| {
                one.last.rule == row.rule
                    && one.last.target == row.target
                    && one.last.opened_at == row.opened_at
            });
            let resolved = row.resolved_at.map(secs);
            match known {
                Some(known) => (known.resolved, known.last) = (resolved, row),
                None => all.push(Found {
                    confirmed: secs(confirmed),
                    resolved,
                    last: row,
                }),
            }
        }
    }
    let (_, mature) = bench.judge.followed();
    assert!(mature > 100, "{mature} series");
    all
}

fn listed<'a>(found: impl IntoIterator<Item = &'a Found>) -> String {
    let line = |one: &Found| {
        format!(
            "day {:.2} until {:.2}: {} {} {} (score {:.1}, z {:.1})",
            one.confirmed as f64 / DAY as f64,
            one.resolved.unwrap_or_default() as f64 / DAY as f64,
            one.last.worst.as_str(),
            one.last.rule,
            one.last.message,
            one.last.score.unwrap_or_default(),
            one.last.z_score.unwrap_or_default(),
        )
    };
    found.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn clean_months_have_no_more_than_a_warning_a_day_and_nothing_critical() {
    let plans = match is_nightly() {
        true => vec![
            plan(11, 30, Size::SMALL),
            plan(12, 30, Size::SMALL),
            plan(13, 9, Size::USUAL),
        ],
        false => vec![plan(11, 3, Size::SMALL)],
    };
    for plan in plans {
        let found = found(&plan);
        println!("{}", listed(&found));
        let count = |severity| {
            let worst = found.iter().map(|one| one.last.worst);
            worst.filter(|worst| *worst == severity).count()
        };
        assert_eq!(count(Severity::Critical), 0);
        assert!(count(Severity::Warn) <= plan.days as usize);
    }
}

/// What a fault is seen by: rule and target.
const SEEN: [(Cause, &str, &str); 8] = [
    (Cause::CpuBusy, "unusual.system.cpu_busy_pct", ""),
    (Cause::DiskFills, "unusual.mount.used_pct", "/srv"),
    (Cause::Leak, "unusual.system.mem_used_pct", ""),
    (Cause::Lock, "unusual.db.wait_lock", "main"),
    (Cause::ApiErrors, "unusual.api.error_pct", "api"),
    (Cause::ApiSlow, "unusual.api.p95_ms", "api"),
    (Cause::SlowDisk, "unusual.disk.busy_pct", "sdb"),
    (Cause::LogDenied, "unusual.log.lines_per_sec", "log0"),
];
/// So long each lasts, and so far apart are their beginnings.
const LASTS: i64 = 2400;
const APART: i64 = 9000;
/// When the first begins: after three days of learning, at one o'clock.
const FIRST: i64 = 3 * DAY + HOUR;

#[test]
fn faults_are_found_within_two_cycles_and_over_when_they_are() {
    let times = || (0..).map(|nth| FIRST + nth * APART);
    let mut plan = plan(21, 4, Size::SMALL);
    for ((cause, ..), from) in SEEN.iter().zip(times()) {
        plan = plan.with(*cause, from, LASTS);
    }
    let all = found(&plan);
    println!("{}", listed(&all));
    let during = |from: i64| {
        let all = all.iter();
        all.filter(move |one| (from..from + APART).contains(&one.confirmed))
    };
    for ((cause, rule, target), from) in SEEN.iter().zip(times()) {
        let mut of = during(from);
        let seen = of.find(|one| one.last.rule == *rule && one.last.target == *target);
        let seen = seen.unwrap_or_else(|| panic!("{cause:?}: {}", listed(during(from))));
        // What grows slowly is found when it is far enough.
        let within = match cause {
            Cause::DiskFills | Cause::Leak => LASTS,
            _ => 3 * CYCLE / SECOND,
        };
        assert!(
            seen.confirmed <= from + within,
            "{cause:?}: {}",
            listed([seen])
        );
        let resolved = seen
            .resolved
            .unwrap_or_else(|| panic!("{cause:?} is not over"));
        assert!(
            resolved <= from + LASTS + 4 * CYCLE / SECOND,
            "{cause:?}: {}",
            listed([seen])
        );
        let figures = [
            seen.last.baseline_mean,
            seen.last.baseline_stddev,
            seen.last.z_score,
            seen.last.score,
        ];
        assert!(figures.iter().all(Option::is_some), "{cause:?}");
    }
    let clean: Vec<&Found> = all.iter().filter(|one| one.confirmed < FIRST).collect();
    let severe = clean.iter().filter(|one| one.last.worst.is_problem());
    assert!(severe.count() <= 3, "{}", listed(clean.iter().copied()));
}

#[test]
fn a_restart_continues_where_the_last_run_ended() {
    let plan = plan(5, 2, Size::SMALL).with(Cause::CpuBusy, DAY + 12 * HOUR, HOUR);
    // In the middle of what is unusual.
    let stop = plan.at(DAY + 12 * HOUR + 1500);
    let (mut straight, mut restarted) = (Bench::new(60), Bench::new(60));
    let mut is_restarted = false;
    for tick in Month::new(&plan) {
        if tick.ts >= stop && !is_restarted {
            is_restarted = true;
            let mut judge = NormalJudge {
                cycle: restarted.judge.cycle,
                ..NormalJudge::default()
            };
            let saved = restarted.judge.save();
            assert_eq!(judge.restore(&saved), restarted.judge.followed().0);
            assert_eq!(judge.save(), saved);
            restarted.judge = judge;
        }
        let expected = straight.tick(&tick.rows, tick.ts);
        let found = restarted.tick(&tick.rows, tick.ts);
        assert_eq!(found, expected, "{:?}", tick.ts);
    }
    assert_eq!(straight.judge.save(), restarted.judge.save());
    let saved = straight.judge.save();
    let (followed, _) = straight.judge.followed();
    for length in (0..saved.len()).step_by(997) {
        let mut judge = NormalJudge::default();
        assert!(judge.restore(&saved[..length]) < followed, "{length}");
    }
}

#[test]
fn of_many_keys_the_greatest_are_followed_and_room_is_made() {
    let limits = Limits {
        levels: Level::ALL.map(Level::from_score),
        least: 1.0,
        better: schema::Better::Lower,
    };
    let mut followed = Followed::default();
    let moment = Moment::new(0, 0);
    for cycle in 0..30 {
        for key in 0..300 {
            followed.observe(
                moment,
                cycle,
                &format!("key {key}"),
                f64::from(key),
                &limits,
            );
        }
        // It comes and goes, and is never followed.
        if cycle % 2 == 0 {
            followed.observe(moment, cycle, "job", 1e9, &limits);
        }
        followed.admit(cycle);
    }
    assert_eq!(followed.series.len(), MOST_KEYS);
    assert!(!followed.series.contains_key("job") && !followed.series.contains_key("key 99"));
    assert!(followed.series.contains_key("key 100"));
    for cycle in 30..30 + REPLACED_AFTER + 13 {
        followed.observe(moment, cycle, "new", 1.0, &limits);
        followed.admit(cycle);
    }
    assert_eq!(followed.series.len(), MOST_KEYS);
    assert!(followed.series.contains_key("new"));
    followed.admit(30 + FORGOTTEN_AFTER + REPLACED_AFTER + 13);
    assert!(followed.series.is_empty());
}

#[test]
fn a_sentence_states_value_hour_and_what_is_normal() {
    let episode = |lead, value, expected, spread| Episode {
        begun: 0,
        level: Level::Warn,
        score: 7.0,
        lead,
        deviation: value - expected,
        expected,
        spread,
        value,
    };
    for (metric, key, episode, expected) in [
        (
            "system.cpu_busy_pct",
            "",
            episode(Lead::Deviation, 82.0, 27.5, 3.75),
            "CPU busy: 82 %, unusually high for Monday 10:00 (normally 20 % to 35 %)",
        ),
        (
            "api.requests_per_sec",
            "api",
            episode(Lead::Deviation, 0.0, 200.0, 150.0),
            "Requests of api: 0/s, unusually low for Monday 10:00 (normally 0/s to 500/s)",
        ),
        (
            "db.cache_hit_pct",
            "main",
            episode(Lead::Shift, 91.0, 99.0, 1.0),
            "Cache hit ratio of main: 91 %, on a lower level for hours (normally 99 %)",
        ),
        (
            "api.p95_ms",
            "api",
            episode(Lead::Drift, 150.0, 120.0, 20.0),
            "p95 latency of api: 150 ms, higher than usual for hours (normally 120 ms)",
        ),
        (
            "system.procs_blocked",
            "",
            episode(Lead::Deviation, 3.0, 1e-9, 1e-9),
            "Blocked threads: 3, unusually high for Monday 10:00 (normally 0)",
        ),
    ] {
        let metric = schema::metric(metric).unwrap();
        let moment = Moment::new(0, 10 * 3600 + 150);
        assert_eq!(texts::message(metric, key, &episode, moment), expected);
    }
}
