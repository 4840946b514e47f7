//! A store on a coordinator and two workers, where `TESTKIT_CITUS_BIN` names the programs of a PostgreSQL with Citus.

use store::distribution::{DistributeError, distribute};
use store::migrations;
use testkit::{Builder, Server};

/// Returns a server of the cluster; `None` where there is no Citus.
fn node() -> Option<Server> {
    let bin = std::env::var_os("TESTKIT_CITUS_BIN")?;
    let node = Builder::default()
        .programs(std::path::Path::new(&bin))
        .tcp()
        .setting("shared_preload_libraries", "'citus'")
        .setting("max_prepared_transactions", "100")
        .setting("wal_level", "logical");
    Some(node.start().unwrap())
}

#[tokio::test]
async fn a_cluster_takes_the_store_once_and_its_later_tables() {
    let Some(coordinator) = node() else {
        // Seen with --no-capture, and in the report of tests.
        eprintln!("skipped: no Citus (TESTKIT_CITUS_BIN names no programs)");
        return;
    };
    let workers = [node().unwrap(), node().unwrap()];
    for one in [&coordinator, &workers[0], &workers[1]] {
        one.sql("CREATE EXTENSION citus").await.unwrap();
    }
    let session = testkit::connect(&coordinator.target()).await.unwrap();
    let client = &session.client;
    migrations::apply(client).await.unwrap();
    let refused = distribute(client, None, None).await.unwrap_err();
    assert!(
        matches!(refused, DistributeError::Refused(ref refusal) if refusal.problem.contains("no active worker")),
        "{refused}"
    );
    coordinator
        .sql(&format!(
            "SELECT citus_set_coordinator_host('127.0.0.1', {})",
            coordinator.address().unwrap().port()
        ))
        .await
        .unwrap();
    for worker in &workers {
        let add = format!(
            "SELECT citus_add_node('127.0.0.1', {})",
            worker.address().unwrap().port()
        );
        coordinator.sql(&add).await.unwrap();
    }
    let host = "INSERT INTO collector.hosts (machine_id, hostname) VALUES ('m', 'one');
                INSERT INTO collector.spool_watermark (host_id, writer, seq, progress) VALUES (1, gen_random_uuid(), 1, '{}')";
    coordinator.sql(host).await.unwrap();
    let done = distribute(client, Some(4), None).await.unwrap();
    assert_eq!(
        (done.tables[0].as_str(), done.tables[1].as_str()),
        ("hosts", "spool_watermark")
    );
    let kept = "SELECT count(*) FROM collector.spool_watermark";
    assert_eq!(
        coordinator.sql(kept).await.unwrap()[0][0].as_deref(),
        Some("1"),
        "rows are copied"
    );
    let again = distribute(client, Some(4), None).await.unwrap();
    assert!(again.tables.is_empty(), "{again:?}");
    coordinator
        .sql("CREATE TABLE collector.later (host_id integer NOT NULL REFERENCES collector.hosts, x int, PRIMARY KEY (host_id, x))")
        .await
        .unwrap();
    let later = distribute(client, None, None).await.unwrap();
    assert_eq!(later.tables, ["later"]);
    let apart = "SELECT count(DISTINCT colocation_id) FROM citus_tables WHERE citus_table_type = 'distributed'";
    assert_eq!(
        coordinator.sql(apart).await.unwrap()[0][0].as_deref(),
        Some("1"),
        "all lie together"
    );
}
