//! Logs over known lines: pages, search, filters, counts, and the tables beside them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;

use common::{START, Server, seeded, serve, sql_time};
use serde_json::{Value, json};
use testkit::Database;

async fn with_logs() -> Database {
    let database = seeded().await;
    let text = include_str!("common/logs.sql").replace("%START%", &sql_time(START));
    database.sql(&text).await.unwrap();
    database
}

fn ids(answer: &Value) -> Vec<String> {
    let rows = answer["rows"].as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

fn messages(answer: &Value) -> Vec<&str> {
    let rows = answer["rows"].as_array().unwrap().iter();
    rows.map(|row| row["message"].as_str().unwrap()).collect()
}

/// Percent-encodes all characters but unreserved ones.
fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Reads all pages from the newest on, then all back; each as the ids it shows.
async fn walk(server: &Server, asked: &str) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let mut answer = server.ask(asked).await;
    assert_eq!(
        answer["newer"],
        Value::Null,
        "the first page has none in front"
    );
    let mut there = vec![ids(&answer)];
    while let Some(older) = answer["older"].as_str() {
        answer = server
            .ask(&format!("{asked}&before={}", encode(older)))
            .await;
        there.push(ids(&answer));
    }
    let mut back = vec![ids(&answer)];
    while let Some(newer) = answer["newer"].as_str() {
        answer = server
            .ask(&format!("{asked}&after={}", encode(newer)))
            .await;
        back.push(ids(&answer));
    }
    (there, back)
}

#[tokio::test]
async fn pages_show_every_line_once_there_and_back() {
    let database = with_logs().await;
    let server = serve(&database);
    for (asked, lines) in [
        ("logs?from=now-1h&limit=100", 1972),
        ("logs?from=now-1h&limit=7&f.source=db", 181),
        ("logs?from=now-1h&limit=100&q=OPENED", 1611),
        (
            "logs?from=now-1h&limit=10&f.level=warn&f.level=error&f.source=auth",
            180,
        ),
        ("logs?from=now-3h&limit=50&pattern=aaaaaaaaaaaaaaaa", 181),
    ] {
        let (there, back) = walk(&server, asked).await;
        let all: Vec<&String> = there.iter().flatten().collect();
        assert_eq!(all.len(), lines, "{asked}");
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), lines, "{asked}");
        let instants = |id: &&String| id.split('.').next().unwrap().parse::<i64>().unwrap();
        assert!(all.is_sorted_by_key(|id| -instants(id)), "{asked}");
        // On the way back the pages may be cut elsewhere, the lines are the same.
        let back: BTreeSet<&String> = back.iter().flatten().collect();
        assert_eq!(back.len(), lines, "{asked}");
    }
}

#[tokio::test]
async fn a_search_finds_text_as_it_stands_whatever_the_case() {
    let database = with_logs().await;
    let server = serve(&database);
    for (q, found) in [
        ("session 17 ", 1),
        ("SESSION 170 ", 1),
        ("failed for m", 180),
        ("FÜR", 0),
        ("MÜLLER", 180),
        ("müller", 180),
        ("100%_done\\", 31),
        ("100%%", 0),
        ("%", 31),
        ("1790", 1),
        ("FÜR 17", 0),
        ("_", 31),
        ("<IMG SRC=x", 31),
        ("' OR 1=1 --", 0),
        ("checkpoint", 150),
        ("  ", 500),
    ] {
        let answer = server
            .ask(&format!("logs?from=now-1h&limit=500&q={}", encode(q)))
            .await;
        assert_eq!(ids(&answer).len(), found, "{q}");
        let is_search = !q.trim().is_empty();
        assert_eq!(
            answer["matched"].is_null(),
            is_search,
            "a search is not counted"
        );
    }
    let long = "x".repeat(257);
    for (asked, code) in [
        (format!("logs?q={long}"), "bad_request"),
        ("logs?before=x".to_owned(), "bad_request"),
        ("logs?after=5".to_owned(), "bad_request"),
        ("logs?before=5&around=1.2.3.4.s".to_owned(), "bad_request"),
        ("logs?format=xml".to_owned(), "bad_request"),
    ] {
        assert_eq!(
            server.refused(&asked).await,
            (400, code.to_owned()),
            "{asked}"
        );
    }
}

#[tokio::test]
async fn what_stands_around_a_line_is_shown_with_it() {
    let database = with_logs().await;
    let server = serve(&database);
    let found = server.ask("logs?from=now-1h&q=session%20900%20").await;
    let id = ids(&found).remove(0);
    let answer = server
        .ask(&format!("logs?from=now-1h&limit=20&around={}", encode(&id)))
        .await;
    let shown = ids(&answer);
    assert_eq!(shown.len(), 20);
    assert_eq!(shown.iter().position(|one| *one == id), Some(10));
    assert!(answer["newer"].is_string() && answer["older"].is_string());
    let newest = server.ask("logs?from=now-1h&limit=1").await;
    let newest = ids(&newest).remove(0);
    let answer = server
        .ask(&format!(
            "logs?from=now-1h&limit=20&around={}",
            encode(&newest)
        ))
        .await;
    assert_eq!(ids(&answer).iter().position(|one| *one == newest), Some(0));
    assert_eq!(answer["newer"], Value::Null);
}

#[tokio::test]
async fn lines_are_counted_under_the_other_filters() {
    let database = with_logs().await;
    let server = serve(&database);
    let counts = async |asked: &str| {
        let answer = server.ask(&format!("logs?limit=1&{asked}")).await;
        (answer["matched"].clone(), answer["facets"].clone())
    };
    let all = json!({
        "level": {"error": 31, "info": 1761, "warn": 180},
        "source": {"auth": 1791, "db": 181},
    });
    // Whole hours and what is left of them agree.
    for from in ["now-1h", "now-45m", "now-31m"] {
        assert_eq!(
            counts(&format!("from={from}")).await,
            (json!(1972), all.clone()),
            "{from}"
        );
    }
    let (matched, facets) = counts("from=now-1h&f.level=error&f.source=db").await;
    assert_eq!(matched, json!(31));
    assert_eq!(
        facets,
        json!({"level": {"error": 31, "info": 150}, "source": {"db": 31}})
    );
    let (matched, _) = counts("from=now-3h").await;
    assert_eq!(matched, json!(1973));
    // Of ten minutes: those of the middle.
    let ten = format!("from={}&to={}", START + 600_000, START + 1_200_000);
    let (matched, facets) = counts(&ten).await;
    assert_eq!(matched, json!(661));
    assert_eq!(
        facets["level"],
        json!({"error": 11, "info": 590, "warn": 60})
    );
    assert_eq!(
        counts("from=now-1h&counts=0").await,
        (Value::Null, json!({}))
    );
}

#[tokio::test]
async fn a_line_is_returned_whole_and_exported_harmless() {
    let database = with_logs().await;
    let server = serve(&database);
    let answer = server.ask("logs?from=now-1h&f.level=error&limit=500").await;
    let cut = answer["rows"].as_array().unwrap().iter();
    let cut = cut
        .filter(|row| !row["message_chars"].is_null())
        .collect::<Vec<_>>();
    assert_eq!(cut.len(), 1);
    assert_eq!(cut[0]["message_chars"], 9000);
    assert_eq!(
        messages(&answer)[0],
        "<img src=x onerror=alert(1)> 100%_done\\"
    );
    let text = server
        .get("api/v1/logs?from=now-3h&q=session&format=csv")
        .await;
    assert_eq!(
        text.header("content-type"),
        "text/csv; charset=utf-8; header=present"
    );
    let lines: Vec<&str> = text.body.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1 + 1792);
    assert_eq!(
        lines[0],
        "ts,source,level,component,message,context,pattern"
    );
    assert_eq!(
        lines[1],
        "2026-09-20T22:29:50.000Z,auth,warn,sshd,Session 1790 failed for Müller,\"{\"\"pid\"\": 1790}\",aaaaaaaaaaaaaaaa"
    );
}

#[tokio::test]
async fn tables_beside_the_lines() {
    let database = with_logs().await;
    let server = serve(&database);
    let meta = server.ask("meta").await;
    for (name, asked) in [
        ("log_sources", ""),
        ("log_patterns", "?from=now-1h"),
        ("security_events", "?from=now-1h"),
    ] {
        let answer = server.ask(&format!("table/{name}{asked}")).await;
        let shown = json!({
            "rows": common::rows(&meta, name, &answer),
            "facets": answer["facets"],
            "sums": answer["sums"],
            "note": answer["note"],
        });
        insta::assert_json_snapshot!(name, shown);
    }
}

#[tokio::test]
async fn a_source_that_is_read_and_not_understood_is_reported() {
    let database = with_logs().await;
    let sql = "UPDATE collector.log_sources_raw SET unread_lines = CASE source WHEN 'db' THEN info_lines ELSE 0 END WHERE source <> 'broken';
         INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, details, opened_at, confirmed_at, seen_at)
         SELECT 1, 'log_not_understood', 'db', 'alert', 'logs', 'warn', 'warn', 'Log lines not understood', 'db: none of 178 lines fits log_line_prefix',
                ARRAY['Ask the server for its prefix'], '{\"source\": \"db\"}', max(ts) - interval '5 minutes', max(ts) - interval '5 minutes', max(ts) FROM collector.log_sources_raw";
    database.sql(sql).await.unwrap();
    let server = serve(&database);
    let meta = server.ask("meta").await;
    let answer = server.ask("table/log_sources").await;
    let rows = common::rows(&meta, "log_sources", &answer);
    let of = |source: &str| {
        let row = rows.iter().find(|row| row["source"] == source).unwrap();
        (row["unread_lines"].clone(), row["unread_pct"].clone())
    };
    assert_eq!(of("auth"), (json!(0), json!(0.0)));
    // Beside them are 28 errors that fit.
    assert_eq!(of("db").0, json!(178));
    assert!(
        of("db").1.as_str().unwrap().ends_with("warn"),
        "{:?}",
        of("db")
    );
    assert_eq!(of("broken"), (Value::Null, Value::Null), "not counted");
    assert_eq!(answer["facets"]["state"]["misread"], json!(1), "{answer}");
    let now = server.ask("now").await;
    let problems = now["problems"].as_array().unwrap();
    let problem = problems
        .iter()
        .find(|one| one["id"] == "finding.log_not_understood@db")
        .unwrap();
    assert_eq!(
        (&problem["severity"], &problem["view"], &problem["title"]),
        (
            &json!("warn"),
            &json!("logs"),
            &json!("Log lines not understood: db")
        )
    );
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_a_problem_of_the_logs() {
    let database = with_logs().await;
    let change = json!({"domain": "log", "message": "Log broken cannot be read"});
    let unread = common::finding("log.readable", "broken", "warn", change);
    common::store_findings(&database, &[unread]).await;
    let now = serve(&database).ask("now").await;
    let problem = common::find(&now["problems"], "id", "log.readable@broken");
    assert_eq!(
        (&problem["view"], &problem["title"]),
        (&json!("logs"), &json!("Log broken cannot be read"))
    );
    let present = |now: &Value| {
        let area = common::area(now, "logs");
        (area["present"].clone(), area["severity"].clone())
    };
    assert_eq!(present(&now), (json!(true), json!("warn")));
    let bare = seeded().await;
    let now = serve(&bare).ask("now").await;
    assert_eq!(present(&now).0, json!(false), "no log was ever read");
}

#[tokio::test]
async fn a_pattern_seen_twice_is_rare() {
    let database = with_logs().await;
    let server = serve(&database);
    let answer = server
        .ask("table/log_patterns?from=now-21d&to=now-18d")
        .await;
    assert_eq!(answer["rows"][0]["id"], "ffffffffffffffff");
    assert_eq!(answer["facets"]["tag"], json!({"rare": 1}));
}

/// Lines of a range that are gone are counted by the hour and by pattern, and since when lines are kept is stated.
#[tokio::test]
async fn ranges_beyond_the_kept_lines_have_counts_and_patterns() {
    let database = with_logs().await;
    let long_ago = START - 20 * 86_400_000;
    let text = format!(
        "INSERT INTO collector.log_metrics_hourly (host_id, bucket, source, level, count) \
         VALUES (1, {0}, 'auth', 'warn', 7), (1, {0}, 'db', 'error', 2); \
         INSERT INTO collector.retention (host_id, raw_days, hourly_days, long_days, log_days, event_days) \
         SELECT 1, 14, 90, 365, (now() AT TIME ZONE 'UTC')::date - date '2026-09-20', 30",
        sql_time(long_ago)
    );
    let server = serve(&database);
    let before = server.ask("logs?from=now-30d&limit=1").await;
    assert_eq!(before["kept_from_ms"], Value::Null, "nothing is gone");
    database.sql(&text).await.unwrap();
    let server = serve(&database);
    let kept = json!(START - 22 * 3_600_000);
    let month = server.ask("logs?from=now-30d&limit=1").await;
    assert_eq!(month["kept_from_ms"], kept);
    let count = |answer: &Value| answer["matched"].as_i64().unwrap();
    assert_eq!(count(&month), count(&before) + 9);
    assert_eq!(
        month["rows"].as_array().unwrap().len(),
        1,
        "kept lines are found"
    );
    // Ten minutes within an hour of which no line is left.
    let (from, to) = (long_ago + 600_000, long_ago + 1_200_000);
    let within = server.ask(&format!("logs?from={from}&to={to}")).await;
    assert_eq!((count(&within), &within["rows"]), (9, &json!([])));
    assert_eq!(within["facets"]["level"], json!({"error": 2, "warn": 7}));
    assert_eq!(within["kept_from_ms"], kept);
    let searched = server.ask("logs?from=now-30d&q=opened").await;
    assert_eq!(
        (&searched["kept_from_ms"], &searched["matched"]),
        (&kept, &Value::Null)
    );
    for recent in ["logs?from=now-3h", "logs?from=now-30d&counts=0"] {
        assert_eq!(
            server.ask(recent).await["kept_from_ms"],
            Value::Null,
            "{recent}"
        );
    }
    let patterns = server.ask("table/log_patterns?from=now-30d").await;
    let gone = patterns["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["id"] == "ffffffffffffffff");
    assert!(gone.is_some(), "{patterns}");
}
