//! What goes wrong with a watched server is reported within two ticks, as what it is, and costs nothing else.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Home, database, number, text};
use std::time::Duration;
use testkit::Server;

/// What goes wrong, and what reports it.
struct Fault {
    what: &'static str,
    statement: &'static str,
    /// How ticks are counted: rows of the watched server with an instant each.
    ticks: &'static str,
    /// Rows that report it.
    reported: &'static str,
}

const FAST: &str = "collector.db_metrics_raw where instance = 'shop'";
const SLOW: &str = "collector.collector_runs_raw where collector = 'postgres_slow shop'";

const FAULTS: [Fault; 4] = [
    Fault {
        what: "the role lost its right",
        statement: "REVOKE pg_read_all_stats FROM watcher",
        ticks: FAST,
        reported: "collector.db_blind_spots_raw where instance = 'shop' and family = 'activity' \
               and state = 'denied' and remedy = 'GRANT pg_read_all_stats TO watcher;'",
    },
    Fault {
        what: "a table is locked, as the sessions report",
        statement: "",
        ticks: FAST,
        reported: "collector.db_metrics_raw where instance = 'shop' and lock_access_exclusive = 1",
    },
    Fault {
        what: "a table is locked, as what waits for it reports",
        statement: "",
        ticks: SLOW,
        reported: "collector.db_blind_spots_raw where instance = 'shop' and family = 'table_bloat_exact' \
               and database = 'postgres' and state = 'locked'",
    },
    Fault {
        what: "the extension is gone",
        statement: "DROP EXTENSION pg_stat_statements",
        ticks: SLOW,
        reported: "collector.db_blind_spots_raw where instance = 'shop' and family = 'statements' \
               and state = 'missing' and remedy like '%CREATE EXTENSION pg_stat_statements;%'",
    },
];

#[tokio::test]
async fn each_fault_is_reported_within_two_ticks_and_costs_nothing_else() {
    let store = database().await;
    let store = store.target();
    let shop = Server::builder()
        .setting("shared_preload_libraries", "pg_stat_statements")
        .start()
        .unwrap();
    for step in [
        "CREATE EXTENSION pg_stat_statements",
        "CREATE EXTENSION pgstattuple",
        "CREATE ROLE watcher LOGIN",
        "GRANT pg_read_all_stats TO watcher",
        "GRANT EXECUTE ON FUNCTION pgstattuple_approx(regclass) TO watcher",
        "CREATE TABLE held AS SELECT repeat('x', 1000) FROM generate_series(1, 1000)",
        "VACUUM held",
    ] {
        shop.sql(step).await.unwrap();
    }
    let target = shop.target().with_user("watcher", "".into());
    let watched = format!(
        "[[postgres]]\nname = \"store\"\n[[postgres]]\nname = \"shop\"\nurl = \"{target}\"\n"
    );
    let home = Home::new(&store).with("PG_EXTENDED_INTERVAL_SECS", "10");
    home.configure(&store, &watched);
    let mut agent = home.start();
    let count = async |rows: &str| number(&store, &format!("select count(*) from {rows}")).await;
    agent
        .until("the server is watched", async || count(SLOW).await > 0)
        .await;

    let options = pg::SessionOptions {
        idle_in_transaction_timeout: Duration::ZERO,
        transaction_timeout: Duration::ZERO,
        ..pg::SessionOptions::default()
    };
    let holder = pg::connect(&shop.target(), &options, "holder")
        .await
        .unwrap();
    for fault in &FAULTS {
        match fault.statement {
            // It is held until the server dies.
            "" => {
                let lock = "ROLLBACK; BEGIN; LOCK TABLE public.held IN ACCESS EXCLUSIVE MODE";
                holder.client.batch_execute(lock).await.unwrap();
            }
            statement => drop(shop.sql(statement).await.unwrap()),
        }
        told_within_two_ticks(&mut agent, &store, fault).await;
    }
    shop.kill_postmaster().unwrap();
    let gone = Fault {
        what: "the server is gone",
        statement: "",
        ticks: "collector.db_metrics_raw where instance = 'shop' and not up",
        reported: "collector.db_blind_spots_raw where instance = 'shop' and family = 'server' \
               and state = 'unreachable' and message like '%cannot connect%'",
    };
    told_within_two_ticks(&mut agent, &store, &gone).await;

    // Neither the host nor the other server missed anything.
    let others = "collector.collector_runs_raw \
                  where collector not like '%shop' and outcome in ('failed', 'timeout')";
    assert_eq!(count(others).await, 0, "{}", agent.log());
    let down = "collector.db_metrics_raw where instance = 'store' and not up";
    assert_eq!(count(down).await, 0);
    let reported = "(select min(ts) from collector.db_blind_spots_raw where instance = 'shop' \
                and state = 'unreachable')";
    for (what, rows) in [
        (
            "the host is sampled on",
            "collector.system_metrics_raw where true",
        ),
        (
            "the other server is watched on",
            "collector.db_metrics_raw where instance = 'store'",
        ),
    ] {
        let later = format!("{rows} and ts > {reported}");
        agent.until(what, async || count(&later).await > 0).await;
    }

    shop.start().unwrap();
    agent
        .until("the server is back", async || {
            let newest = "select up from collector.db_metrics_raw where instance = 'shop' order by ts desc limit 1";
            text(&store, newest).await == "t"
        })
        .await;
    assert!(agent.terminate().0.success());
}

/// Waits until the fault is reported, and counts the ticks that did not report it.
async fn told_within_two_ticks(agent: &mut common::Agent, store: &pg::Target, fault: &Fault) {
    let Fault {
        what,
        ticks,
        reported,
        ..
    } = fault;
    let since = text(store, "select clock_timestamp()").await;
    let first = format!("select min(ts) from {reported} and ts > '{since}'");
    agent
        .until(what, async || text(store, &first).await != "0")
        .await;
    let at = text(store, &first).await;
    let late = format!("select count(*) from {ticks} and ts > '{since}' and ts <= '{at}'");
    assert!(
        number(store, &late).await <= 2,
        "{what}: reported at {at}, since {since}"
    );
}
