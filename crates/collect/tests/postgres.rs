//! Watching a real server: what each tick gives, as each role.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use collect::postgres::{Databases, visibility_gaps};
use common::{Rows, Ticks, builder, cell, instance, instance_as, int, text};
use schema::Cell;
use schema::tables::{
    CheckSample, CollectorRun, DatabaseSample, DbSample, IndexSample, IoSample, ReplicationSample,
    SlruSample, StatementStore, SubscriptionSample, TableSample, VisibilityGap,
};
use testkit::Server;

/// The role file that is shipped.
const ROLE: &str = include_str!("../../../deploy/sql/monitoring_role.sql");

/// Something of everything that is watched. Slots come first: making a logical one waits for every
/// prepared transaction.
async fn furnish(server: &Server) {
    let steps = [
        // The files say something else than the command line.
        "SELECT pg_reload_conf()",
        "CREATE DATABASE shop",
        "CREATE ROLE bare LOGIN",
        "CREATE ROLE app LOGIN",
        "CREATE EXTENSION pg_stat_statements",
        "SELECT pg_create_physical_replication_slot('idle', true)",
        "SELECT pg_create_logical_replication_slot('feed', 'pgoutput')",
    ];
    for step in steps {
        server.sql(step).await.unwrap();
    }
    server.sql(ROLE).await.unwrap();
    let shop = server.target().with_database("shop");
    let options = pg::SessionOptions {
        search_path: "public".to_owned(),
        ..pg::SessionOptions::default()
    };
    let session = pg::connect(&shop, &options, "furnish").await.unwrap();
    session
        .client
        .batch_execute(
            "CREATE EXTENSION pgstattuple;
             CREATE TABLE orders (id serial PRIMARY KEY, customer int, note text);
             CREATE INDEX orders_customer ON orders (customer);
             CREATE INDEX orders_customer_again ON orders (customer);
             CREATE TABLE lines (order_id int REFERENCES orders, n int);
             INSERT INTO orders (customer, note) SELECT n % 7, repeat('x', 200) FROM generate_series(1, 5000) n;
             DELETE FROM orders WHERE id % 2 = 0;
             ANALYZE;
             CREATE PUBLICATION everything FOR TABLE lines;
             CREATE SUBSCRIPTION later CONNECTION 'host=nowhere password=TopSecret1' PUBLICATION everything
               WITH (connect = false, slot_name = NONE);",
        )
        .await
        .unwrap();
    session.client.batch_execute(ROLE).await.unwrap();
    session
        .client
        .batch_execute("BEGIN; INSERT INTO lines VALUES (1, 1); PREPARE TRANSACTION 'forgotten'")
        .await
        .unwrap();
}

/// Families that could not be read for another reason than a right, an extension or a setting.
fn broken(rows: &Rows) -> Vec<String> {
    let known = ["denied", "off", "missing", "capped"];
    rows.of::<VisibilityGap>()
        .into_iter()
        .filter(|row| !known.contains(&text(row, "state")))
        .map(|row| format!("{}: {}", text(row, "family"), text(row, "message")))
        .collect()
}

fn gaps(rows: &Rows) -> Vec<String> {
    let name = |row: &&schema::Row| {
        let parts = [
            text(row, "state"),
            text(row, "family"),
            text(row, "database"),
        ];
        parts.join(" ").trim_end().to_owned()
    };
    rows.of::<VisibilityGap>().iter().map(name).collect()
}

/// The figures of a table, had from functions, are those of the view that people look at.
async fn agrees_with_the_view(server: &Server, row: &schema::Row) {
    let columns = [
        "seq_scan",
        "seq_tup_read",
        "idx_scan",
        "idx_tup_fetch",
        "n_tup_ins",
        "n_tup_upd",
        "n_tup_del",
        "n_live_tup",
        "n_dead_tup",
        "n_mod_since_analyze",
        "n_ins_since_vacuum",
    ];
    let question = format!(
        "SELECT ARRAY[{}]::int8[] FROM pg_stat_user_tables WHERE relname = 'orders'",
        columns.join(", ")
    );
    let options = pg::SessionOptions::default();
    let target = server.target().with_database("shop");
    let session = pg::connect(&target, &options, "view").await.unwrap();
    let shown = session.client.query_one(&question, &[]).await.unwrap();
    let shown: Vec<i64> = shown.get(0);
    let ours: Vec<i64> = columns.iter().map(|column| int(row, column)).collect();
    assert_eq!(ours, shown, "{columns:?}");
}

#[tokio::test]
async fn every_family_answers_each_role_or_names_what_is_missing() {
    let server = builder().start().unwrap();
    furnish(&server).await;
    a_superuser_sees_everything(&server).await;
    the_role_that_is_shipped_misses_sequences_alone(&server).await;
    a_role_without_rights_learns_what_it_lacks(&server).await;
    only_databases_that_are_named_are_looked_into(&server).await;
}

async fn a_superuser_sees_everything(server: &Server) {
    let mut ticks = Ticks::new(instance(server));
    let slow = ticks.slow().await;
    let fast = ticks.fast().await;
    assert_eq!(broken(&fast), [""; 0]);
    assert_eq!(
        gaps(&fast),
        [
            "off track_io_timing",
            "off track_wal_io_timing",
            "off statements"
        ]
    );
    expect_the_row_of_the_server(fast.one::<DbSample>());
    let shop = fast.with::<DatabaseSample>("database", "shop");
    assert!(int(shop, "size_bytes") > 1_000_000);
    assert!(int(shop, "xact_commit") > 0);
    assert_eq!(*cell(shop, "blk_read_ms_total"), Cell::Null);
    fast.with::<DatabaseSample>("database", "<shared>");
    assert_eq!(fast.of::<ReplicationSample>().len(), 2);
    let run = fast.one::<CollectorRun>();
    assert_eq!(
        (text(run, "collector"), text(run, "outcome")),
        ("postgres", "ok")
    );
    let again = ticks.fast().await;
    let shop = again.with::<DatabaseSample>("database", "shop");
    assert_eq!(*cell(shop, "size_bytes"), Cell::Null, "between slow ticks");
    expect_the_slow_tick(server, &slow).await;
    ticks.watcher.close().await;
}

fn expect_the_row_of_the_server(row: &schema::Row) {
    assert_eq!(*cell(row, "up"), Cell::Bool(true));
    assert_eq!(*cell(row, "error"), Cell::Null);
    assert!(int(row, "version_num") >= 150_000);
    assert_eq!(int(row, "conn_total"), 0);
    assert_eq!(int(row, "prepared_xacts"), 1);
    assert_eq!(*cell(row, "wal_write_ms_total"), Cell::Null);
    let empty: Vec<&str> = row
        .table
        .columns
        .iter()
        .filter(|column| *cell(row, column.name) == Cell::Null)
        .map(|column| column.name)
        .collect();
    assert_eq!(
        empty,
        [
            "error",
            "wal_write_ms_total",
            "wal_sync_ms_total",
            "archive_failing",
            "replay_backlog_bytes",
            "replay_delay_secs",
            "replay_paused",
            "receiver_status"
        ]
    );
}

async fn expect_the_slow_tick(server: &Server, slow: &Rows) {
    let run = slow.one::<CollectorRun>();
    assert_eq!(
        (text(run, "collector"), text(run, "outcome")),
        ("postgres_slow", "ok")
    );
    let orders = slow.with::<TableSample>("table_name", "orders");
    assert_eq!(int(orders, "n_dead_tup"), 2500);
    assert!(int(orders, "total_bytes") > int(orders, "index_bytes"));
    assert_eq!(*cell(orders, "autovacuum_enabled"), Cell::Bool(false));
    assert_eq!(text(orders, "database"), "shop");
    agrees_with_the_view(server, orders).await;
    let key = slow.with::<IndexSample>("index_name", "orders_pkey");
    assert_eq!(*cell(key, "is_needed"), Cell::Bool(true));
    let extra = slow.with::<IndexSample>("index_name", "orders_customer_again");
    assert_eq!(*cell(extra, "is_needed"), Cell::Bool(false));
    assert!(text(extra, "definition").contains("(customer)"));
    assert!(slow.of::<IoSample>().len() >= 3);
    assert!(slow.of::<SlruSample>().len() >= 7);
    assert_eq!(slow.of::<StatementStore>().len(), 1);
    let later = slow.one::<SubscriptionSample>();
    assert_eq!(*cell(later, "running"), Cell::Bool(false));
    for (check, object) in [
        ("duplicate_indexes", "public.orders_customer_again"),
        ("fk_without_index", "public.lines.lines_order_id_fkey"),
        ("autovacuum_queue", "public.orders"),
        ("unused_indexes", "public.orders_customer"),
        ("missing_replica_identity", "public.lines"),
        ("sequences", "public.orders_id_seq"),
        ("table_bloat", "public.orders"),
        ("table_bloat_exact", "public.orders"),
        ("prepared_xacts", "forgotten"),
        ("slot_retention", "idle"),
        ("logical_lag", "feed"),
        ("settings", "fsync"),
        ("wal_dir", "pg_wal"),
        ("checkpoint_pressure", "checkpoint"),
        ("connection_saturation", "server"),
        ("xmin_horizon", "prepared forgotten"),
    ] {
        let found = slow
            .of::<CheckSample>()
            .into_iter()
            .any(|row| text(row, "check_name") == check && text(row, "object") == object);
        assert!(found, "{check} {object} in {:#?}", slow.of::<CheckSample>());
    }
    // What the command line sets waits for no restart, although the server says so after a reload.
    let shared = slow.with::<CheckSample>("object", "shared_buffers");
    let detail = text(shared, "detail").replace(' ', "");
    assert!(detail.contains(r#""source":"commandline""#), "{detail}");
    assert!(detail.contains(r#""pending_restart":false"#), "{detail}");
}

async fn the_role_that_is_shipped_misses_sequences_alone(server: &Server) {
    let mut ticks = Ticks::new(instance_as(server, "pqcrypta_watcher"));
    ticks.slow().await;
    let fast = ticks.fast().await;
    assert_eq!(
        gaps(&fast),
        [
            "off track_io_timing",
            "off track_wal_io_timing",
            "denied sequences shop"
        ]
    );
    assert_eq!(int(fast.one::<DbSample>(), "conn_hidden"), 0);
    ticks.watcher.close().await;
}

async fn a_role_without_rights_learns_what_it_lacks(server: &Server) {
    let mut ticks = Ticks::new(instance_as(server, "bare"));
    let slow = ticks.slow().await;
    let fast = ticks.fast().await;
    assert_eq!(broken(&fast), [""; 0]);
    let row = fast.one::<DbSample>();
    assert!(int(row, "conn_hidden") > 0);
    for column in [
        "conn_total",
        "slow_queries",
        "wait_lock",
        "oldest_xact_secs",
    ] {
        assert_eq!(*cell(row, column), Cell::Null, "{column}");
    }
    assert!(int(row, "wal_bytes") > 0);
    let activity = fast.with::<VisibilityGap>("family", "activity");
    assert_eq!(text(activity, "remedy"), "GRANT pg_read_all_stats TO bare;");
    let denied = fast.with::<VisibilityGap>("family", "wal_dir");
    assert_eq!(
        text(denied, "remedy"),
        "GRANT EXECUTE ON FUNCTION pg_ls_waldir() TO bare; /* in database postgres */"
    );
    slow.with::<TableSample>("table_name", "orders");
    let secret = format!("{slow:?} {fast:?}");
    assert!(!secret.contains("TopSecret1"));
    ticks.watcher.close().await;
    let gaps = visibility_gaps(instance_as(server, "bare")).await.unwrap();
    let closed = |family: &str| gaps.iter().any(|gap| gap.family == family);
    assert!(closed("activity") && closed("wal_dir"), "{gaps:?}");
}

async fn only_databases_that_are_named_are_looked_into(server: &Server) {
    let mut named = instance(server);
    named.name = "second".to_owned();
    named.databases = Databases::Named(vec!["shop".to_owned(), "none".to_owned()]);
    let mut ticks = Ticks::new(named);
    let slow = ticks.slow().await;
    let fast = ticks.fast().await;
    assert_eq!(
        text(fast.with::<VisibilityGap>("database", "none"), "state"),
        "missing"
    );
    slow.with::<TableSample>("table_name", "orders");
    let run = slow.one::<CollectorRun>();
    assert_eq!(text(run, "collector"), "postgres_slow second");
    let mut nowhere = instance(server);
    nowhere.target.host = pg::Host::new("/nowhere");
    assert!(visibility_gaps(nowhere).await.is_err());
    ticks.watcher.close().await;
}
