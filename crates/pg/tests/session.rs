//! Sessions with a real server: pinned, timed out on both sides, closed when dropped.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::time::Duration;

use config::Secret;
use pg::{Class, PgError, Session, SessionOptions, Target, connect};
use testkit::{Builder, Mode, Proxy, Server, Stop, shared_server};

const LONG: Duration = Duration::from_secs(60);

async fn session(options: &SessionOptions) -> Session {
    let target = shared_server().unwrap().target();
    connect(&target, options, "pg test").await.unwrap()
}

/// Waits until the backend is gone; the test hangs and is ended by its runner when it never is.
async fn wait_for_end(pid: i32) {
    let server = shared_server().unwrap();
    let question = format!("SELECT 1 FROM pg_stat_activity WHERE pid = {pid}");
    while !server.sql(&question).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_session_is_pinned() {
    let session = session(&SessionOptions::default()).await;
    for (name, value) in [
        ("application_name", "pg test"),
        ("search_path", "pg_catalog"),
        ("TimeZone", "UTC"),
        ("DateStyle", "ISO, YMD"),
        ("statement_timeout", "8s"),
        ("lock_timeout", "3s"),
        ("idle_in_transaction_session_timeout", "15s"),
        ("client_connection_check_interval", "2s"),
        ("default_transaction_read_only", "off"),
    ] {
        let row = session
            .client
            .query_one("SELECT current_setting($1)", &[&name])
            .await
            .unwrap();
        assert_eq!(row.get::<_, &str>(0), value, "{name}");
    }
    let row = session
        .client
        .query_one("SELECT pg_backend_pid()", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, i32>(0), session.pid);
    assert!(session.major_version() >= 15 && !session.in_recovery);
    if session.major_version() >= 17 {
        let row = session
            .client
            .query_one("SHOW transaction_timeout", &[])
            .await;
        assert_eq!(row.unwrap().get::<_, &str>(0), "1min");
    }
}

#[tokio::test]
async fn the_server_gives_up_first_and_the_session_lives_on() {
    let options = SessionOptions::for_deadline(Duration::from_millis(250));
    assert_eq!(options.statement_timeout, Duration::from_millis(200));
    let session = session(&options).await;
    let slow = session.client.batch_execute("SELECT pg_sleep(60)");
    let error = session.run("sleep", LONG, slow).await.unwrap_err();
    assert_eq!(error.class(), Class::Retry, "{error}");
    assert!(error.to_string().starts_with("cannot sleep: "), "{error}");
    assert!(session.is_usable());
}

#[tokio::test]
async fn a_client_that_stops_waiting_cancels_and_gives_the_session_up() {
    let options = SessionOptions {
        statement_timeout: Duration::ZERO,
        ..SessionOptions::default()
    };
    let session = session(&options).await;
    let slow = session.client.batch_execute("SELECT pg_sleep(3600)");
    let deadline = Duration::from_millis(50);
    let error = session.run("sleep", deadline, slow).await.unwrap_err();
    assert!(matches!(error, PgError::Timeout { .. }), "{error}");
    assert_eq!(error.class(), Class::Gone);
    assert!(!session.is_usable() && !session.is_closed());
    let again = session.client.batch_execute("SELECT 1");
    let error = session.run("go on", LONG, again).await.unwrap_err();
    assert!(matches!(error, PgError::Gone { .. }), "{error}");
    // Cancelled, not only left alone: the backend is idle while the session still stands.
    let question = format!(
        "SELECT 1 FROM pg_stat_activity WHERE pid = {} AND state = 'active'",
        session.pid
    );
    while !shared_server()
        .unwrap()
        .sql(&question)
        .await
        .unwrap()
        .is_empty()
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let pid = session.pid;
    drop(session);
    wait_for_end(pid).await;
}

#[tokio::test]
async fn a_dropped_or_closed_session_is_gone_from_the_server() {
    let (one, two) = (
        session(&SessionOptions::default()).await,
        session(&SessionOptions::default()).await,
    );
    let pids = (one.pid, two.pid);
    one.client.batch_execute("BEGIN").await.unwrap();
    drop(one);
    two.close(LONG).await;
    wait_for_end(pids.0).await;
    wait_for_end(pids.1).await;
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let session = session(&SessionOptions::reader()).await;
    let write = session.client.batch_execute("CREATE TABLE public.x ()");
    let error = session.run("write", LONG, write).await.unwrap_err();
    assert_eq!(error.class(), Class::ReadOnly, "{error}");
}

#[tokio::test]
async fn an_explicit_cancel_keeps_the_session() {
    let options = SessionOptions {
        statement_timeout: Duration::ZERO,
        ..SessionOptions::default()
    };
    let session = session(&options).await;
    let slow = session.client.batch_execute("SELECT pg_sleep(3600)");
    let (outcome, ()) = tokio::join!(session.run("sleep", LONG, slow), async {
        // A cancel of what has not begun is none.
        let begun = format!(
            "SELECT 1 FROM pg_stat_activity WHERE pid = {} AND wait_event = 'PgSleep'",
            session.pid
        );
        let server = shared_server().unwrap();
        while server.sql(&begun).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        session.cancel().await.unwrap();
    });
    assert_eq!(outcome.unwrap_err().class(), Class::Retry);
    assert!(session.is_usable());
}

#[tokio::test]
async fn another_machine_without_tls_is_refused_before_anything_is_sent() {
    let mut target = Target::new("192.0.2.1", 5432, "m", "me");
    target.tls = false;
    let error = connect(&target, &SessionOptions::default(), "test")
        .await
        .unwrap_err();
    assert!(matches!(error, PgError::Plaintext { .. }), "{error}");
    assert_eq!(error.class(), Class::Refused);
}

#[tokio::test]
async fn a_link_without_an_answer_is_given_up() {
    let server = Builder::default().tcp().start().unwrap();
    let proxy = Proxy::start(server.address().unwrap()).unwrap();
    let target = server.target_at(proxy.address());
    let options = SessionOptions {
        connect_timeout: Duration::from_millis(200),
        ..SessionOptions::default()
    };
    proxy.set(Mode::Blackhole);
    let error = connect(&target, &options, "test").await.unwrap_err();
    assert!(matches!(error, PgError::ConnectTimeout { .. }), "{error}");
    proxy.set(Mode::Refuse);
    let options = SessionOptions::default();
    let error = connect(&target, &options, "test").await.unwrap_err();
    assert_eq!(error.class(), Class::Retry, "{error}");
    proxy.set(Mode::Pass);
    let session = connect(&target, &options, "test").await.unwrap();

    server.stop(Stop::Immediate).unwrap();
    let question = session.client.batch_execute("SELECT 1");
    let error = session.run("ask", LONG, question).await.unwrap_err();
    assert!(
        matches!(error.class(), Class::Gone | Class::Retry),
        "{error}"
    );
    server.start().unwrap();
    connect(&target, &options, "test").await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_repeated() {
    let server = Server::builder()
        .tcp()
        .file(
            "pg_hba.conf",
            "local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
        )
        .start()
        .unwrap();
    server
        .sql("CREATE ROLE me LOGIN PASSWORD 'right'")
        .await
        .unwrap();
    let port = server.address().unwrap().port();
    let target = Target::new("localhost", port, "postgres", "me");
    let options = SessionOptions::default();
    let right = target.clone().with_user("me", Secret::from("right"));
    connect(&right, &options, "test").await.unwrap();
    let wrong = target.with_user("me", Secret::from("canary"));
    let error = connect(&wrong, &options, "test").await.unwrap_err();
    // Not hidden by the closed port at the other address of localhost.
    assert_eq!(error.class(), Class::Refused, "{error}");
    assert_eq!(error.sql_state().map(|state| state.code()), Some("28P01"));
    assert!(!format!("{error} {error:?} {wrong:?}").contains("canary"));
}
