//! From a page's report to rows, through the real program and a real server.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{BROWSER, Home, SITE, report, until, usual, view};
use rustix::process::Signal;
use serde_json::json;

#[tokio::test]
async fn a_visit_is_stored() {
    let database = testkit::migrated().await.unwrap();
    let home = Home::new(&database.target(), SITE);
    let program = home.start();
    let first = json!({"v": 1, "site": "example.org", "url": "https://example.org/a?utm_source=news&token=x",
        "ref": "https://www.google.com/search?q=x", "title": "First", "width": 1440, "view": "00000000000000aa",
        "events": [{"type": "view"}, {"type": "time", "engaged_ms": 12000, "scroll_pct": 55}]});
    assert_eq!(program.post("192.0.2.1", &first), Some(202));
    assert_eq!(program.post("192.0.2.1", &first), Some(202));
    assert_eq!(program.post("192.0.2.1", &view(0xbb, "/b")), Some(202));
    let signup = json!({"type": "event", "name": "signup", "props": {"plan": "pro"}});
    assert_eq!(
        program.post("192.0.2.1", &report(0xbb, "/b", &signup)),
        Some(202)
    );
    let later = json!({"type": "time", "engaged_ms": 30000, "scroll_pct": 90});
    assert_eq!(
        program.post("192.0.2.1", &report(0xbb, "/b", &later)),
        Some(202)
    );
    assert_eq!(program.post("192.0.2.2", &view(0xcc, "/b")), Some(202));

    until(
        &database,
        "SELECT count(*) FROM collector.web_analytics_page_views_raw",
        3,
    )
    .await;
    until(
        &database,
        "SELECT count(*) FROM collector.web_analytics_events_raw",
        1,
    )
    .await;
    until(
        &database,
        "SELECT sum(engaged_ms) FROM collector.web_analytics_sessions_raw",
        42_000,
    )
    .await;
    let session = database.connect().await.unwrap();
    let rows = testkit::texts(
        &session.client,
        "SELECT views, events, interactive, channel, browser, os, device, language, width, bounce, \
                (SELECT word FROM collector.web_analytics_words w WHERE w.word_id = s.entry), \
                (SELECT word FROM collector.web_analytics_words w WHERE w.word_id = s.exit), \
                (SELECT word FROM collector.web_analytics_words w WHERE w.word_id = s.source) \
         FROM collector.web_analytics_sessions_raw s ORDER BY views DESC",
    )
    .await
    .unwrap();
    assert_eq!(
        rows,
        [
            "2 1 t campaign Chrome Linux desktop de-DE 1440 f /a/ /b/ news",
            "1 0 f direct Chrome Linux desktop de-DE 1440 t /b/ /b/ -",
        ]
    );
    until(
        &database,
        "SELECT sum(count) FROM collector.web_analytics_refused_raw WHERE reason = 'duplicate_view'",
        1,
    )
    .await;
    assert_eq!(program.stop(), Some(0));
}

#[tokio::test]
async fn what_is_not_stored_is_counted() {
    let database = testkit::migrated().await.unwrap();
    let more = "own_networks = [\"198.51.100.0/24\"]\n[[analytics.site]]\ndomain = \"example.org\"\n\
                [[analytics.site]]\ndomain = \"dual.example\"\nconsent = \"consented\"\n\
                [[analytics.site]]\ndomain = \"off.example\"\nconsent = \"off\"\n";
    let home = Home::new(&database.target(), more);
    let program = home.start();
    let page = view(1, "/").to_string();
    let with = |agent: &str, more: &str| {
        let headers = format!(
            "Content-Type: text/plain\r\nOrigin: https://example.org\r\nX-Forwarded-For: 192.0.2.9\r\n{agent}{more}"
        );
        program.post_with(&headers, page.as_bytes()).unwrap().0
    };
    let browser = format!("User-Agent: {BROWSER}\r\n");
    assert_eq!(with("", ""), 202);
    assert_eq!(with("User-Agent: curl/8\r\n", ""), 202);
    assert_eq!(
        with(&format!("User-Agent: {}\r\n", "a".repeat(60_000)), ""),
        202
    );
    assert_eq!(
        with(&browser.replace("Chrome/", "HeadlessChrome/"), ""),
        202
    );
    assert_eq!(with(&browser, "Sec-Purpose: prefetch;prerender\r\n"), 202);
    assert_eq!(with(&browser, "Sec-Fetch-Mode: navigate\r\n"), 202);
    assert_eq!(program.post("198.51.100.7", &view(2, "/")), Some(202));
    let mut own = view(3, "/");
    own["ignore"] = json!(true);
    assert_eq!(program.post("192.0.2.9", &own), Some(202));
    let at = |site: &str| {
        let text = view(4, "/").to_string().replace("example.org", site);
        let headers = usual("192.0.2.9").replace("example.org", site);
        program.post_with(&headers, text.as_bytes()).unwrap().0
    };
    assert_eq!(at("off.example"), 202);
    assert_eq!(at("dual.example"), 202);
    // A browser that asks not to be tracked is an anonymous view.
    assert_eq!(with(&browser, "Sec-GPC: 1\r\n"), 202);
    let consented = view(5, "/")
        .to_string()
        .replace("example.org", "dual.example")
        .replacen("\"site\"", "\"session\":\"0123456789abcdef\",\"site\"", 1);
    let headers = usual("192.0.2.9").replace("example.org", "dual.example");
    assert_eq!(
        program.post_with(&headers, consented.as_bytes()).unwrap().0,
        202
    );

    until(
        &database,
        "SELECT count(*) FROM collector.web_analytics_anonymous_views_raw",
        2,
    )
    .await;
    until(
        &database,
        "SELECT count(*) FROM collector.web_analytics_sessions_raw WHERE consented",
        1,
    )
    .await;
    until(
        &database,
        "SELECT count(*) FROM collector.web_analytics_page_views_raw",
        1,
    )
    .await;
    for (reason, count) in [("bot", 5), ("prefetch", 1), ("own_visit", 2), ("off", 1)] {
        let query = format!(
            "SELECT sum(count) FROM collector.web_analytics_refused_raw WHERE reason = '{reason}'"
        );
        until(&database, &query, count).await;
    }
    assert_eq!(program.stop(), Some(0));
}

#[tokio::test]
async fn reports_wait_for_the_database() {
    let database = testkit::migrated().await.unwrap();
    let away = pg::Target::new("/nonexistent", 5432, "none", "none");
    let home = Home::new(&away, SITE);
    let program = home.start();
    for number in 0..20 {
        assert_eq!(program.post("192.0.2.1", &view(number, "/")), Some(202));
    }
    program.kill();
    home.rewrite(&database.target());
    let program = home.start();
    until(
        &database,
        "SELECT count(*) FROM collector.web_analytics_page_views_raw",
        20,
    )
    .await;
    until(
        &database,
        "SELECT sum(views) FROM collector.web_analytics_sessions_raw",
        20,
    )
    .await;
    program.signal(Signal::HUP);
    assert_eq!(program.post("192.0.2.1", &view(99, "/")), Some(202));
    assert_eq!(program.stop(), Some(0));
    until(
        &database,
        "SELECT count(*) FROM collector.web_analytics_page_views_raw",
        21,
    )
    .await;
}

#[tokio::test]
async fn a_second_program_is_refused() {
    let database = testkit::migrated().await.unwrap();
    let home = Home::new(&database.target(), SITE);
    let program = home.start();
    let second = home.command().output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(
        home.log().contains("is in use by process"),
        "{}",
        home.log()
    );
    assert_eq!(program.stop(), Some(0));
}

#[tokio::test]
async fn a_hit_that_the_database_refuses_is_left_out() {
    let database = testkit::migrated().await.unwrap();
    database
        .sql("ALTER TABLE collector.web_analytics_page_views_raw ADD CONSTRAINT test CHECK (view_id <> 7)")
        .await
        .unwrap();
    let away = pg::Target::new("/nonexistent", 5432, "none", "none");
    let home = Home::new(&away, SITE);
    let program = home.start();
    for number in 1..=12 {
        assert_eq!(program.post("192.0.2.1", &view(number, "/")), Some(202));
    }
    program.kill();
    home.rewrite(&database.target());
    let program = home.start();
    until(
        &database,
        "SELECT count(*) FROM collector.web_analytics_page_views_raw",
        11,
    )
    .await;
    until(
        &database,
        "SELECT sum(count) FROM collector.web_analytics_refused_raw WHERE reason = 'unstorable'",
        1,
    )
    .await;
    until(
        &database,
        "SELECT sum(views) FROM collector.web_analytics_sessions_raw",
        11,
    )
    .await;
    assert_eq!(program.stop(), Some(0));
}

/// A health check arrives: its visit is stored once a day, flagged, and in no figure.
#[tokio::test]
async fn a_health_check_arrives_and_counts_nowhere() {
    let database = testkit::migrated().await.unwrap();
    let home = Home::new(&database.target(), SITE);
    let program = home.start();
    for view in 1..=3_u64 {
        let mut body = common::view(view, "/health-check");
        body["synthetic"] = true.into();
        // A program asks, from where the server's own visits are not counted either.
        let headers = "Content-Type: text/plain\r\nOrigin: https://example.org\r\nUser-Agent: pqcrypta-health-check\r\n";
        let (status, _) = program
            .post_with(headers, body.to_string().as_bytes())
            .unwrap();
        assert_eq!(status, 202);
        let asked = format!(
            "GET /stored?view={view:016x} HTTP/1.1\r\nHost: stats\r\nConnection: close\r\n\r\n"
        );
        loop {
            let (status, answer) = program.raw(asked.as_bytes()).unwrap();
            assert_eq!(status, 200);
            if answer.ends_with("\r\n\r\nstored") {
                break;
            }
            assert!(answer.ends_with("\r\n\r\nwaiting"), "{answer}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    let raw = "SELECT count(*) FROM collector.web_analytics_sessions_raw WHERE synthetic";
    assert_eq!(database.number(raw).await.unwrap(), 1);
    let views = "SELECT views::bigint FROM collector.web_analytics_sessions_raw";
    assert_eq!(database.number(views).await.unwrap(), 3);
    for table in [
        "sessions_real",
        "page_views_raw",
        "anonymous_views_raw",
        "settled",
        "words",
    ] {
        let rows = format!("SELECT count(*) FROM collector.web_analytics_{table}");
        assert_eq!(database.number(&rows).await.unwrap(), 0, "{table}");
    }
    let unknown =
        program.raw(b"GET /stored?view=x HTTP/1.1\r\nHost: stats\r\nConnection: close\r\n\r\n");
    assert_eq!(unknown.unwrap().0, 400);
    assert_eq!(program.stop(), Some(0));
}

/// A backend with the secret reports visitors as they are; without it nothing of the body is an address.
#[tokio::test]
async fn a_backend_reports_its_visitors() {
    let database = testkit::migrated().await.unwrap();
    let more = format!("backend_token = \"0123456789abcdef-secret\"\n{SITE}");
    let home = Home::new(&database.target(), &more);
    let program = home.start();
    let body = |view: u64, address: &str| {
        let mut body = common::view(view, "/");
        body["client"] = json!({"address": address, "user_agent": BROWSER, "language": "fr-FR"});
        body.to_string()
    };
    let send = |token: &str, body: &str| {
        let headers =
            format!("Content-Type: application/json\r\nUser-Agent: backend/1.0\r\n{token}");
        program.post_with(&headers, body.as_bytes()).unwrap().0
    };
    let token = "Authorization: Bearer 0123456789abcdef-secret\r\n";
    assert_eq!(send(token, &body(1, "192.0.2.1")), 202);
    assert_eq!(send(token, &body(2, "192.0.2.2")), 202);
    assert_eq!(send(token, &body(3, "192.0.2.2")), 202);
    assert_eq!(send(token, &common::view(4, "/").to_string()), 400);
    assert_eq!(send(token, &body(5, "not an address")), 400);
    for wrong in [
        "Authorization: Bearer 0123456789abcdef-secreT\r\n",
        "Authorization: Bearer \r\n",
        "Authorization: Basic 0123456789abcdef-secret\r\n",
        // Without one it is a page, and a page has an origin.
        "",
    ] {
        assert_eq!(send(wrong, &body(6, "192.0.2.9")), 403, "{wrong}");
    }
    until(
        &database,
        "SELECT count(*) FROM collector.web_analytics_page_views_raw",
        3,
    )
    .await;
    let visitors = "SELECT count(DISTINCT visitor_id) FROM collector.web_analytics_sessions_raw WHERE language = 'fr-FR' AND browser = 'Chrome'";
    assert_eq!(database.number(visitors).await.unwrap(), 2);
    assert_eq!(program.stop(), Some(0));
    assert!(!home.log().contains("secret"));
}
