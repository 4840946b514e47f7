use super::*;
use crate::live::Intervals;
use crate::memory::Memory;

const SECS: i64 = SECOND;
const NOW: i64 = 1_800_000_000 * SECS;
const INTERVALS: Intervals = Intervals {
    host: 10 * SECS,
    services: 10 * SECS,
};

struct Host {
    memory: Memory,
    judge: DeliveryJudge,
    lifecycle: Lifecycle,
}

impl Host {
    fn new() -> Self {
        Self {
            memory: Memory::new(INTERVALS).unwrap(),
            judge: DeliveryJudge::default(),
            lifecycle: Lifecycle::new(DeliveryJudge::rules()),
        }
    }

    fn tick(&mut self, secs: i64, rows: &[Row]) -> Vec<(String, String)> {
        let at = at(secs);
        self.memory.take(rows);
        let facts = TickFacts {
            memory: &mut self.memory,
            rows: &[rows],
            intervals: INTERVALS,
        };
        let evaluation = self.judge.evaluate(facts, &self.lifecycle, at);
        let told = self.lifecycle.reconcile(evaluation, at);
        told.into_iter()
            .map(|(_, row)| (format!("{} {}", row.transition, row.rule), row.message))
            .collect()
    }
}

fn at(secs: i64) -> Timestamp {
    Timestamp(NOW + secs * SECS)
}

fn host(secs: i64) -> Row {
    SystemSample::default().into_row(at(secs))
}

fn told(rule: &str, message: &str) -> (String, String) {
    (rule.to_owned(), message.to_owned())
}

#[test]
fn a_collector_that_fails_three_times_is_reported_until_it_works() {
    let run = |secs: i64, outcome: &str| {
        CollectorRun {
            collector: "mounts".to_owned(),
            outcome: outcome.to_owned(),
            error: (outcome == "failed").then(|| "no answer".to_owned()),
            ..CollectorRun::default()
        }
        .into_row(at(secs))
    };
    let mut host = Host::new();
    for (secs, outcome, expected) in [
        (0, "failed", None),
        (10, "failed", None),
        (20, "ok", None),
        (30, "failed", None),
        (40, "failed", None),
        (50, "timeout", Some("opened collector_failed")),
        (60, "ok", Some("resolved collector_failed")),
    ] {
        let words: Vec<String> = host
            .tick(secs, &[run(secs, outcome)])
            .into_iter()
            .map(|(word, _)| word)
            .collect();
        assert_eq!(words.first().map(String::as_str), expected, "{secs}");
    }
}

#[test]
fn a_collector_that_stood_still_is_a_finding_of_the_past() {
    let mut one = Host::new();
    one.tick(0, &[host(0)]);
    assert_eq!(one.tick(12, &[host(12)]), []);
    let expected = [told(
        "opened collector_stalled",
        "The collector took no samples for 86 s",
    )];
    assert_eq!(one.tick(98, &[host(98)]), expected);
    let words = one.tick(108, &[host(108)]);
    assert_eq!(words.len(), 1);
    assert_eq!(words[0].0, "resolved collector_stalled");
}

#[test]
fn a_run_that_was_not_stopped_is_a_finding_of_the_past() {
    let mut one = Host::new();
    one.judge.note_crash(at(-90));
    let expected = [told(
        "opened collector_crashed",
        "The collector ended without being stopped and took no samples for 100 s",
    )];
    assert_eq!(one.tick(10, &[host(10)]), expected);
    let since = one.lifecycle.open().map(|one| one.span);
    assert_eq!(since.collect::<Vec<_>>(), [Some((at(-90), at(10)))]);
    let words = one.tick(20, &[host(20)]);
    assert_eq!(words.len(), 1);
    assert_eq!(words[0].0, "resolved collector_crashed");
    assert_eq!(one.tick(30, &[host(30)]), []);
}

#[test]
fn losses_are_counted_over_an_hour_from_the_start_of_the_run() {
    let own = |secs: i64, lost: i64, dead: i64| {
        SelfSample {
            lost_records_total: lost,
            dead_letters_total: dead,
            ..SelfSample::default()
        }
        .into_row(at(secs))
    };
    let mut one = Host::new();
    // Found at the start.
    let expected = [told("opened data_lost", "3 records lost within 1 s")];
    assert_eq!(one.tick(0, &[own(0, 3, 0)]), expected);
    let expected = [told(
        "opened rows_rejected",
        "The database rejected 1 row within 10 s",
    )];
    assert_eq!(one.tick(10, &[own(10, 3, 1)]), expected);
    let mut words = Vec::new();
    for secs in (20..7300).step_by(10) {
        let lost = if secs < 100 { 3 } else { 5 };
        let told = one.tick(secs, &[own(secs, lost, 1)]);
        words.extend(
            told.into_iter()
                .filter(|(word, _)| !word.starts_with("refreshed"))
                .map(|(word, _)| (secs, word)),
        );
    }
    let expected = [
        (3610, "resolved rows_rejected".to_owned()),
        (3700, "resolved data_lost".to_owned()),
    ];
    assert_eq!(words, expected);
}

#[test]
fn what_delivered_and_is_silent_is_reported_since_its_last_row() {
    let target = |secs: i64| {
        TargetSample {
            target: "api".to_owned(),
            ..TargetSample::default()
        }
        .into_row(at(secs))
    };
    let mut one = Host::new();
    one.tick(0, &[host(0), target(0)]);
    for secs in (10..=60).step_by(10) {
        assert_eq!(one.tick(secs, &[host(secs)]), [], "{secs}");
    }
    let expected = [told("opened no_data", "No data from target api")];
    assert_eq!(one.tick(70, &[host(70)]), expected);
    let open: Vec<_> = one.lifecycle.open().map(|finding| finding.since).collect();
    assert_eq!(open, [Some(at(0))]);
    one.tick(80, &[host(80), target(80)]);
    assert_eq!(
        one.tick(90, &[host(90), target(90)])[0].0,
        "resolved no_data"
    );
}

#[test]
fn statistics_that_cannot_be_read_are_one_finding_with_the_grant() {
    let gap = |secs: i64, family: &str, state: &str, remedy: &str| {
        VisibilityGap {
            instance: "store".to_owned(),
            family: family.to_owned(),
            state: state.to_owned(),
            remedy: remedy.to_owned(),
            ..VisibilityGap::default()
        }
        .into_row(at(secs))
    };
    let server = |secs: i64| {
        DbSample {
            instance: "store".to_owned(),
            ..DbSample::default()
        }
        .into_row(at(secs))
    };
    let mut one = Host::new();
    let rows = [
        server(0),
        gap(
            0,
            "statements",
            "denied",
            "GRANT pg_read_all_stats TO watcher",
        ),
        gap(
            0,
            "sessions",
            "denied",
            "GRANT pg_read_all_stats TO watcher",
        ),
        gap(0, "wal_dir", "denied", "GRANT pg_monitor TO watcher"),
        gap(0, "io", "not_installed", ""),
    ];
    let expected = [told(
        "opened db_visibility",
        "2 statistics unavailable on store: sessions, statements",
    )];
    assert_eq!(one.tick(0, &rows), expected);
    let open: Vec<_> = one
        .lifecycle
        .open()
        .map(|one| one.action_sql.clone().unwrap())
        .collect();
    assert_eq!(open, ["GRANT pg_read_all_stats TO watcher;"]);
    assert_eq!(one.tick(20, &[server(20)]), []);
    let mut ended = Vec::new();
    for secs in (30..1000).step_by(10) {
        ended.extend(one.tick(secs, &[server(secs)]));
    }
    assert_eq!(ended.last().unwrap().0, "resolved db_visibility");
}

#[test]
fn sessions_that_the_database_refuses_are_one_finding_with_the_limit() {
    use store::crowding::{Limit, Purpose};
    let words = "too many connections for role \"web\" (53300)";
    let mut crowding = Crowding::default();
    let statistics = Purpose::Statistics("store".to_owned());
    for purpose in [Purpose::Logs, Purpose::Jobs, statistics] {
        crowding.note(purpose, Some(words.to_owned()));
    }
    let cases = [
        (
            None,
            "The database has no room for a connection of this collector",
            None,
        ),
        (
            Some(Limit::Role("web".to_owned(), 1)),
            "Role web may have 1 connection to the database, and this collector needs more",
            Some("ALTER ROLE \"web\" CONNECTION LIMIT 6;"),
        ),
        (
            Some(Limit::Database("metrics".to_owned(), 20)),
            "Database metrics admits 20 connections, and the collectors need more",
            Some("ALTER DATABASE \"metrics\" CONNECTION LIMIT -1;"),
        ),
        (
            Some(Limit::Server(97)),
            "All 97 connections of the database's server are in use, and this collector needs another one",
            None,
        ),
    ];
    for (limit, message, sql) in cases {
        let mut one = Host::new();
        let is_of_server = matches!(limit, Some(Limit::Server(_)));
        crowding.limit = limit;
        one.judge.note_crowding(crowding.clone());
        assert_eq!(
            one.tick(0, &[host(0)]),
            [told("opened store_connections", message)]
        );
        assert_eq!(
            one.tick(10, &[host(10)])[0].0,
            "confirmed store_connections"
        );
        let open: Vec<_> = one.lifecycle.open().cloned().collect();
        let [finding] = open.as_slice() else {
            panic!("{open:?}")
        };
        assert_eq!(
            finding.explains,
            [
                ("logs_blocked", String::new()),
                ("db.up", "store".to_owned()),
                ("collector_failed", "store.postgres".to_owned()),
                ("collector_failed", "store.postgres_slow".to_owned()),
            ]
        );
        assert!(finding.details.as_deref().unwrap().contains("53300"));
        match is_of_server {
            true => assert!(finding.steps[1].contains("max_connections"), "{finding:?}"),
            false => assert_eq!(finding.action_sql.as_deref(), sql),
        }
        assert_eq!(finding.severity, Severity::Warn);
        one.judge.note_crowding(Crowding::default());
        one.tick(20, &[host(20)]);
        assert_eq!(one.tick(30, &[host(30)])[0].0, "resolved store_connections");
    }
    crowding.note(Purpose::Delivery, Some(words.to_owned()));
    let finding = crowding::crowded(&crowding).unwrap();
    assert_eq!(finding.severity, Severity::Critical);
}
