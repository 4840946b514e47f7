//! `pqcrypta traffic` over a real database.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

const SITE: &str = "[[analytics.site]]\ndomain = \"example.org\"\ntime_zone = \"Europe/Berlin\"\n";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

fn log(day: jiff::civil::Date) -> String {
    let day = day.strftime("%d/%b/%Y").to_string();
    [
        (
            "192.0.2.1",
            "10:00:00",
            "GET / HTTP/1.1\" 200 12",
            "https://duckduckgo.com/",
            BROWSER,
        ),
        (
            "192.0.2.1",
            "10:00:01",
            "GET /site.css HTTP/1.1\" 200 12",
            "https://example.org/",
            BROWSER,
        ),
        (
            "192.0.2.1",
            "10:00:30",
            "GET /a?token=S3cretValue HTTP/1.1\" 200 12",
            "https://example.org/",
            BROWSER,
        ),
        (
            "192.0.2.7",
            "11:00:00",
            "GET /=x HTTP/1.1\" 200 12",
            "-",
            BROWSER,
        ),
        (
            "192.0.2.8",
            "12:00:00",
            "GET / HTTP/1.1\" 200 12",
            "-",
            "curl/8.5.0",
        ),
    ]
    .iter()
    .map(|(client, time, request, referer, agent)| {
        format!("{client} - - [{day}:{time} +0100] \"{request} \"{referer}\" \"{agent}\"\n")
    })
    .collect()
}

#[tokio::test]
async fn a_log_is_imported_once_and_exported() {
    let database = testkit::migrated().await.unwrap();
    let target = database.target();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.log");
    let day = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let day = day.checked_sub(jiff::Span::new().days(3)).unwrap();
    fs::write(&path, log(day)).unwrap();
    let path = path.to_str().unwrap();
    let import = |more: &[&str]| {
        let arguments = [&["import", path], more].concat();
        common::run_with("traffic", &target, SITE, &arguments)
    };
    let dry = import(&["--dry-run"]);
    assert_eq!(dry.code, 0, "{}", dry.errors);
    assert!(
        dry.output.contains(&format!(
            "would be imported: 3 views and 0 events of 1 days from {day} to {day}\n"
        )),
        "{}",
        dry.output
    );
    let done = import(&[]);
    assert_eq!(done.code, 0, "{}", done.errors);
    assert!(
        done.output.contains("refused: 1 × A program (library)\n"),
        "{}",
        done.output
    );
    assert!(
        done.output
            .contains("left out: 1 × no page: a file that pages are made of, first at "),
        "{}",
        done.output
    );
    assert!(
        done.output.ends_with(&format!(
            "imported: 3 views and 0 events of 1 days from {day} to {day}\n"
        )),
        "{}",
        done.output
    );
    let again = import(&[]);
    assert!(
        again.output.contains("access.log: imported before\n"),
        "{}",
        again.output
    );
    assert!(
        again.output.ends_with("imported: 0 views and 0 events\n"),
        "{}",
        again.output
    );

    let export = |what: &str, more: &[&str]| {
        let ran = common::run("traffic", &target, &[&["export", what], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.errors);
        ran.output
    };
    let views = export("views", &[]);
    let lines: Vec<&str> = views.split_terminator("\r\n").collect();
    assert!(
        lines[0].starts_with("created_at,session_id,page_path,"),
        "{views}"
    );
    assert_eq!(lines.len(), 4, "{views}");
    assert!(
        lines[1].starts_with(&format!("{day}T09:00:00.000000Z,")),
        "{views}"
    );
    assert!(
        views.contains(",/a/,") && !views.contains("S3cretValue"),
        "{views}"
    );
    let visits = export(
        "visits",
        &["--from", &day.to_string(), "--to", &day.to_string()],
    );
    assert_eq!(visits.split_terminator("\r\n").count(), 3, "{visits}");
    assert!(visits.contains(",/,/a/,DuckDuckGo,search,"), "{visits}");
    let visit = lines[1].split(',').nth(1).unwrap();
    let one = export("views", &["--visit", visit]);
    assert_eq!(one.split_terminator("\r\n").count(), 3, "{one}");
    let none = export("events", &["--to", &day.yesterday().unwrap().to_string()]);
    assert_eq!(none.split_terminator("\r\n").count(), 1, "{none}");

    // The figures as a page: of these days, with rows of at least so many visitors.
    let page = export("page", &["--least", "1"]);
    assert!(page.starts_with("<!doctype html>"), "{page}");
    assert!(page.contains("<h1>Visits of example.org</h1>"), "{page}");
    assert!(page.contains("<dt>Visits</dt><dd>2</dd>"), "{page}");
    assert!(
        page.contains("<bdi>/a/</bdi>") && page.contains("<bdi>DuckDuckGo</bdi>"),
        "{page}"
    );
    assert!(page.contains(&format!("<tr><th scope=\"row\">{day}</th><td class=\"number\">2</td><td class=\"number\">3</td></tr>")), "{page}");
    assert_eq!(
        page.matches("<tr><th scope=\"row\">20").count(),
        30,
        "{page}"
    );
    let few = export("page", &[]);
    assert!(!few.contains("<bdi>/a/</bdi>"), "{few}");
    assert!(
        few.contains("Rows of fewer than 5 visitors are left out."),
        "{few}"
    );
    let wrong = [
        "export",
        "page",
        "--from",
        "2026-02-02",
        "--to",
        "2026-02-01",
    ];
    let ran = common::run("traffic", &target, &wrong);
    assert_eq!(ran.code, 1);
    assert!(
        ran.errors
            .contains("--from 2026-02-02 is after --to 2026-02-01"),
        "{}",
        ran.errors
    );
}

#[tokio::test]
async fn what_is_wrong_is_named_with_a_remedy() {
    let database = testkit::migrated().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.txt");
    fs::write(&path, "not a log\n").unwrap();
    let target = database.target();
    let path = path.to_str().unwrap();
    let ran = common::run_with("traffic", &target, SITE, &["import", path]);
    assert_eq!(ran.code, 1);
    assert!(ran.errors.contains("notes.txt:1: is neither an access log nor an export that is known here; access logs are read"), "{}", ran.errors);
    let ran = common::run_with(
        "traffic",
        &target,
        SITE,
        &["import", "--site", "other.example", path],
    );
    assert!(
        ran.errors
            .contains("other.example is not configured: write [[analytics.site]]"),
        "{}",
        ran.errors
    );
    let ran = common::run("traffic", &target, &["export", "views", "--visit", "x y"]);
    assert!(ran.errors.contains("is no session_id"), "{}", ran.errors);
}

/// Killed when everything is stored and nothing committed, an import has done nothing; the next one does all of it.
#[tokio::test]
async fn an_import_that_is_killed_neither_loses_nor_doubles() {
    let database = testkit::migrated().await.unwrap();
    let target = database.target();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.log");
    let day = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    fs::write(
        &path,
        log(day.checked_sub(jiff::Span::new().days(3)).unwrap()),
    )
    .unwrap();
    let path = path.to_str().unwrap();
    let views = "SELECT count(*) FROM collector.web_analytics_page_views_raw";
    // The file is noted last, which waits for this.
    let lock = "LOCK TABLE collector.web_analytics_imports IN SHARE MODE";
    let holder = testkit::hold(&target, lock).await.unwrap();
    let mut child = common::spawn_with("traffic", &target, SITE, &["import", path]);
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'collector.web_analytics_imports'::regclass";
    while database.number(waiting).await.unwrap() == 0 {
        assert_eq!(child.0.try_wait().unwrap(), None, "it ended before");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    child.0.kill().unwrap();
    child.0.wait().unwrap();
    drop(holder);
    assert_eq!(database.number(views).await.unwrap(), 0);
    for _ in 0..2 {
        let ran = common::run_with("traffic", &target, SITE, &["import", path]);
        assert_eq!(ran.code, 0, "{}", ran.errors);
        assert_eq!(database.number(views).await.unwrap(), 3);
    }
}
