//! A throw-away server starts, recovers and keeps databases apart.

use testkit::{Database, Server, Stop, TestkitError};

async fn counted() -> Result<Database, TestkitError> {
    testkit::database("counted", async |target| {
        let options = pg::SessionOptions {
            search_path: "public".to_owned(),
            ..pg::SessionOptions::default()
        };
        let session = pg::connect(&target, &options, "init").await?;
        let made = session.client.batch_execute("CREATE TABLE n (i int4)");
        session
            .run("create a table", std::time::Duration::from_secs(30), made)
            .await?;
        session.close(std::time::Duration::from_secs(5)).await;
        Ok::<(), pg::PgError>(())
    })
    .await
}

#[tokio::test]
async fn a_server_starts_and_answers() {
    let server = Server::new().unwrap();
    let rows = server.sql("SELECT 6 * 7; SELECT NULL").await.unwrap();
    assert_eq!(rows, [[Some("42".to_owned())], [None]]);
    assert!(server.address().is_none());
}

#[tokio::test]
async fn what_was_committed_survives_every_way_to_stop() {
    let server = Server::builder().tcp().fsync().start().unwrap();
    server.sql("CREATE TABLE n (i int4)").await.unwrap();
    for round in 1..=3 {
        server
            .sql(&format!("INSERT INTO n VALUES ({round})"))
            .await
            .unwrap();
        match round {
            1 => server.stop(Stop::Immediate).unwrap(),
            2 => server.kill_postmaster().unwrap(),
            _ => server.stop(Stop::Fast).unwrap(),
        }
        assert!(server.sql("SELECT 1").await.is_err(), "round {round}");
        server.start().unwrap();
        let rows = server.sql("SELECT count(*) FROM n").await.unwrap();
        assert_eq!(rows[0][0], Some(round.to_string()));
    }
}

#[tokio::test]
async fn a_clone_is_isolated_from_its_siblings() {
    let (one, two) = (counted().await.unwrap(), counted().await.unwrap());
    one.sql("INSERT INTO n VALUES (1)").await.unwrap();
    let count = "SELECT count(*) FROM n";
    assert_eq!(one.sql(count).await.unwrap()[0][0].as_deref(), Some("1"));
    assert_eq!(two.sql(count).await.unwrap()[0][0].as_deref(), Some("0"));
}

#[tokio::test]
async fn a_dropped_database_is_gone() {
    let database = counted().await.unwrap();
    let name = database.name().to_owned();
    drop(database);
    let rows = testkit::shared_server()
        .unwrap()
        .sql(&format!(
            "SELECT 1 FROM pg_database WHERE datname = '{name}'"
        ))
        .await
        .unwrap();
    assert!(rows.is_empty(), "{name}");
}

#[tokio::test]
async fn a_template_that_fails_reports_why() {
    let failed = testkit::database("broken", async |_| Err("no such thing")).await;
    let text = failed.unwrap_err().to_string();
    assert!(
        text.contains("broken") && text.contains("no such thing"),
        "{text}"
    );
}
