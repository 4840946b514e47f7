use super::*;
use crate::live::Intervals;
use crate::memory::Memory;
use schema::micros::SECOND;
use schema::{Json, Severity};
use std::collections::BTreeSet;

mod words;

const NOW: i64 = 1_800_000_000 * SECOND;
const INTERVALS: Intervals = Intervals {
    host: 10 * SECOND,
    services: 10 * SECOND,
};

/// A host with the judge under test.
struct Host {
    memory: Memory,
    judge: ChecksJudge,
    lifecycle: Lifecycle,
}

impl Host {
    fn new() -> Self {
        Self {
            memory: Memory::new(INTERVALS).unwrap(),
            judge: ChecksJudge::default(),
            lifecycle: Lifecycle::new(ChecksJudge::rules()),
        }
    }

    /// Takes rows and returns the transitions that follow, with rule and target.
    fn tick(&mut self, secs: i64, rows: &[Row]) -> Vec<String> {
        let at = Timestamp(NOW + secs * SECOND);
        self.memory.take(rows);
        let facts = TickFacts {
            memory: &mut self.memory,
            rows: &[rows],
            intervals: INTERVALS,
        };
        let evaluation = self.judge.evaluate(facts, &self.lifecycle, at);
        let steps = self.lifecycle.reconcile(evaluation, at);
        steps
            .into_iter()
            .filter(|(_, row)| row.transition != "refreshed")
            .map(|(_, row)| format!("{} {} {}", row.transition, row.rule, row.target))
            .collect()
    }
}

fn row(
    secs: i64,
    check: &str,
    database: &str,
    object: &str,
    value: Option<f64>,
    detail: &str,
) -> Row {
    CheckSample {
        instance: "store".to_owned(),
        database: database.to_owned(),
        check_name: check.to_owned(),
        object: object.to_owned(),
        value,
        detail: Json(detail.to_owned()),
    }
    .into_row(Timestamp(NOW + secs * SECOND))
}

/// A row that every slow tick has.
fn always(secs: i64) -> Row {
    row(secs, "wraparound", "", "postgres", Some(5.0), "{}")
}

fn server(secs: i64) -> Row {
    DbSample {
        instance: "store".to_owned(),
        up: true,
        ..DbSample::default()
    }
    .into_row(Timestamp(NOW + secs * SECOND))
}

fn gap(secs: i64, database: &str, family: &str, state: &str) -> Row {
    VisibilityGap {
        instance: "store".to_owned(),
        database: database.to_owned(),
        family: family.to_owned(),
        state: state.to_owned(),
        ..VisibilityGap::default()
    }
    .into_row(Timestamp(NOW + secs * SECOND))
}

#[test]
fn a_finding_lasts_until_a_slow_tick_does_not_list_it() {
    let sequence =
        |secs: i64, value: f64| row(secs, "sequences", "shop", "public.s", Some(value), "{}");
    let mut host = Host::new();
    let target = "store.shop.public.s";
    assert_eq!(
        host.tick(0, &[server(0), always(0), sequence(0, 76.0)]),
        [format!("opened check.sequences {target}")]
    );
    for secs in (10..300).step_by(10) {
        assert_eq!(
            host.tick(secs, &[server(secs)]),
            [] as [String; 0],
            "{secs}"
        );
    }
    // A value at the threshold that wavers changes nothing.
    for (secs, value) in [(300, 74.0), (600, 75.5)] {
        assert_eq!(
            host.tick(secs, &[always(secs), sequence(secs, value)]),
            [] as [String; 0]
        );
    }
    assert_eq!(
        host.tick(900, &[always(900), sequence(900, 91.0)]),
        [format!("worse check.sequences {target}")]
    );
    assert_eq!(
        host.tick(1200, &[always(1200), sequence(1200, 60.0)]),
        [format!("resolved check.sequences {target}")]
    );
}

#[test]
fn what_could_not_be_read_is_not_resolved() {
    let target = "resolved check.sequences store.shop.public.s";
    let unknown = "unknown check.sequences store.shop.public.s";
    let run = |secs: i64, name: &str, outcome: RunOutcome| {
        CollectorRun {
            collector: name.to_owned(),
            outcome: outcome.as_str().to_owned(),
            ..CollectorRun::default()
        }
        .into_row(Timestamp(NOW + secs * SECOND))
    };
    for (name, rows, expected) in [
        ("nothing in the way", vec![], vec![target]),
        (
            "locked",
            vec![gap(300, "shop", "sequences", "locked")],
            vec![],
        ),
        (
            "closed",
            vec![gap(300, "shop", "sequences", "denied")],
            vec![unknown],
        ),
        (
            "of the server",
            vec![gap(300, "", "sequences", "timeout")],
            vec![],
        ),
        (
            "another database",
            vec![gap(300, "sho", "sequences", "denied")],
            vec![target],
        ),
        (
            "another check",
            vec![gap(300, "shop", "table_bloat", "denied")],
            vec![target],
        ),
        (
            "the database",
            vec![gap(300, "shop", "database", "unreachable")],
            vec![],
        ),
        (
            "cut off",
            vec![run(300, "postgres_slow store", RunOutcome::Timeout)],
            vec![],
        ),
        (
            "the only server",
            vec![run(300, "postgres_slow", RunOutcome::Failed)],
            vec![],
        ),
        (
            "another server",
            vec![run(300, "postgres_slow other", RunOutcome::Failed)],
            vec![target],
        ),
        (
            "well",
            vec![run(300, "postgres_slow store", RunOutcome::Ok)],
            vec![target],
        ),
    ] {
        let mut host = Host::new();
        host.tick(
            0,
            &[
                always(0),
                row(0, "sequences", "shop", "public.s", Some(80.0), "{}"),
            ],
        );
        let mut all = vec![always(300)];
        all.extend(rows);
        assert_eq!(host.tick(300, &all), expected, "{name}");
    }
}

#[test]
fn findings_of_a_server_that_is_not_watched_any_more_are_unknown() {
    let mut host = Host::new();
    let sequence = row(0, "sequences", "shop", "public.s", Some(80.0), "{}");
    host.tick(0, &[server(0), always(0), sequence]);
    let mut steps = Vec::new();
    for secs in (10..1000).step_by(10) {
        steps.extend(host.tick(secs, &[]).into_iter().map(|step| (secs, step)));
    }
    // Three slow ticks, looked at each minute.
    let unknown = "unknown check.sequences store.shop.public.s".to_owned();
    assert_eq!(steps, [(960, unknown)]);
}

#[test]
fn advice_about_indexes_waits_for_two_weeks() {
    let index = |secs: i64| row(secs, "unused_indexes", "shop", "public.i", Some(2e7), "{}");
    let mut host = Host::new();
    let mut steps = Vec::new();
    for day in 0..16 {
        let secs = day * 86_400;
        let told = host.tick(secs, &[always(secs), index(secs)]).into_iter();
        steps.extend(told.map(|step| (day, step)));
    }
    let target = "check.unused_indexes store.shop.public.i";
    assert_eq!(
        steps,
        [
            (0, format!("opened {target}")),
            (14, format!("confirmed {target}"))
        ]
    );
}

#[test]
fn of_very_many_objects_some_are_reported() {
    let rows = |secs: i64| {
        let objects = (0..MOST + 30).map(|n| {
            let value = if n == 70 { 95.0 } else { 80.0 };
            row(
                secs,
                "sequences",
                "shop",
                &format!("public.s{n}"),
                Some(value),
                "{}",
            )
        });
        objects.collect::<Vec<Row>>()
    };
    let mut host = Host::new();
    let opened = host.tick(0, &rows(0));
    assert_eq!(opened.len(), MOST);
    assert!(opened.contains(&"opened check.sequences store.shop.public.s70".to_owned()));
    assert_eq!(
        host.tick(300, &rows(300)),
        [] as [String; 0],
        "the same ones"
    );
}

#[test]
fn every_check_has_a_rule_or_a_reason() {
    // The dashboard's words for checks, one a line: ('name', 'label', …
    let sql = include_str!("../../../../web/src/sql/checks.sql");
    let words = sql
        .lines()
        .filter_map(|line| line.trim().strip_prefix("('"));
    let shown: BTreeSet<&str> = words
        .filter_map(|line| line.split_once("', '"))
        .map(|(name, _)| name)
        .filter(|name| !["bytes", "secs"].contains(name))
        .collect();
    let mut known: BTreeSet<&str> = CHECKS.iter().map(|check| check.name).collect();
    for (name, reason) in declared::WITHOUT_RULE {
        assert!(
            known.insert(name),
            "{name} has a rule and a reason for none"
        );
        if let Ok(rule) = reason {
            assert!(crate::rule(rule).is_some(), "{rule}");
        }
    }
    // It has a table of its own.
    assert!(known.remove("unused_indexes"));
    assert_eq!(known, shown);
}
