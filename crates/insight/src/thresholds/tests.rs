//! Thresholds over the rows of a host in trouble, tick by tick.

use super::*;
use crate::live::Intervals;
use schema::micros::SECOND;
use schema::tables::{
    ApiSample, DbSample, FindingTransition, ProcessSample, SelfSample, SessionSample, SystemSample,
    TableSample, TargetSample,
};
use schema::{Row, Sample};

const SECS: i64 = SECOND;
/// 2027-01-15.
const NOW: i64 = 1_800_000_000 * SECS;
const INTERVALS: Intervals = Intervals {
    host: 10 * SECS,
    services: 10 * SECS,
};

/// A host whose rows are judged as the collector does.
struct Host {
    memory: Memory,
    judge: Thresholds,
    lifecycle: Lifecycle,
    told: Vec<FindingTransition>,
}

impl Host {
    fn new() -> Self {
        Self {
            memory: Memory::new(INTERVALS).unwrap(),
            judge: Thresholds::default(),
            lifecycle: Lifecycle::new(Thresholds::rules()),
            told: Vec::new(),
        }
    }

    /// Judges the rows of the tick at `secs` and returns what follows, as `opened rule target`.
    fn tick<const N: usize>(&mut self, secs: i64, rows: [Row; N]) -> Vec<String> {
        let at = Timestamp(NOW + secs * SECS);
        self.memory.take(&rows);
        let facts = TickFacts {
            memory: &mut self.memory,
            rows: &[rows.as_slice()],
            intervals: INTERVALS,
        };
        let evaluation = self.judge.evaluate(facts, &self.lifecycle, at);
        let transitions = self.lifecycle.reconcile(evaluation, at);
        let told: Vec<FindingTransition> = transitions.into_iter().map(|(_, row)| row).collect();
        let words = told
            .iter()
            .map(|row| {
                format!("{} {} {}", row.transition, row.rule, row.target)
                    .trim_end()
                    .to_owned()
            })
            .collect();
        self.told.extend(told);
        words
    }

    /// Confirmed findings that nothing else explains.
    fn problems(&self) -> Vec<&FindingTransition> {
        let open = self.lifecycle.open();
        let newest = open.filter_map(|one| {
            let mut of = self.told.iter().rev();
            of.find(|row| row.rule == one.rule && row.target == one.target)
        });
        newest
            .filter(|row| row.confirmed_at.is_some() && row.cause_rule.is_none())
            .collect()
    }

    fn last(&self, rule: &str) -> &FindingTransition {
        self.told.iter().rev().find(|row| row.rule == rule).unwrap()
    }
}

fn at(secs: i64) -> Timestamp {
    Timestamp(NOW + secs * SECS)
}

fn system(secs: i64, change: impl FnOnce(&mut SystemSample)) -> Row {
    let mut sample = SystemSample::default();
    change(&mut sample);
    sample.into_row(at(secs))
}

fn busy(secs: i64, pct: f64) -> Row {
    system(secs, |sample| {
        sample.cpu_idle = Some(100.0 - pct);
        sample.cpu_iowait = Some(0.0);
    })
}

fn server(secs: i64, change: impl FnOnce(&mut DbSample)) -> Row {
    let mut sample = DbSample {
        instance: "store".to_owned(),
        up: true,
        ..DbSample::default()
    };
    change(&mut sample);
    sample.into_row(at(secs))
}

fn session(secs: i64, pid: i32, state: &str, blocked_by: Option<i32>, victims: i64) -> Row {
    SessionSample {
        instance: "store".to_owned(),
        pid,
        database: "shop".to_owned(),
        role: "app".to_owned(),
        application: "psql".to_owned(),
        state: state.to_owned(),
        blocked_by,
        victims,
        query: "UPDATE orders".to_owned(),
        query_secs: Some(45.0),
        xact_secs: Some(45.0),
        ..SessionSample::default()
    }
    .into_row(at(secs))
}

#[test]
fn a_lock_that_others_wait_for_is_one_problem_that_names_the_session() {
    let mut host = Host::new();
    host.tick(0, [server(0, |_| {})]);
    for secs in (10..=100).step_by(10) {
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        let waited = secs as f64;
        let sample = server(secs, |sample| {
            sample.conn_waiting = Some(2);
            sample.longest_lock_wait_secs = Some(waited);
            sample.longest_query_secs = Some(waited);
            sample.oldest_xact_secs = Some(waited + 5.0);
            sample.oldest_idle_in_xact_secs = Some(waited + 5.0);
            sample.slow_queries = Some(2);
        });
        host.tick(
            secs,
            [
                sample,
                session(secs, 9150, "idle in transaction", None, 2),
                session(secs, 9151, "active", Some(9150), 0),
                session(secs, 9152, "active", Some(9150), 0),
            ],
        );
        let problems = host.problems();
        let rules: Vec<&str> = problems.iter().map(|row| row.rule.as_str()).collect();
        assert_eq!(rules, ["db.longest_lock_wait_secs"], "{secs}");
    }
    let problem = host.last("db.longest_lock_wait_secs");
    assert_eq!(problem.opened_at, at(10), "within a tick of the threshold");
    assert_eq!(
        problem.message,
        "PID 9150 (application psql, user app, database shop) blocks 2 sessions for 90 s"
    );
    assert_eq!(
        problem.action_sql.as_deref(),
        Some("SELECT pg_terminate_backend(9150);")
    );
    assert_eq!(
        problem.details.as_ref().unwrap().0,
        r#"{"advice":{"category":"db","target":"waiting:store","title":"Resolve what sessions wait for"},"cause":"It has been idle in a transaction for 45 s; last statement: UPDATE orders"}"#
    );
    assert_eq!(problem.severity, Severity::Critical, "from 60 s on");
    for secs in [110, 120] {
        host.tick(secs, [server(secs, |_| {})]);
    }
    assert_eq!(host.problems().len(), 0);
    assert_eq!(
        host.last("db.longest_lock_wait_secs").resolved_at,
        Some(at(110))
    );
    let worse = host
        .told
        .iter()
        .filter(|row| row.transition == "worse" && row.seen_at > at(100));
    assert_eq!(worse.count(), 0, "nothing gets worse after the release");
}

#[test]
fn a_share_of_failures_is_told_while_it_lasts_and_not_after() {
    let mut host = Host::new();
    let (mut total, mut failed) = (1_000_000, 5_000);
    let mut sample = |secs: i64, errors: i64| {
        total += 500;
        failed += errors;
        ApiSample {
            target: "api".to_owned(),
            total_requests: Some(total),
            failed_requests: Some(failed),
            ..ApiSample::default()
        }
        .into_row(at(secs))
    };
    for secs in (0..600).step_by(10) {
        host.tick(secs, [sample(secs, 1)]);
    }
    assert_eq!(host.told.len(), 0);
    for secs in (600..700).step_by(10) {
        host.tick(secs, [sample(secs, 43)]);
    }
    let told = host.last("api.error_pct");
    assert_eq!(told.severity, Severity::Critical);
    assert_eq!(told.opened_at, at(600));
    assert_eq!(told.confirmed_at, Some(at(620)));
    assert!(
        told.message
            .starts_with("8.6 % of the requests to api fail"),
        "{}",
        told.message
    );
    let words = host.tick(700, [sample(700, 1)]);
    assert_eq!(words, [""; 0]);
    let words = host.tick(710, [sample(710, 2)]);
    assert_eq!(words, ["resolved api.error_pct api"], "two good samples");
    assert_eq!(host.last("api.error_pct").resolved_at, Some(at(700)));
}

#[test]
fn a_value_around_its_threshold_does_not_change_its_state_each_minute() {
    let mut host = Host::new();
    for secs in (0..180).step_by(10) {
        let pct = if (secs / 30) % 2 == 0 { 72.0 } else { 69.0 };
        host.tick(secs, [busy(secs, pct)]);
    }
    let changes = host.told.iter().filter(|row| row.transition != "refreshed");
    let changes: Vec<&str> = changes.map(|row| row.transition.as_str()).collect();
    assert_eq!(changes, ["opened", "confirmed"]);
}

#[test]
fn one_late_sample_is_no_problem() {
    let mut host = Host::new();
    for secs in [0, 10, 96, 100, 110] {
        let sample = SelfSample {
            tick_late_ms: if secs == 96 { 82_000.0 } else { 1.0 },
            db_healthy: true,
            ..SelfSample::default()
        };
        host.tick(secs, [sample.into_row(at(secs))]);
    }
    assert_eq!(host.problems().len(), 0);
}

#[test]
fn events_remain_a_problem_while_the_window_has_them() {
    let mut host = Host::new();
    let kills = |secs: i64, total| system(secs, |sample| sample.oom_kills_total = Some(total));
    host.tick(0, [kills(0, 3)]);
    assert_eq!(
        host.tick(10, [kills(10, 4)]),
        ["opened system.oom_kills_per_sec"]
    );
    assert_eq!(
        host.last("system.oom_kills_per_sec").message,
        "1 process was killed by the OOM killer in the last 10 min"
    );
    // Not the process that is largest now.
    let command = host.last("system.oom_kills_per_sec").command.as_deref();
    assert!(command.unwrap().starts_with("journalctl -k"));
    let mut ended = None;
    for secs in (20..900).step_by(10) {
        let words = host.tick(secs, [kills(secs, 4)]);
        if words == ["resolved system.oom_kills_per_sec"] {
            ended = Some(secs);
        }
    }
    assert!(
        ended.is_some_and(|secs| (600..640).contains(&secs)),
        "{ended:?}"
    );
}

#[test]
fn after_a_start_one_bad_interval_is_no_problem_and_what_was_open_is_kept() {
    let pressed = |secs: i64, total: i64| {
        system(secs, |sample| {
            sample.pressure_cpu_some_us_total = Some(total * 1_000_000)
        })
    };
    let mut host = Host::new();
    for secs in (0..50).step_by(10) {
        host.tick(secs, [pressed(secs, secs)]);
    }
    assert_eq!(host.told.len(), 0, "forty seconds of two minutes are known");
    host.tick(60, [pressed(60, 60)]);
    assert_eq!(
        host.last("system.pressure_cpu_some_pct").severity,
        Severity::Critical
    );

    let mut host = Host::new();
    let kills = |secs: i64, total| system(secs, |sample| sample.oom_kills_total = Some(total));
    for secs in [0, 10] {
        host.tick(secs, [kills(secs, secs / 10)]);
    }
    // Started again: the memory is empty, the finding is read back.
    host.memory = Memory::new(INTERVALS).unwrap();
    host.judge = Thresholds::default();
    for secs in (20..560).step_by(10) {
        assert_eq!(host.tick(secs, [kills(secs, 1)]), [""; 0], "{secs}");
    }
    let ended = (560..700)
        .step_by(10)
        .find(|secs| !host.tick(*secs, [kills(*secs, 1)]).is_empty());
    assert!(ended.is_some());
}

#[test]
fn a_key_that_is_gone_has_ended_and_one_that_nobody_reports_is_unknown() {
    let table = |secs: i64, name: &str, dead: i64| {
        TableSample {
            instance: "store".to_owned(),
            database: "shop".to_owned(),
            schema_name: "public".to_owned(),
            table_name: name.to_owned(),
            n_live_tup: Some(2500),
            n_dead_tup: Some(dead),
            ..TableSample::default()
        }
        .into_row(at(secs))
    };
    let mut host = Host::new();
    for secs in [0, 300, 600] {
        host.tick(secs, [table(secs, "a", 9000), table(secs, "b", 9000)]);
    }
    assert_eq!(host.problems().len(), 2, "confirmed by the third sample");
    assert_eq!(
        host.last("table.dead_pct").action_sql.as_deref(),
        Some("VACUUM (ANALYZE) \"public\".\"b\";")
    );
    host.tick(900, [table(900, "b", 9000)]);
    let words = host.tick(1200, [table(1200, "b", 9000)]);
    assert!(
        words.contains(&"resolved table.dead_pct store.shop.public.a".to_owned()),
        "{words:?}"
    );
    for secs in (1210..2100).step_by(10) {
        host.tick(secs, [busy(secs, 1.0)]);
    }
    assert_eq!(
        host.tick(2110, [busy(2110, 1.0)]),
        ["unknown table.dead_pct store.shop.public.b"]
    );
    assert_eq!(
        host.tick(2120, [table(2120, "b", 9000)]),
        ["refreshed table.dead_pct store.shop.public.b"]
    );
}

#[test]
fn what_does_not_answer_is_told_with_its_error_and_explains_the_rest() {
    let mut host = Host::new();
    let target = |secs: i64, up: bool| {
        TargetSample {
            target: "api".to_owned(),
            kind: "api".to_owned(),
            up,
            bad_values: 0,
            error: (!up).then(|| "connection refused".to_owned()),
            ..TargetSample::default()
        }
        .into_row(at(secs))
    };
    host.tick(0, [target(0, true)]);
    for secs in [10, 20, 30] {
        host.tick(secs, [target(secs, false)]);
    }
    let told = host.last("target.up");
    assert_eq!(
        (told.transition.as_str(), told.severity),
        ("confirmed", Severity::Critical)
    );
    assert_eq!(told.message, "Target api does not answer");
    assert_eq!(
        told.details.as_ref().unwrap().0,
        r#"{"cause":"connection refused"}"#
    );
    host.tick(40, [target(40, true)]);
    assert_eq!(
        host.tick(50, [target(50, true)]),
        ["resolved target.up api"]
    );
}

#[test]
fn of_very_many_the_worst_are_named_and_the_rest_is_counted() {
    let mut host = Host::new();
    let rows = |secs: i64| -> [Row; 300] {
        std::array::from_fn(|n| {
            TableSample {
                instance: "store".to_owned(),
                database: "shop".to_owned(),
                schema_name: "public".to_owned(),
                table_name: format!("t{n:03}"),
                n_live_tup: Some(2500),
                n_dead_tup: Some(1000 + i64::try_from(n).unwrap()),
                ..TableSample::default()
            }
            .into_row(at(secs))
        })
    };
    for secs in [0, 300, 600] {
        host.tick(secs, rows(secs));
    }
    let problems = host.problems();
    assert_eq!(problems.len(), MOST + 1);
    let rest = problems.iter().find(|row| row.target == REST).unwrap();
    assert!(rest.message.contains("200 more"), "{}", rest.message);
    assert!(problems.iter().any(|row| row.target.ends_with("t299")));
}

#[test]
fn every_rule_is_of_a_metric_with_a_threshold_and_a_title() {
    for threshold in THRESHOLDS.iter() {
        assert_eq!(threshold.metric.id(), threshold.rule.id);
    }
    for (id, _) in BECAUSE {
        assert!(Thresholds::rules().any(|rule| rule.id == *id), "{id}");
    }
    for id in OF_SESSIONS {
        assert!(BECAUSE.iter().any(|(of, _)| *of == id), "{id}");
    }
}

#[test]
fn a_busy_cpu_names_who_uses_it_and_not_who_happens_to_run() {
    let cause = |shares: &[f64], count: Option<i32>| {
        let mut host = Host::new();
        for secs in [0, 10] {
            let row = system(secs, |sample| {
                sample.cpu_idle = Some(5.0);
                sample.cpu_iowait = Some(0.0);
                sample.cpu_count = count;
            });
            let mut rows = vec![row];
            for (pid, share) in (1..).zip(shares) {
                let process = ProcessSample {
                    pid,
                    process_name: format!("p{pid}"),
                    cpu_pct: Some(*share),
                    process_count: 1,
                    ..ProcessSample::default()
                };
                rows.push(process.into_row(at(secs)));
            }
            let rows: [Row; 3] = rows.try_into().unwrap();
            host.tick(secs, rows);
        }
        let details = host.last("system.cpu_busy_pct").details.clone();
        let details = details.map_or_else(|| "{}".to_owned(), |details| details.0);
        let details: serde_json::Value = serde_json::from_str(&details).unwrap();
        details["cause"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(
        cause(&[150.0, 20.0], Some(2)),
        "Most CPU: p1 (PID 1) with 150 % of a core."
    );
    let short = cause(&[14.0, 6.0], Some(2));
    assert!(
        short.starts_with("Processes that end within seconds"),
        "{short}"
    );
    assert!(
        short.ends_with("account for 20 % of a core, of 190 %."),
        "{short}"
    );
    assert!(cause(&[0.0, 0.0], Some(2)).is_empty(), "the first tick");
    // Of how many cores is unknown.
    assert_eq!(
        cause(&[14.0, 1.0], None),
        "Most CPU: p1 (PID 1) with 14 % of a core."
    );
}
