use super::*;
use crate::live::Intervals;
use crate::memory::Memory;
use schema::micros::SECOND;
use schema::{Json, Severity};
use std::collections::BTreeSet;

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

/// Check, database, object, value and further columns, and severity, message and statement of the finding.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    Option<f64>,
    &'static str,
    Option<(Severity, &'static str, Option<&'static str>)>,
);

#[test]
fn each_check_with_its_words() {
    use Severity::{Critical, Info, Warn};
    const MIB: f64 = 1_048_576.0;
    let cases: [Case; 42] = [
        (
            "archive_pending",
            "",
            "archive_status",
            Some(63.0),
            r#"{"oldest_secs":9}"#,
            None,
        ),
        (
            "archive_pending",
            "",
            "archive_status",
            Some(70.0),
            r#"{"oldest_secs":900.5}"#,
            Some((
                Warn,
                "70 WAL files of store wait for the archive, the oldest for 15 min",
                Some("SELECT * FROM pg_stat_archiver;"),
            )),
        ),
        (
            "autovacuum_queue",
            "shop",
            "public.orders",
            Some(250.0),
            "{}",
            None,
        ),
        (
            "autovacuum_queue",
            "shop",
            "public.orders",
            Some(310.0),
            r#"{"n_dead_tup":3100,"vacuum_threshold":1000}"#,
            Some((
                Warn,
                "public.orders in database shop of store has 3100 dead rows; autovacuum is due at 1000",
                Some("VACUUM (ANALYZE) \"public\".\"orders\";"),
            )),
        ),
        (
            "autovacuum_workers",
            "",
            "workers",
            Some(2.0),
            r#"{"max_workers":3,"longest_secs":5}"#,
            None,
        ),
        (
            "autovacuum_workers",
            "",
            "workers",
            Some(3.0),
            r#"{"max_workers":3,"longest_secs":4000}"#,
            Some((
                Warn,
                "All 3 autovacuum workers of store are busy, one for 67 min",
                Some(
                    "SELECT pid, query, now() - xact_start AS running FROM pg_stat_activity WHERE backend_type = 'autovacuum worker';",
                ),
            )),
        ),
        (
            "checkpoint_pressure",
            "",
            "checkpoint",
            Some(99.0),
            "{}",
            None,
        ),
        (
            "checkpoint_pressure",
            "",
            "checkpoint",
            Some(130.0),
            "{}",
            Some((
                Warn,
                "WAL since the last checkpoint of store is 130 % of max_wal_size",
                Some("SHOW max_wal_size;"),
            )),
        ),
        (
            "collation_mismatch",
            "",
            "shop.old",
            None,
            r#"{"recorded":"2.31","actual":"2.36"}"#,
            Some((
                Warn,
                "Database shop.old of store sorts text by version 2.31 of its collation; the system has 2.36",
                Some(
                    "REINDEX DATABASE CONCURRENTLY \"shop.old\"; ALTER DATABASE \"shop.old\" REFRESH COLLATION VERSION;",
                ),
            )),
        ),
        (
            "connection_saturation",
            "",
            "server",
            Some(99.0),
            r#"{"used":99,"allowed":100}"#,
            None,
        ),
        (
            "connection_saturation",
            "",
            "role app",
            Some(79.0),
            r#"{"used":79,"allowed":100}"#,
            None,
        ),
        (
            "connection_saturation",
            "",
            "role app",
            Some(96.0),
            r#"{"used":48,"allowed":50}"#,
            Some((
                Critical,
                "48 of the 50 connections of role app on store are in use",
                Some(
                    "SELECT datname, usename, application_name, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC;",
                ),
            )),
        ),
        (
            "duplicate_indexes",
            "shop",
            "public.a_idx",
            Some(8192.0),
            r#"{"covered_by":"b_idx"}"#,
            Some((
                Info,
                "Index public.a_idx in database shop of store does the work of b_idx again",
                Some("DROP INDEX CONCURRENTLY \"public\".\"a_idx\";"),
            )),
        ),
        (
            "fk_without_index",
            "shop",
            "public.o.fk",
            Some(MIB),
            "{}",
            None,
        ),
        (
            "fk_without_index",
            "shop",
            "public.o.fk",
            Some(20.0 * MIB),
            r#"{"refers_to":"customers"}"#,
            Some((
                Info,
                "Foreign key public.o.fk in database shop of store has no index",
                None,
            )),
        ),
        (
            "index_bloat_exact",
            "shop",
            "public.i",
            Some(60.0),
            r#"{"index_size":99999999}"#,
            None,
        ),
        (
            "index_bloat_exact",
            "shop",
            "public.i",
            Some(40.0),
            r#"{"index_size":99999}"#,
            None,
        ),
        (
            "index_bloat_exact",
            "shop",
            "public.i",
            Some(40.0),
            r#"{"index_size":99999999}"#,
            Some((
                Info,
                "The pages of index public.i in database shop of store are filled to 40 %",
                Some("REINDEX INDEX CONCURRENTLY \"public\".\"i\";"),
            )),
        ),
        (
            "missing_replica_identity",
            "shop",
            "public.o",
            Some(9.0),
            r#"{"publication":"feed"}"#,
            Some((
                Warn,
                "Table public.o in database shop of store is published by feed and has no replica identity",
                Some("ALTER TABLE \"public\".\"o\" REPLICA IDENTITY FULL;"),
            )),
        ),
        (
            "prepared_xacts",
            "",
            "it's",
            Some(200.0),
            r#"{"database":"shop"}"#,
            None,
        ),
        (
            "prepared_xacts",
            "",
            "it's",
            Some(600.0),
            r#"{"database":"shop"}"#,
            Some((
                Warn,
                "Prepared transaction it's in database shop of store has been open for 10 min",
                Some("ROLLBACK PREPARED 'it''s';"),
            )),
        ),
        (
            "prepared_xacts",
            "",
            "x",
            Some(7200.0),
            r#"{"database":"shop"}"#,
            Some((
                Critical,
                "Prepared transaction x in database shop of store has been open for 2 h",
                Some("ROLLBACK PREPARED 'x';"),
            )),
        ),
        ("sequences", "shop", "public.s", Some(74.0), "{}", None),
        ("sequences", "shop", "public.s", None, "{}", None),
        (
            "sequences",
            "shop",
            "public.s",
            Some(92.0),
            "{}",
            Some((
                Critical,
                "Sequence public.s in database shop of store has used 92 % of its numbers",
                None,
            )),
        ),
        (
            "settings",
            "",
            "fsync",
            Some(0.0),
            r#"{"setting":"off","pending_restart":false}"#,
            Some((
                Critical,
                "fsync is off on store",
                Some("ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf();"),
            )),
        ),
        (
            "settings",
            "",
            "fsync",
            Some(1.0),
            r#"{"setting":"on","pending_restart":false}"#,
            None,
        ),
        (
            "settings",
            "",
            "data_checksums",
            Some(0.0),
            r#"{"setting":"off","pending_restart":false}"#,
            Some((Info, "data_checksums is off on store", None)),
        ),
        (
            "settings",
            "",
            "max_connections",
            Some(9.0),
            r#"{"setting":"100","pending_restart":true}"#,
            Some((
                Warn,
                "max_connections of store was changed and waits for a restart",
                None,
            )),
        ),
        // Its value is of our own role.
        (
            "settings",
            "",
            "fsync",
            None,
            r#"{"setting":null,"pending_restart":false}"#,
            None,
        ),
        (
            "table_bloat",
            "shop",
            "public.o",
            Some(50.0 * MIB),
            r#"{"heap_bytes":60000000}"#,
            None,
        ),
        (
            "table_bloat",
            "shop",
            "public.o",
            Some(200.0 * MIB),
            r#"{"heap_bytes":900000000}"#,
            None,
        ),
        (
            "table_bloat",
            "shop",
            "public.o",
            Some(200.0 * MIB),
            r#"{"heap_bytes":314572800}"#,
            Some((
                Info,
                "About 200 MiB of the 300 MiB of public.o in database shop of store hold no rows",
                None,
            )),
        ),
        (
            "table_bloat_exact",
            "shop",
            "public.o",
            Some(70.0),
            r#"{"table_len":1048576}"#,
            None,
        ),
        (
            "table_bloat_exact",
            "shop",
            "public.o",
            Some(70.0),
            r#"{"table_len":314572800}"#,
            Some((
                Info,
                "70 % of the 300 MiB of public.o in database shop of store hold no rows",
                None,
            )),
        ),
        (
            "unused_indexes",
            "shop",
            "public.i",
            Some(0.9 * MIB),
            "{}",
            None,
        ),
        (
            "unused_indexes",
            "shop",
            "public.i",
            Some(20.0 * MIB),
            "{}",
            Some((
                Info,
                "Index public.i in database shop of store has not been scanned for two weeks and takes 20 MiB",
                Some("DROP INDEX CONCURRENTLY \"public\".\"i\";"),
            )),
        ),
        (
            "wal_dir",
            "",
            "pg_wal",
            Some(2.0 * MIB),
            r#"{"max_wal_size_bytes":1048576}"#,
            None,
        ),
        (
            "wal_dir",
            "",
            "pg_wal",
            Some(3.0 * MIB),
            r#"{"max_wal_size_bytes":1048576}"#,
            Some((
                Warn,
                "pg_wal of store takes 3 MiB; max_wal_size is 1 MiB",
                Some(
                    "SELECT slot_name, active, wal_status, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) FROM pg_replication_slots ORDER BY 4 DESC;",
                ),
            )),
        ),
        ("xmin_horizon", "", "slot feed", Some(5e6), "{}", None),
        (
            "xmin_horizon",
            "",
            "slot feed",
            Some(15e7),
            "{}",
            Some((
                Warn,
                "The slot feed keeps the dead rows of 150000000 transactions on store from vacuum",
                None,
            )),
        ),
        // An object whose name can be read in several ways has no statement.
        (
            "duplicate_indexes",
            "shop",
            "a.b.c",
            None,
            r#"{"covered_by":"b_idx"}"#,
            Some((
                Info,
                "Index a.b.c in database shop of store does the work of b_idx again",
                None,
            )),
        ),
    ];
    for (check, database, object, value, detail, expected) in cases {
        let mut host = Host::new();
        host.tick(
            0,
            &[always(0), row(0, check, database, object, value, detail)],
        );
        let found: Vec<&Finding> = host.lifecycle.open().collect();
        let Some((severity, message, sql)) = expected else {
            assert_eq!(found, [] as [&Finding; 0], "{check} {value:?} {detail}");
            continue;
        };
        assert_eq!(found.len(), 1, "{check} {value:?} {detail}");
        assert_eq!(found[0].severity, severity, "{check}");
        assert_eq!(found[0].message, message);
        assert_eq!(found[0].action_sql.as_deref(), sql, "{check}");
        assert!(!found[0].steps[0].is_empty(), "{check}");
        let place = if database.is_empty() {
            object.to_owned()
        } else {
            format!("{database}.{object}")
        };
        assert_eq!(found[0].target, format!("store.{place}"));
    }
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
    let sql = include_str!("../../../web/src/sql/checks.sql");
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
