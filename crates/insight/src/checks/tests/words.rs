use super::*;

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
