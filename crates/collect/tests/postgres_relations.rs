//! Sizes before the first vacuum, partitions, and what is the collector's own.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{Ticks, builder, cell, do_each, instance, instance_as, int, text};
use schema::Cell;
use schema::tables::{
    CheckSample, IndexSample, IndexSighting, StatementSample, StatementText, TableSample,
};

#[tokio::test]
async fn sizes_come_from_the_files_until_the_catalogue_knows_them() {
    let server = builder().start().unwrap();
    do_each(
        &server,
        &[
            "CREATE TABLE fresh (id int, pad text, big text)",
            "CREATE INDEX fresh_i ON fresh (id)",
            "ALTER TABLE fresh ALTER big SET STORAGE EXTERNAL",
            "INSERT INTO fresh SELECT g, repeat('x', 200), repeat('y', 3000) FROM generate_series(1, 5000) g",
            "CREATE TABLE emptied (id int)",
            "VACUUM emptied",
            "INSERT INTO emptied SELECT generate_series(1, 20000)",
            "CREATE TABLE held (id int)",
            "INSERT INTO held SELECT generate_series(1, 20000)",
        ],
    )
    .await;
    let options = pg::SessionOptions::default();
    let holder = pg::connect(&server.target(), &options, "holder")
        .await
        .unwrap();
    let lock = "BEGIN; LOCK TABLE public.held IN ACCESS EXCLUSIVE MODE";
    holder.client.batch_execute(lock).await.unwrap();
    let real = |what: &str| {
        let question = format!("SELECT {what}::text");
        let server = &server;
        async move {
            let rows = server.sql(&question).await.unwrap();
            rows[0][0].clone().unwrap().parse::<i64>().unwrap()
        }
    };
    let mut ticks = Ticks::new(instance(&server));
    let slow = ticks.slow().await;
    for table in ["fresh", "emptied"] {
        let row = slow.with::<TableSample>("table_name", table);
        // Without the maps of free space and visibility, which are not rows.
        let main = format!(
            "(SELECT sum(pg_relation_size(c.oid)) FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
              WHERE '{table}'::regclass IN (c.oid, i.indrelid)
                 OR (SELECT reltoastrelid FROM pg_class WHERE oid = '{table}'::regclass) IN (c.oid, i.indrelid))"
        );
        let (reported, real) = (int(row, "total_bytes"), real(&main).await);
        assert_eq!(reported, real, "{table}");
        assert!(reported > 500_000);
    }
    let row = slow.with::<TableSample>("table_name", "fresh");
    assert_eq!(
        int(row, "index_bytes"),
        real("pg_relation_size('fresh_i')").await
    );
    assert!(int(row, "toast_bytes") > 10_000_000);
    let index = slow.with::<IndexSample>("index_name", "fresh_i");
    assert_eq!(int(index, "size_bytes"), int(row, "index_bytes"));
    let held = slow.with::<TableSample>("table_name", "held");
    assert_eq!(*cell(held, "total_bytes"), Cell::Null, "asking would wait");
    holder.client.batch_execute("ROLLBACK").await.unwrap();
    do_each(&server, &["VACUUM ANALYZE fresh"]).await;
    let slow = ticks.slow().await;
    let row = slow.with::<TableSample>("table_name", "fresh");
    assert!(int(row, "total_bytes") > 10_000_000);
    assert!(
        int(
            slow.with::<TableSample>("table_name", "held"),
            "total_bytes"
        ) > 500_000
    );
    ticks.watcher.close().await;
}

#[tokio::test]
async fn a_partitioned_table_has_what_its_partitions_have() {
    let server = builder().start().unwrap();
    do_each(
        &server,
        &[
            "CREATE TABLE log (at int, note text) PARTITION BY RANGE (at)",
            "CREATE INDEX log_at ON log (at)",
            "CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (100)",
            "CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM (100) TO (300) PARTITION BY RANGE (at)",
            "CREATE TABLE log_2a PARTITION OF log_2 FOR VALUES FROM (100) TO (200)",
            "CREATE TABLE log_2b PARTITION OF log_2 DEFAULT",
            // What a session has counted is added at its end at the latest, which may be after that of ANALYZE: then these rows
            // count twice.
            "INSERT INTO log SELECT g % 300, repeat('x', 100) FROM generate_series(1, 3000) g; SELECT pg_stat_force_next_flush()",
            "ANALYZE log_1",
            "CREATE TABLE lonely (i int) PARTITION BY LIST (i)",
        ],
    )
    .await;
    let mut ticks = Ticks::new(instance(&server));
    let slow = ticks.slow().await;
    let table = |name: &str| slow.with::<TableSample>("table_name", name);
    let leaves = ["log_1", "log_2a", "log_2b"];
    let root = table("log");
    assert_eq!(int(root, "partitions"), 3);
    assert_eq!(*cell(root, "partition_of"), Cell::Null);
    for column in ["total_bytes", "index_bytes", "toast_bytes", "n_live_tup"] {
        let sum: i64 = leaves.iter().map(|leaf| int(table(leaf), column)).sum();
        assert_eq!(int(root, column), sum, "{column}");
    }
    assert_eq!(int(root, "n_live_tup"), 3000);
    for part in ["log_1", "log_2", "log_2a"] {
        assert_eq!(text(table(part), "partition_of"), "public.log", "{part}");
        assert_eq!(*cell(table(part), "partitions"), Cell::Null);
    }
    assert_eq!(int(table("lonely"), "partitions"), 0);
    assert_eq!(int(table("lonely"), "total_bytes"), 0);
    let index = slow.with::<IndexSample>("table_name", "log_2a");
    assert_eq!(text(index, "partition_of"), "public.log_at");
    ticks.watcher.close().await;
}

#[tokio::test]
async fn what_is_the_collectors_own_is_left_out_unless_it_is_asked_for() {
    let server = builder().start().unwrap();
    do_each(
        &server,
        &[
            "CREATE EXTENSION pg_stat_statements",
            "CREATE ROLE watcher LOGIN",
            "GRANT pg_read_all_stats TO watcher",
            "CREATE SCHEMA collector",
            "CREATE TABLE collector.schema_migrations (i int)",
            "CREATE TABLE collector.hosts (host_id int)",
            "CREATE INDEX a ON collector.hosts (host_id)",
            "CREATE INDEX b ON collector.hosts (host_id)",
            "CREATE TABLE theirs (i int)",
            "CREATE INDEX theirs_i ON theirs (i)",
        ],
    )
    .await;
    let work = async || {
        do_each(
            &server,
            &[
                "SELECT count(*) FROM collector.hosts",
                "SELECT count(*) FROM theirs",
            ],
        )
        .await;
    };
    for include_own in [false, true] {
        let mut watched = instance_as(&server, "watcher");
        watched.include_own = include_own;
        let mut ticks = Ticks::new(watched);
        work().await;
        let first = ticks.slow().await;
        work().await;
        let second = ticks.slow().await;
        let has = |table: &str| first.find::<TableSample>("table_name", table).is_some();
        assert!(has("theirs"));
        assert_eq!(has("hosts"), include_own);
        assert_eq!(
            first.find::<IndexSample>("index_name", "b").is_some(),
            include_own
        );
        let checked = first.find::<CheckSample>("object", "collector.b").is_some();
        assert_eq!(checked, include_own);
        let query = |begin: &str| {
            let texts = second.of::<StatementText>();
            texts
                .iter()
                .any(|row| text(row, "query").starts_with(begin))
        };
        assert!(query("SELECT count(*) FROM theirs"));
        assert_eq!(query("SELECT count(*) FROM collector.hosts"), include_own);
        assert!(!second.of::<StatementSample>().is_empty());
        // An index is met once in a session.
        assert!(
            first
                .find::<IndexSighting>("index_name", "theirs_i")
                .is_some()
        );
        assert!(
            second
                .find::<IndexSighting>("index_name", "theirs_i")
                .is_none()
        );
        if include_own {
            do_each(
                &server,
                &["DROP INDEX theirs_i", "CREATE INDEX theirs_i ON theirs (i)"],
            )
            .await;
            let third = ticks.slow().await;
            assert!(
                third
                    .find::<IndexSighting>("index_name", "theirs_i")
                    .is_some(),
                "made anew"
            );
        }
        ticks.watcher.close().await;
    }
}
